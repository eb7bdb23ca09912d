"""Make a task: source with labels, target without, and the target's labels apart."""

from jindbench import io
from jindbench.data import tasks
from jindbench.execution import job
from jindbench.names import BATCH, LABEL

with job.run(snakemake):
    task = tasks.Task.model_validate(snakemake.params.task)
    where = f"tasks.{snakemake.wildcards.task}"
    datasets = dict(zip(task.datasets(), snakemake.input.datasets, strict=True))
    sides = {
        key: tasks.select_batch(io.read_h5ad(datasets[side.dataset]), side.batch, f"{where}.{key}.batch")
        for key, side in task.sides().items()
    }
    if task.split:
        source, target = tasks.random_split(sides["split"], task.split.source_share, task.split.seed, where)
    else:
        source, target = tasks.select_types(
            sides["source"], sides["target"], task.source.types, task.target.types, where
        )
        source, target = tasks.match_genes(source, target, where)

    for name, side in (("source", source), ("target", target)):
        job.log.info("%s: %d cells x %d genes, %s", name, *side.shape, side.obs[LABEL].value_counts().to_dict())
    io.write_solution(target.obs_names, target.obs[LABEL], snakemake.output.solution)
    source.obs = source.obs[[LABEL]]
    target.obs = target.obs.drop(columns=[LABEL, BATCH])
    io.write_h5ad(source, snakemake.output.source)
    io.write_h5ad(target, snakemake.output.target)

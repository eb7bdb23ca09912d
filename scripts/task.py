"""Make a task: source with labels, target without, and the target's labels apart."""

from jindbench import io
from jindbench.data import tasks
from jindbench.execution import job
from jindbench.names import BATCH, LABEL

with job.run(snakemake):
    task = tasks.Task.model_validate(snakemake.params.task)
    files = zip(task.datasets(), snakemake.input.datasets, strict=True)
    datasets = {name: io.read_h5ad(file) for name, file in files}
    source, target = tasks.make(task, datasets, f"tasks.{snakemake.wildcards.task}")

    for name, side in (("source", source), ("target", target)):
        job.log.info("%s: %d cells x %d genes, %s", name, *side.shape, side.obs[LABEL].value_counts().to_dict())
    io.write_solution(target.obs_names, target.obs[LABEL], snakemake.output.solution)
    source.obs = source.obs[[LABEL]]
    target.obs = target.obs.drop(columns=[LABEL, BATCH])
    io.write_h5ad(source, snakemake.output.source)
    io.write_h5ad(target, snakemake.output.target)

"""Make a task: source with labels, target without, and the target's labels apart.

Of a dataset that is not available (see `download.py`) there are no cells, and no labels.
"""

import pandas as pd

from jindbench import io
from jindbench.data import tasks
from jindbench.errors import DataNotAvailable
from jindbench.execution import job
from jindbench.names import BATCH, LABEL


def make():
    """Cut and write the task."""
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


with job.run(snakemake):
    try:
        make()
    except DataNotAvailable as error:
        io.write_not_available(str(error), snakemake.output.source, snakemake.output.target)
        io.write_solution(pd.Index([]), pd.Series(dtype=str), snakemake.output.solution)

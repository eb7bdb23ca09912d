"""Correct a task's source and target towards each other.

Like a method, an integration that fails does not fail the job: the methods that read its result record why.
"""

import time
from pathlib import Path

from jindbench import io, registry
from jindbench.data import tasks
from jindbench.execution import guard, job
from jindbench.execution.components import integrate

OUTPUTS = ("source", "target")


def batches():
    """All cells of the task's batches, without labels."""
    task = tasks.Task.model_validate(snakemake.params.task).with_all_types()
    datasets = {name: io.read_h5ad(file) for name, file in zip(task.datasets(), snakemake.input.datasets, strict=True)}
    sides = tasks.make(task, datasets, f"tasks.{snakemake.wildcards.task}")
    for side in sides:
        side.obs = side.obs[[]]
    return sides


def run():
    """Integrate and write the task's cells of both sides; returns what the record adds."""
    chosen = io.read_h5ad(snakemake.input.source), io.read_target(snakemake.input.target)
    cells = batches() if snakemake.params.cells == "batches" else chosen
    begun = time.time()
    sides = integrate(
        integration,
        *cells,
        integration.Parameters.model_validate(snakemake.params.parameters),
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )
    seconds = {"start_seconds": round(begun - job.begun(), 3), "work_seconds": round(time.time() - begun, 3)}
    for name, side, cells in zip(OUTPUTS, sides, chosen):
        side = side[side.obs_names.isin(cells.obs_names)].copy()
        side.obs = cells.obs.loc[side.obs_names]
        io.write_h5ad(side, snakemake.output[name])
    return seconds | {"inputs_sha256": {name: io.sha256(snakemake.input[name]) for name in OUTPUTS}}


with job.run(snakemake):
    job.limit_threads(snakemake.threads)
    integration = registry.component("integrations", snakemake.params.integration)
    registry.preload(integration)
    outcome = guard.guarded(run, **guard.limits(snakemake))
    if outcome.status != "ok":
        for name in OUTPUTS:
            Path(snakemake.output[name]).write_bytes(b"")
    guard.write_outcome(
        outcome,
        snakemake.output.outcome,
        task=snakemake.wildcards.task,
        method=f"integration {snakemake.wildcards.integration}",
        file=f"integrations/{snakemake.params.integration}.py",
        cells=snakemake.params.cells,
        parameters=dict(snakemake.params.parameters),
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )

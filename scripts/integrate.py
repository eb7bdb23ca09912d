"""Correct a task's source and target towards each other; or those of all small tasks, one after the other.

Like a method, an integration that fails does not fail the job: the methods that read its result record why.
"""

import time
from functools import partial
from pathlib import Path

from jindbench import io, registry
from jindbench.data import tasks
from jindbench.execution import guard, job
from jindbench.execution.components import integrate

OUTPUTS = ("source", "target")


def batches(name):
    """All cells of the task's batches, without labels."""
    task = tasks.Task.model_validate(snakemake.params.tasks[name]).with_all_types()
    files = {Path(file).stem: file for file in snakemake.input.datasets}
    sides = tasks.make(task, {dataset: io.read_h5ad(files[dataset]) for dataset in task.datasets()}, f"tasks.{name}")
    for side in sides:
        side.obs = side.obs[[]]
    return sides


def run(name, inputs, outputs):
    """Integrate and write the task's cells of both sides; returns what the record adds."""
    started = time.time()
    chosen = io.read_h5ad(inputs["source"]), io.read_target(inputs["target"])
    cells = batches(name) if entry["cells"] == "batches" else chosen
    begun = time.time()
    sides = integrate(
        integration,
        *cells,
        integration.Parameters.model_validate(entry["parameters"]),
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )
    seconds = {"start_seconds": round(imports + begun - started, 3), "work_seconds": round(time.time() - begun, 3)}
    for output, side, cells in zip(OUTPUTS, sides, chosen):
        side = side[side.obs_names.isin(cells.obs_names)].copy()
        side.obs = cells.obs.loc[side.obs_names]
        io.write_h5ad(side, outputs[output])
    return seconds | {"inputs_sha256": {side: io.sha256(inputs[side]) for side in OUTPUTS}}


with job.run(snakemake):
    job.limit_threads(snakemake.threads)
    entry = snakemake.params.entry
    integration = registry.component("integrations", entry["integration"])
    registry.preload(integration)
    imports = time.time() - job.begun()
    for number, name in enumerate(snakemake.params.tasks):
        inputs, outputs = (
            {kind: paths[number] for kind, paths in files.items() if kind != "datasets"}
            for files in (snakemake.input, snakemake.output)
        )
        limits = guard.limits(snakemake, len(snakemake.params.tasks))
        outcome = guard.guarded(partial(run, name, inputs, outputs), **limits)
        if outcome.status != "ok":
            for side in OUTPUTS:
                Path(outputs[side]).write_bytes(b"")
        guard.write_outcome(
            outcome,
            outputs["outcome"],
            task=name,
            method=f"integration {snakemake.params.name}",
            file=f"integrations/{entry['integration']}.py",
            cells=entry["cells"],
            parameters=dict(entry["parameters"]),
            seed=snakemake.params.seed,
            threads=snakemake.threads,
        )

"""Run a method on one task with one seed; or all methods of one file, one run after the other, on small tasks.

A run that fails does not fail the job: its outcome is recorded with the reason, so that the tables show it and all
others come out. `complete.py` turns recorded failures into the exit status.
"""

import time
from functools import partial
from pathlib import Path

from jindbench import io, predictions, registry
from jindbench.execution import guard, job
from jindbench.execution.components import run_method
from jindbench.names import LABEL


def run(chosen, files):
    """Run the method and write its predictions; returns what the record adds."""
    started = time.time()
    for earlier in ("integration_outcome", "parent_outcome"):
        if earlier in files:
            guard.require_ok(files[earlier])
    source, target = io.read_h5ad(files["source"]), io.read_target(files["target"])
    if "solution" in files:  # a control
        target.obs[LABEL] = io.read_solution(files["solution"])
    begun = time.time()
    predicted = run_method(
        method,
        source,
        target,
        method.Parameters.model_validate(chosen["parameters"]),
        seed=chosen["seed"],
        threads=snakemake.threads,
        model_dir=Path(files["model"]),
        parent_dir=Path(files["parent_model"]) if "parent_model" in files else None,
    )
    # Imports are shared by the runs of a job, and count for each.
    seconds = {"start_seconds": round(imports + begun - started, 3), "work_seconds": round(time.time() - begun, 3)}
    predictions.write(predicted.table, files["predictions"])
    return seconds | {"inputs_sha256": {name: io.sha256(files[name]) for name in ("source", "target")}}


with job.run(snakemake):
    job.limit_threads(snakemake.threads)
    method = registry.component("methods", snakemake.params.method)
    registry.preload(method)
    imports = time.time() - job.begun()
    for number, chosen in enumerate(snakemake.params.runs):
        files = chosen["files"] | {name: paths[number] for name, paths in snakemake.output.items()}
        Path(files["model"]).mkdir(parents=True, exist_ok=True)
        outcome = guard.guarded(partial(run, chosen, files), **guard.limits(snakemake, len(snakemake.params.runs)))
        if outcome.status != "ok":
            predictions.write(predictions.none(), files["predictions"])
        guard.write_outcome(
            outcome,
            files["outcome"],
            task=chosen["task"],
            method=chosen["method"],
            file=f"methods/{snakemake.params.method}.py",
            input=chosen["input"] or "as it is",
            parameters=dict(chosen["parameters"]),
            seed=chosen["seed"],
            threads=snakemake.threads,
        )

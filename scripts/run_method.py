"""Run one method on one task with one seed.

A method that fails does not fail the job: its outcome is recorded with the reason, so that the tables show it and all
others come out. `complete.py` turns recorded failures into the exit status.
"""

from pathlib import Path

from jindbench import io, predictions, registry
from jindbench.execution import guard, job
from jindbench.execution.components import run_method


def run():
    """Run the method and write its predictions; returns what the record adds."""
    for earlier in ("integration_outcome", "parent_outcome"):
        if snakemake.input.get(earlier):
            guard.require_ok(snakemake.input[earlier])
    method = registry.component("methods", snakemake.params.method)
    predicted = run_method(
        method,
        io.read_h5ad(snakemake.input.source),
        io.read_target(snakemake.input.target),
        method.Parameters.model_validate(snakemake.params.parameters),
        seed=snakemake.params.seed,
        threads=snakemake.threads,
        model_dir=model_dir,
        parent_dir=Path(snakemake.input.parent_model) if snakemake.params.parent else None,
    )
    predictions.write(predicted.table, snakemake.output.predictions)
    return {"inputs_sha256": {name: io.sha256(snakemake.input[name]) for name in ("source", "target")}}


with job.run(snakemake):
    job.limit_threads(snakemake.threads)
    model_dir = Path(snakemake.output.model)
    model_dir.mkdir(parents=True, exist_ok=True)
    outcome = guard.guarded(run, **guard.limits(snakemake))
    if outcome.status != "ok":
        predictions.write(predictions.none(), snakemake.output.predictions)
    guard.write_outcome(
        outcome,
        snakemake.output.outcome,
        task=snakemake.wildcards.task,
        method=snakemake.wildcards.method,
        file=f"methods/{snakemake.params.method}.py",
        input=snakemake.params.input or "as it is",
        parameters=dict(snakemake.params.parameters),
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )

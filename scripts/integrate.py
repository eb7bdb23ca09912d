"""Correct a task's source and target towards each other.

Like a method, an integration that fails does not fail the job: the methods that read its result record why.
"""

from pathlib import Path

from jindbench import io, registry
from jindbench.execution import guard, job
from jindbench.execution.components import integrate

OUTPUTS = ("source", "target")


def run():
    """Integrate and write both sides; returns what the record adds."""
    integration = registry.component("integrations", snakemake.params.integration)
    sides = integrate(
        integration,
        io.read_h5ad(snakemake.input.source),
        io.read_target(snakemake.input.target),
        integration.Parameters.model_validate(snakemake.params.parameters),
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )
    for name, side in zip(OUTPUTS, sides):
        io.write_h5ad(side, snakemake.output[name])
    return {"inputs_sha256": {name: io.sha256(snakemake.input[name]) for name in OUTPUTS}}


with job.run(snakemake):
    job.limit_threads(snakemake.threads)
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
        parameters=dict(snakemake.params.parameters),
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )

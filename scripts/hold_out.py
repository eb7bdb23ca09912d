"""Run one method on one task with one seed, once without each of the source's types.

As in `run_method.py`, a failure is recorded, not raised; that without one type leaves the other types' predictions.
"""

from dataclasses import replace

from jindbench import io, registry
from jindbench.execution import guard, hold_out, job


def run():
    """Run the method and write its predictions; returns what the record adds."""
    stages = []
    for file, parameters in snakemake.params.stages:
        method = registry.component("methods", file)
        stages.append((method, method.Parameters.model_validate(parameters)))
    predicted, failures = hold_out.without_each_type(
        stages,
        io.read_h5ad(snakemake.input.source),
        io.read_target(snakemake.input.target),
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )
    io.write_table(predicted, snakemake.output.predictions)
    return {"failures": failures}


with job.run(snakemake):
    job.limit_threads(snakemake.threads)
    outcome = guard.guarded(run, **guard.limits(snakemake))
    if outcome.status != "ok":
        io.write_table(hold_out.none(), snakemake.output.predictions)
    elif failures := outcome.result["failures"]:
        reasons = "; ".join(f"without {name}: {reason}" for name, reason in failures.items())
        outcome = replace(outcome, status="failed", reason=reasons)
    guard.write_outcome(
        outcome,
        snakemake.output.outcome,
        task=snakemake.wildcards.task,
        method=f"{snakemake.wildcards.method}, types held out",
        file=f"methods/{snakemake.params.stages[-1][0]}.py",
        parameters=dict(snakemake.params.stages[-1][1]),
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )

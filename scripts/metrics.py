"""Score all runs against the true labels. Reads the predictions themselves, never scores of an earlier step."""

import pandas as pd

from jindbench import io, jobs, predictions, scoring

with jobs.logged(snakemake.log[0]):
    truths = {task: io.read_solution(path) for task, path in zip(snakemake.params.tasks, snakemake.input.solutions)}
    outcomes = pd.DataFrame([io.read_json(path) for path in snakemake.input.outcomes])
    outcomes["predictions"] = snakemake.input.predictions
    outcomes["failed"] = ("failed: " + outcomes["reason"]).where(outcomes["status"] != "ok", "")

    by_run, by_method = [], []
    for (task, method), runs in outcomes.groupby(["task", "method"], sort=False):
        predicted = [predictions.read(path) for path in runs["predictions"]]
        for seed, failed, run in zip(runs["seed"], runs["failed"], predicted):
            facts = {"task": task, "method": method, "seed": seed}
            by_run += [facts | row for row in scoring.rows(truths[task], [run], failed)]
        facts = {"task": task, "method": method, "seeds": len(runs)}
        # One failed seed leaves no average.
        reasons = [f"{reason} (seed {seed})" for reason, seed in zip(runs["failed"], runs["seed"]) if reason]
        by_method += [facts | row for row in scoring.rows(truths[task], predicted, *reasons[:1])]

    statistics = ["metric", "value", "low", "high", "n", "n_target", "status"]
    io.write_table(
        pd.DataFrame(by_run).reindex(columns=["task", "method", "seed", *statistics]), snakemake.output.by_run
    )
    statistics.insert(2, "sd")
    io.write_table(
        pd.DataFrame(by_method).reindex(columns=["task", "method", "seeds", *statistics]), snakemake.output.by_method
    )

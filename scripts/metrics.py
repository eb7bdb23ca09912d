"""Score all runs against the true labels. Reads the predictions themselves, never scores of an earlier step."""

import pandas as pd

from jindbench import io, predictions
from jindbench.execution import job
from jindbench.scoring import metrics

with job.run(snakemake):
    truths = {task: io.read_solution(path) for task, path in zip(snakemake.params.tasks, snakemake.input.solutions)}
    outcomes = pd.DataFrame([io.read_json(path) for path in snakemake.input.outcomes])
    outcomes["predictions"] = snakemake.input.predictions
    outcomes["reason"] = (outcomes["status"] + ": " + outcomes["reason"]).where(outcomes["status"] != "ok", "")
    runs_of = dict(list(outcomes.groupby(["task", "method"])))

    by_run, by_method = [], []
    for task, method, left_out in snakemake.params.cells:
        truth, facts = truths[task], {"task": task, "method": method}
        if left_out:
            by_method += [facts | row for row in metrics.rows(truth, [], left_out)]
            continue
        runs = runs_of[task, method]
        predicted = [predictions.read(path) for path in runs["predictions"]]
        for seed, reason, run in zip(runs["seed"], runs["reason"], predicted):
            by_run += [facts | {"seed": seed} | row for row in metrics.rows(truth, [run], reason)]
        # One failed seed leaves no average.
        reasons = [f"{reason} (seed {seed})" for reason, seed in zip(runs["reason"], runs["seed"]) if reason]
        facts["seeds"] = len(runs)
        by_method += [facts | row for row in metrics.rows(truth, predicted, *reasons[:1])]

    statistics = ["metric", "value", "low", "high", "n", "n_target", "status"]
    io.write_table(
        pd.DataFrame(by_run).reindex(columns=["task", "method", "seed", *statistics]), snakemake.output.by_run
    )
    statistics.insert(2, "sd")
    io.write_table(
        pd.DataFrame(by_method).reindex(columns=["task", "method", "seeds", *statistics]), snakemake.output.by_method
    )

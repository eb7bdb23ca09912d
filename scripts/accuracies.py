"""Scores of all runs against the true labels, Table 2 with its like, and Table 2 beside the paper's numbers.

In `comparisons`: paired tests of the best of each table and task against the others, of an aligned JIND against its own
unaligned model, and of the reference against simple methods.

Reads the predictions themselves, never scores of an earlier step.
"""

from pathlib import Path

import pandas as pd

from jindbench import io, predictions, render
from jindbench.execution import job
from jindbench.scoring import metrics, paired_tests
from jindbench.tables import published, table2, table2_extended, titles

with job.run(snakemake):
    tasks, methods = snakemake.params.tasks, snakemake.params.methods
    truths = {task: io.read_solution(path) for task, path in zip(tasks, snakemake.input.solutions)}
    outcomes = pd.DataFrame([io.read_json(path) for path in snakemake.input.outcomes])
    outcomes["predictions"] = snakemake.input.predictions
    outcomes["reason"] = (outcomes["status"] + ": " + outcomes["reason"]).where(outcomes["status"] != "ok", "")
    runs_of = dict(list(outcomes.groupby(["task", "method"])))

    by_run, by_method, compared, params = [], [], [], snakemake.params
    for task, truth in truths.items():
        runs_here = {method: runs for (run_on, method), runs in runs_of.items() if run_on == task}
        predicted = {method: [*map(predictions.read, runs["predictions"])] for method, runs in runs_here.items()}
        for method, left_out in [cell[1:] for cell in params.cells if cell[0] == task]:
            facts = {"task": task, "method": method}
            if left_out:
                by_method += [facts | row for row in metrics.rows(truth, [], left_out)]
                continue
            runs = runs_here[method]
            for seed, reason, run in zip(runs["seed"], runs["reason"], predicted[method]):
                by_run += [facts | {"seed": seed} | row for row in metrics.rows(truth, [run], reason)]
            # One failed seed leaves no average.
            reasons = [
                reason if reason.startswith(io.NOT_AVAILABLE) else f"{reason} (seed {seed})"
                for reason, seed in zip(runs["reason"], runs["seed"])
                if reason
            ]
            facts["seeds"] = len(runs)
            by_method += [facts | row for row in metrics.rows(truth, predicted[method], *reasons[:1])]

        complete = {
            method: dict(zip(runs["seed"], predicted[method]))
            for method, runs in runs_here.items()
            if not any(runs["reason"])
        }
        for name, table in params.tables.items():
            if task in table["tasks"]:
                tests = paired_tests.against_the_best(table["compared"], complete, truth)
                compared.append(tests.assign(task=task, question=name))
        pairs = {
            paired_tests.ALIGNMENT: params.unaligned.items(),
            paired_tests.SIMPLE: [(params.reference, method) for method in params.simple],
        }
        for question, of_question in pairs.items():
            there = [pair for pair in of_question if set(pair) <= set(complete)]
            compared.append(paired_tests.of_pairs(there, complete, truth).assign(task=task, question=question))

    interval = ["low", "high", "n", "n_target", "status"]
    by_run = pd.DataFrame(by_run).reindex(columns=["task", "method", "seed", "metric", "value", *interval])
    columns = ["task", "method", "seeds", "metric", "value", "sd", *interval]
    by_method = pd.DataFrame(by_method).reindex(columns=columns)
    io.write_table(by_run, snakemake.output.by_run)
    io.write_table(by_method, snakemake.output.by_method)

    compared = pd.concat(compared)[["question", "task", "first", "second", *paired_tests.COLUMNS]]
    io.write_table(compared, snakemake.output.comparisons)
    compared = compared.replace({"task": tasks, "first": methods, "second": methods})

    run, folder = snakemake.params.run, Path(snakemake.output.by_run).parent
    for name, table in snakemake.params.tables.items():
        shown_methods = {method: methods[method] for method in table["methods"]}
        scores = titles.titled(by_method, {task: tasks[task] for task in table["tasks"]}, shown_methods)
        title = f"{table['title']} ({run})"
        marked = table2.marks(scores, compared, name, [methods[method] for method in table["compared"]])
        shown = table2.shown(scores, marked, table["notes"])
        render.write(shown, table2.table2(scores), title, folder / f"{name}.tsv")
        io.write_text(table2.overview(scores, marked).text(table2.WIDTH), folder / f"{name}.txt")

    if extended := snakemake.output.get("extended_tsv"):
        printed = published.read(snakemake.input.published)
        selected = titles.selected(by_method, tasks, params.papers)
        beside = table2_extended.table2_extended(selected, printed, params.papers, params.stand_ins)
        beside = beside.replace({"task": tasks, "method": methods})
        table2_extended.shown(beside).write(beside, f"Table 2 beside the paper's ({run})", extended)

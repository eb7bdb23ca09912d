"""Every method against the reference (JIND+) on the same cells, as TSV, Markdown and HTML."""

import pandas as pd

from jindbench import io, predictions
from jindbench.execution import job
from jindbench.scoring import paired_tests
from jindbench.tables import paired_tests as tables

with job.run(snakemake):
    truths = {task: io.read_solution(path) for task, path in zip(snakemake.params.tasks, snakemake.input.solutions)}
    runs = {}
    for outcome, path in zip(map(io.read_json, snakemake.input.outcomes), snakemake.input.predictions):
        if outcome["status"] == "ok":
            runs.setdefault((outcome["task"], outcome["method"]), {})[outcome["seed"]] = predictions.read(path)
    parts = [
        paired_tests.against(runs[task, snakemake.params.reference], of_method, truths[task]).assign(
            task=task, method=method
        )
        for (task, method), of_method in runs.items()
        if method != snakemake.params.reference and (task, snakemake.params.reference) in runs
    ]
    table = paired_tests.correct(pd.concat(parts, ignore_index=True)) if parts else pd.DataFrame()
    table = table.reindex(columns=["task", "method", *paired_tests.COLUMNS])
    shown = table.replace({"task": snakemake.params.task_titles, "method": snakemake.params.method_titles})
    reference = snakemake.params.method_titles.get(snakemake.params.reference, snakemake.params.reference)
    title = f"{reference} against each method, on the same cells ({snakemake.wildcards.run})"
    tables.shown(shown, reference).write(table, title, snakemake.output)

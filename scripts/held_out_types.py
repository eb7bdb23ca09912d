"""Types held out of the source: scores, what their cells are taken for, and the page."""

from jindbench import io
from jindbench.execution import hold_out, job
from jindbench.scoring import held_out_types
from jindbench.tables import held_out_types as tables
from jindbench.tables import titles

with job.run(snakemake):
    params = snakemake.params
    truths = {task: io.read_solution(path) for task, path in zip(params.tasks, snakemake.input.solutions)}
    sources = {task: io.read_source_labels(path) for task, path in zip(params.tasks, snakemake.input.sources)}

    runs = [(*left_out, hold_out.none(), {}) for left_out in params.left_out]
    for names, outcome, path in zip(
        params.runs, map(io.read_json, snakemake.input.outcomes), snakemake.input.predictions
    ):
        reason = "" if "failures" in outcome else f"{outcome['status']}: {outcome['reason']}"
        runs.append((*names, reason, hold_out.read(path), outcome.get("failures", {})))
    parts = {"scores": [], "labels": []}
    for task, method, seed, reason, predicted, failures in runs:
        of_run = held_out_types.score_run(predicted, truths[task], sources[task], failures, reason)
        for name, table in zip(parts, of_run):
            parts[name].append(table.assign(task=task, method=method, seed=seed))
    scores = held_out_types.joined(parts["scores"], held_out_types.COLUMNS)
    labels = held_out_types.joined(parts["labels"], held_out_types.LABEL_COLUMNS)

    values = titles.selected(scores, params.tasks, params.methods)
    io.write_table(titles.selected(labels, params.tasks, params.methods), snakemake.output.labels)
    scores, labels = (titles.titled(table, params.tasks, params.methods) for table in (scores, labels))
    tables.shown(scores, labels).write(values, f"Types held out of the source ({params.run})", snakemake.output.tsv)

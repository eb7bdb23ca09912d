"""Types held out of the source: scores, what their cells are taken for, and the page."""

from jindbench import io
from jindbench.execution import hold_out, job
from jindbench.names import LABEL
from jindbench.scoring import held_out_types
from jindbench.tables import paper

with job.run(snakemake):
    params = snakemake.params
    truths = {task: io.read_solution(path) for task, path in zip(params.tasks, snakemake.input.solutions)}
    sources = {}
    for task, path in zip(params.tasks, snakemake.input.sources):
        source = io.read_h5ad(path, backed=True)
        sources[task] = source.obs[LABEL].astype(str)
        source.file.close()

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

    io.write_table(paper.selected(scores, params.tasks, params.methods), snakemake.output.tsv)
    io.write_table(paper.selected(labels, params.tasks, params.methods), snakemake.output.labels)
    scores, labels = (paper.titled(table, params.tasks, params.methods) for table in (scores, labels))
    page = held_out_types.means(scores, labels)
    io.write_text(held_out_types.markdown(page), snakemake.output.md)
    io.write_text(held_out_types.html(page, f"Types held out of the source ({params.run})"), snakemake.output.html)

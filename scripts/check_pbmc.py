"""Print the authors' own runs on the PBMC file beside ours.

A run of ours that failed is tried again by the next start.
"""

from pathlib import Path

from jindbench import io, predictions
from jindbench.execution import guard, job
from jindbench.scoring import metrics
from jindbench.tables import authors_runs

with job.run(snakemake):
    truth, scores, histories = io.read_solution(snakemake.input.solution), {}, {}
    files = zip(snakemake.params.stages, snakemake.input.outcomes, snakemake.input.predictions, snakemake.input.models)
    for stage, outcome, predicted, model in files:
        try:
            guard.require_ok(outcome)
        except RuntimeError:
            Path(outcome).unlink()
            raise
        cells = metrics.correct_and_kept(predictions.read(predicted), truth)
        scores[stage] = {metric: score["value"] for metric, score in metrics.score([cells]).items()}
        histories[stage] = io.read_table(Path(model, "history.tsv"))
    table = authors_runs.check(authors_runs.read(snakemake.input.theirs), scores, histories)
    page = authors_runs.shown(table).markdown()
    io.write_table(table, snakemake.output.tsv)
    io.write_text(page, snakemake.output.md)
    print(page)

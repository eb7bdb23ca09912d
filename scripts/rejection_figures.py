"""Figures of accuracy over coverage, reliability and confusions; of one run of each method."""

from pathlib import Path

from jindbench import io
from jindbench.execution import job
from jindbench.names import LABEL
from jindbench.plots import confidence, confusion

with job.run(snakemake):
    titles = {"task": snakemake.params.task_titles, "method": snakemake.params.method_titles}

    def first_runs(path):
        """Of each method the run with its first seed."""
        table = io.read_table(path, text=["task", "method", "type", LABEL, "status", "metric"])
        return table[table["seed"] == snakemake.params.seed]

    scores = first_runs(snakemake.input.scores)
    scores = scores[scores["status"] == "ok"].pivot(index=["task", "method"], columns="metric", values="value")
    scores = scores.reindex(columns=["rej", "eff"]).dropna().reset_index()
    points = scores.assign(coverage=1 - scores["rej"], accuracy=scores["eff"])
    io.write_figure(
        confidence.draw_coverage(first_runs(snakemake.input.coverage).replace(titles), points.replace(titles)),
        snakemake.output.coverage,
        snakemake.output.coverage_png,
    )
    io.write_figure(
        confidence.draw_reliability(first_runs(snakemake.input.reliability).replace(titles)),
        snakemake.output.reliability,
        snakemake.output.reliability_png,
    )
    folder = Path(snakemake.output.confusion)
    folder.mkdir(parents=True, exist_ok=True)
    confusions = first_runs(snakemake.input.confusion)
    for task, of_task in confusions[confusions["method"] == snakemake.params.method].groupby("task"):
        title = f"{titles['method'][snakemake.params.method]} on {titles['task'][task]}"
        io.write_figure(confusion.draw(of_task, title), folder / f"{task}.svg", folder / f"{task}.png")

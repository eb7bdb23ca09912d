"""Figure of the raw accuracies with their intervals."""

from jindbench import io, jobs
from jindbench.plots import raw_accuracy

with jobs.logged(snakemake.log[0]):
    scores = io.read_table(snakemake.input.scores, text=["task", "method", "status"])
    scores = scores.replace({"task": snakemake.params.task_titles, "method": snakemake.params.method_titles})
    io.write_figure(raw_accuracy.draw(scores), snakemake.output.svg, snakemake.output.png)

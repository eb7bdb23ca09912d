"""Figure of the raw accuracies with their intervals."""

from jindbench import io, jobs, tables
from jindbench.plots import raw_accuracy

with jobs.job(snakemake):
    scores = tables.titled(
        io.read_table(snakemake.input.scores, text=["task", "method", "status"]),
        snakemake.params.tasks,
        snakemake.params.methods,
    )
    io.write_figure(raw_accuracy.draw(scores), snakemake.output.svg, snakemake.output.png)

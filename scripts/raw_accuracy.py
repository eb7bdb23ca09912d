"""Figure of the raw accuracies with their intervals."""

from jindbench import io
from jindbench.execution import job
from jindbench.plots import raw_accuracy
from jindbench.tables import titles

with job.run(snakemake):
    scores = titles.titled(
        io.read_table(snakemake.input.scores, text=["task", "method", "status"]),
        snakemake.params.tasks,
        snakemake.params.methods,
    )
    io.write_figure(raw_accuracy.draw(scores), snakemake.output.svg, snakemake.output.png)

"""Table 2 of the paper, or a table of its form, as TSV, Markdown and HTML."""

from jindbench import io
from jindbench.execution import job
from jindbench.tables import table2, titles

with job.run(snakemake):
    scores = titles.titled(
        io.read_table(snakemake.input.scores, text=["task", "method", "status"]),
        snakemake.params.tasks,
        snakemake.params.methods,
    )
    title = f"{snakemake.params.title} ({snakemake.wildcards.run})"
    table2.shown(scores, snakemake.params.notes).write(table2.table2(scores), title, snakemake.output)

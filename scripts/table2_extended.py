"""Table 2 with the paper's number and a verdict beside ours, as TSV, Markdown and HTML."""

from jindbench import io
from jindbench.execution import job
from jindbench.tables import published, table2_extended, titles

with job.run(snakemake):
    scores = io.read_table(snakemake.input.scores, text=["task", "method", "status"])
    table = table2_extended.table2_extended(
        titles.selected(scores, snakemake.params.tasks, snakemake.params.methods),
        published.read(snakemake.input.published),
        snakemake.params.papers,
    ).replace({"task": snakemake.params.tasks, "method": snakemake.params.methods})
    title = f"Table 2 beside the paper's ({snakemake.wildcards.run})"
    table2_extended.shown(table).write(table, title, snakemake.output)

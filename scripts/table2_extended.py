"""Table 2 with the paper's value and the difference beside ours, as TSV, Markdown and HTML."""

from jindbench import io
from jindbench.execution import job
from jindbench.tables import paper

with job.run(snakemake):
    scores = io.read_table(snakemake.input.scores, text=["task", "method", "status"])
    table = paper.table2_extended(
        paper.selected(scores, snakemake.params.tasks, snakemake.params.methods),
        paper.read_published(snakemake.input.published),
        snakemake.params.papers,
    ).replace({"task": snakemake.params.tasks, "method": snakemake.params.methods})
    title = f"Table 2 beside the paper's ({snakemake.wildcards.run})"
    io.write_table(table, snakemake.output.tsv)
    io.write_text(paper.table2_extended_markdown(table), snakemake.output.md)
    io.write_text(paper.table2_extended_html(table, title), snakemake.output.html)

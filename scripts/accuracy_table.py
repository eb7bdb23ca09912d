"""Table 2 of the paper, or one of its form, as TSV, Markdown and HTML."""

from jindbench import io
from jindbench.execution import job
from jindbench.tables import paper

with job.run(snakemake):
    scores = paper.titled(
        io.read_table(snakemake.input.scores, text=["task", "method", "status"]),
        snakemake.params.tasks,
        snakemake.params.methods,
    )
    table, marks = paper.table2(scores), (paper.best_raw(scores), paper.high_rejection(scores))
    notes, title = snakemake.params.notes, f"{snakemake.params.title} ({snakemake.wildcards.run})"
    io.write_table(table, snakemake.output.tsv)
    io.write_text(paper.markdown(table, *marks, notes), snakemake.output.md)
    io.write_text(paper.html_page(table, *marks, notes, title), snakemake.output.html)

"""Table 2 of the paper, or one of its form, as TSV, Markdown and HTML."""

from jindbench import io, jobs, tables

with jobs.job(snakemake):
    scores = tables.titled(
        io.read_table(snakemake.input.scores, text=["task", "method", "status"]),
        snakemake.params.tasks,
        snakemake.params.methods,
    )
    table, marks = tables.table2(scores), (tables.best_raw(scores), tables.high_rejection(scores))
    notes, title = snakemake.params.notes, f"{snakemake.params.title} ({snakemake.wildcards.run})"
    io.write_table(table, snakemake.output.tsv)
    io.write_text(tables.markdown(table, *marks, notes), snakemake.output.md)
    io.write_text(tables.html_page(table, *marks, notes, title), snakemake.output.html)

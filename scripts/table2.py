"""Table 2 of the paper, as TSV, Markdown and HTML."""

from jindbench import io, jobs, tables

with jobs.logged(snakemake.log[0]):
    scores = io.read_table(snakemake.input.scores, text=["task", "method", "status"])
    scores = scores.replace({"task": snakemake.params.task_titles, "method": snakemake.params.method_titles})
    table, marks = tables.table2(scores), (tables.best_raw(scores), tables.high_rejection(scores))
    notes, title = snakemake.params.notes, f"Table 2 ({snakemake.wildcards.run})"
    io.write_table(table, snakemake.output.tsv)
    io.write_text(tables.markdown(table, *marks, notes), snakemake.output.md)
    io.write_text(tables.html_page(table, *marks, notes, title), snakemake.output.html)

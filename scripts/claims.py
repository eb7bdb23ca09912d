"""The paper's statements with verdicts, as TSV, Markdown and HTML."""

from jindbench import io
from jindbench.execution import job
from jindbench.tables import claims, paper

with job.run(snakemake):
    statements = claims.read(snakemake.input.statements, paper.read_published(snakemake.input.published))
    ours = {name: io.read_table(snakemake.input[name], text=claims.TEXT) for name in claims.TABLES}
    table = claims.check(statements, ours)
    io.write_table(table, snakemake.output.tsv)
    io.write_text(claims.markdown(table), snakemake.output.md)
    io.write_text(claims.html(table, f"The paper's claims ({snakemake.params.run})"), snakemake.output.html)

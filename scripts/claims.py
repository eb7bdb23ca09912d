"""The paper's sentences with verdicts, as TSV, Markdown and HTML."""

from jindbench import io
from jindbench.execution import job
from jindbench.tables import claims, evidence

with job.run(snakemake):
    ours = {name: io.read_table(snakemake.input[name], text=evidence.TEXT) for name in evidence.TABLES}
    table = claims.check(claims.read(snakemake.input.sentences), ours)
    claims.shown(table).write(table, f"The paper's claims ({snakemake.params.run})", snakemake.output.tsv)

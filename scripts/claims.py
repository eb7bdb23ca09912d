"""The paper's sentences with verdicts, as TSV, Markdown and HTML."""

from jindbench import io
from jindbench.execution import job
from jindbench.tables import claims, evidence

with job.run(snakemake):
    of_another = () if snakemake.params.shown == evidence.PAIRED_WITH else evidence.OF_SHOWN_METHOD
    names = [name for name in evidence.TABLES if name not in of_another]
    ours = {name: io.read_table(snakemake.input[name], text=evidence.TEXT) for name in names}
    table = claims.check(claims.read(snakemake.input.sentences), ours)
    claims.shown(table).write(table, f"The paper's claims ({snakemake.params.run})", snakemake.output.tsv)

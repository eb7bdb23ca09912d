"""Label a user's own cells from a reference."""

from jindbench.annotate.settings import Settings
from jindbench.execution import job

with job.run(snakemake, shown="INFO"):  # a person waits for it
    job.limit_threads(snakemake.threads)
    from jindbench.annotate.command import annotate  # after the number of threads is set: it imports what reads that

    annotate(Settings.model_validate(snakemake.params.settings), threads=snakemake.threads)

"""Label a user's own cells from a reference."""

from jindbench import jobs
from jindbench.annotate.settings import Settings

with jobs.job(snakemake, shown="INFO"):  # a person waits for it
    jobs.limit_threads(snakemake.threads)
    from jindbench.annotate.run import annotate  # after the number of threads is set: it imports what reads that

    annotate(Settings.model_validate(snakemake.params.settings), threads=snakemake.threads)

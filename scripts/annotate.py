"""Label a user's own cells from a reference."""

from jindbench.annotate import process
from jindbench.annotate.settings import Settings
from jindbench.execution import job

with job.run(snakemake, shown="INFO") as record:  # a person waits for it
    job.limit_threads(snakemake.threads)
    settings = Settings.model_validate(snakemake.params.settings)
    record["versions"] = process.annotate(settings, threads=snakemake.threads)

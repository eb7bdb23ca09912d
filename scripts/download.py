"""Download a dataset's file, or find it where downloads are kept; verify it; leave a link to it and a record."""

from jindbench import io
from jindbench.data.downloads import LOCK, fetch, read_lock
from jindbench.data.parameters import Source
from jindbench.execution import job

with job.run(snakemake):
    sources = [Source(**source) for source in snakemake.params.sources]
    fetched = fetch(sources, snakemake.params.folder, locked=read_lock(LOCK))
    io.write_json(fetched.record, snakemake.output.record)
    with io.replacing(snakemake.output.file) as temporary:
        temporary.symlink_to(fetched.path.resolve())

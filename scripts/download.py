"""Download a dataset's file, or find it where downloads are kept; verify it; leave a link to it and a record."""

from jindbench import io
from jindbench.data.downloads import LOCK, fetch, read_lock
from jindbench.data.parameters import Origin
from jindbench.execution import job

with job.run(snakemake):
    origins = [Origin(**origin) for origin in snakemake.params.origins]
    fetched = fetch(origins, snakemake.params.folder, locked=read_lock(LOCK))
    io.write_json(fetched.record, snakemake.output.record)
    with io.replacing(snakemake.output.file) as temporary:
        temporary.symlink_to(fetched.path.resolve())

"""Find a dataset's file in the folder of downloads, or download it; verify it; leave a link to it and a record."""

from jindbench import io
from jindbench.data.downloads import fetch
from jindbench.data.parameters import Origin
from jindbench.execution import job

with job.run(snakemake):
    origins = [Origin(**origin) for origin in snakemake.params.origins]
    path, record = fetch(origins, snakemake.params.folder)
    io.write_json(record, snakemake.output.record)
    with io.replacing(snakemake.output.file) as temporary:
        temporary.symlink_to(path.resolve())

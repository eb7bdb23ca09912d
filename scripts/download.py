"""Find a dataset's file in the folder of downloads, or download it; verify it; leave a link to it and a record.

A file that cannot be had does not fail the job: its datasets' cells in the tables say so, and all else comes out.
"""

from jindbench import io
from jindbench.data.downloads import fetch
from jindbench.data.parameters import Origin
from jindbench.errors import InputError
from jindbench.execution import job

with job.run(snakemake):
    origins = [Origin(**origin) for origin in snakemake.params.origins]
    try:
        path, record = fetch(origins, snakemake.params.folder)
    except InputError as error:
        job.log.error("%s is not available: %s\n%s", snakemake.wildcards.dataset, error, job.GOES_ON)
        io.write_not_available(str(error).splitlines()[0].rstrip(":"), snakemake.output.file)
        record = {}
    else:
        with io.replacing(snakemake.output.file) as temporary:
            temporary.symlink_to(path.resolve())
    io.write_json(record, snakemake.output.record)

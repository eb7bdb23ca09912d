"""The last step: succeeds only if every run did.

The record of a failed run is removed here, after all tables have been written with its reason, so that the next
Snakemake run tries it again.
"""

import sys
from pathlib import Path

from jindbench import io, jobs

with jobs.logged(snakemake.log[0]):
    failures = 0
    for path in snakemake.input.outcomes:
        outcome = io.read_json(path)
        if outcome["status"] != "ok":
            failures += 1
            jobs.log.error("%(method)s on %(task)s, seed %(seed)s, failed: %(reason)s", outcome)
            Path(path).unlink()
    if failures:
        jobs.log.error("%d of %d runs failed; the next run tries them again", failures, len(snakemake.input.outcomes))
        sys.exit(1)
    io.write_text(f"{len(snakemake.input.outcomes)} runs completed\n", snakemake.output[0])

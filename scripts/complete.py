"""The last step: succeeds only if every run did, and every dataset is there.

It removes the record of each failed run or figure, once the summary shows the reason, so that the next Snakemake run
tries it again; the start of that run does so with datasets. What was not run, without R for example, is logged; it
counts as failed only with `run: strict`.
"""

import sys
from pathlib import Path

from jindbench import io
from jindbench.errors import DataNotAvailable
from jindbench.execution import job

with job.run(snakemake):
    timed = snakemake.input.get("timed", [])
    missing = [Path(path).stem for path in snakemake.input.datasets if io.not_available(path)]
    outcomes = {path: io.read_json(path) for path in [*snakemake.input.get("outcomes", []), *timed]}
    wanting = {path: outcome for path, outcome in outcomes.items() if outcome["status"] != "ok"}
    failures = 0
    for path, outcome in wanting.items():
        if outcome["status"] == DataNotAvailable.status:
            continue  # see `missing`
        failed = outcome["status"] == "failed" or snakemake.params.strict
        failures += failed
        job.log.log(
            job.logging.ERROR if failed else job.logging.WARNING,
            "%(method)s on %(task)s, seed %(seed)s%(timed)s, %(status)s: %(reason)s",
            outcome | {"timed": ", timed alone" if path in timed else ""},
        )
        if failed:
            Path(path).unlink()
    drawings = {path: io.read_json(path) for path in snakemake.input.get("results", []) if path.endswith(".json")}
    crashed = {path: drawing["failed"] for path, drawing in drawings.items() if drawing["failed"]}
    for path, reason in crashed.items():
        job.log.error("%s is not drawn: %s", Path(path).with_suffix(".svg"), reason)
        Path(path).unlink()
    if failures:
        job.log.error("%d of %d runs failed; the next run tries them again", failures, len(outcomes))
    if missing:
        job.log.error(
            "Not available, as the tables say: %s; results/data/logs say why and what to do; the next run tries again",
            ", ".join(missing),
        )
    if failures or missing or crashed:
        sys.exit(1)
    done = f"{len(outcomes) - len(wanting)} runs completed"
    io.write_text(f"{done}, {len(wanting)} not run\n" if wanting else f"{done}\n", snakemake.output[0])

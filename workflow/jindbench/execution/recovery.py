"""Cleaning up at the start of a run: what an earlier Snakemake left behind when it was killed or the power failed."""

import fcntl
import logging
from collections.abc import Sequence
from pathlib import Path

from jindbench import io
from jindbench.execution import records

log = logging.getLogger(__name__)

SNAKEMAKES_FOLDER = Path(".snakemake")
ALIVE = SNAKEMAKES_FOLDER / "jindbench.alive"
_held = []  # the open files whose locks say that this process is alive, until it ends


def start(
    results: Sequence[Path], ends: Sequence[Path] = (), *, look_only: bool = False, keep_damaged: bool = False
) -> None:
    """Remove leftovers of the last run, except where another Snakemake is at work.

    Leftovers are stale locks, files that were being written, outputs that differ from what their job wrote, and what
    stands for datasets that could not be had: these two are made again. Every Snakemake holds a shared lock for this
    project and one for each folder that it works on, for as long as it lives; the system releases them when the process
    ends, however it ends. Whoever can take such a lock exclusively is alone.

    Parameters
    ----------
    results
        Folders whose records are compared with their files.
    ends
        What the last jobs write; removed with a damaged output. Snakemake regenerates a missing file only if a job that
        has to run needs it.
    look_only
        Change nothing, and only name the outputs that a run would remove.
    keep_damaged
        Keep outputs that differ from what their job wrote: a person may have worked on them.
    """
    if look_only:
        for folder in [] if keep_damaged else results:
            for path in records.damaged(folder):
                log.warning("%s differs from what its job wrote (truncated or edited); a run will regenerate it.", path)
        return
    SNAKEMAKES_FOLDER.mkdir(exist_ok=True)
    try:
        alone = _is_alone(ALIVE)
        mine = [folder for folder in results if _is_alone(ALIVE.with_name(f"{ALIVE.name}.{folder.name}"))]
    except OSError as error:  # some network file systems have no locks
        _held.clear()
        log.warning("%s cannot be locked (%s): leftovers of an earlier run are not cleaned up.", ALIVE, error.strerror)
        return
    locks = list((SNAKEMAKES_FOLDER / "locks").glob("*")) if alone else []
    for lock in locks:
        lock.unlink()
    if locks:
        log.warning("The Snakemake before this one was killed; its stale locks are removed.")
    for folder in mine:
        for part in folder.rglob(io.PART_PATTERN):
            part.unlink()
        for file in (*folder.glob("*.h5ad"), *folder.glob("downloads/*/file")):  # of datasets
            if file.is_file() and io.not_available(file):
                file.unlink()
        for record in records.truncated(folder):
            record.unlink()
        for path in [] if keep_damaged else list(records.damaged(folder)):
            log.warning("%s differs from what its job wrote (truncated or edited); it will be regenerated.", path)
            records.remove(path)
            for end in ends:
                end.unlink(missing_ok=True)
    for file in _held:  # in the same order everywhere, so that no two wait for each other
        fcntl.flock(file, fcntl.LOCK_SH)


def _is_alone(name: Path) -> bool:
    """Take a lock exclusively, if no other Snakemake has it."""
    file = name.open("a")
    _held.append(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

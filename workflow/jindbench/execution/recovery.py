"""What a Snakemake that starts does about the one before it, where that was killed or the machine lost power."""

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
    """Set right what the last run may have left behind, but for what another Snakemake is at work on.

    Snakemake's locks are taken away if the one that set them was killed, so are files that were being written; outputs
    that are not what their job wrote are removed, so that they are made again. Every Snakemake holds a shared lock for
    this project and one for each folder that it works on, for as long as it lives; the system takes them away with the
    process, however that ends. Who gets one exclusively is alone.

    Parameters
    ----------
    results
        Folders whose records are compared with their files.
    ends
        What the last jobs write. Snakemake makes what is missing only for a job that has to run; without these, the
        last ones have to.
    look_only
        Change nothing, and only say which outputs a run would remove.
    keep_damaged
        Leave outputs that are not what their job wrote: a person may have worked on them.
    """
    if look_only:
        for folder in [] if keep_damaged else results:
            for path in records.damaged(folder):
                log.warning("%s is not what its job wrote (cut off, or edited); a run makes it again.", path)
        return
    SNAKEMAKES_FOLDER.mkdir(exist_ok=True)
    try:
        alone = _is_alone(ALIVE)
        mine = [folder for folder in results if _is_alone(ALIVE.with_name(f"{ALIVE.name}.{folder.name}"))]
    except OSError as error:  # some network file systems have no locks
        _held.clear()
        log.warning("%s cannot be locked (%s): what an earlier run left behind stays as it is.", ALIVE, error.strerror)
        return
    locks = list((SNAKEMAKES_FOLDER / "locks").glob("*")) if alone else []
    for lock in locks:
        lock.unlink()
    if locks:
        log.warning("The Snakemake before this one was killed; its locks are taken away.")
    for folder in mine:
        for part in folder.rglob(io.PART_PATTERN):
            part.unlink()
        for record in records.truncated(folder):
            record.unlink()
        for path in [] if keep_damaged else list(records.damaged(folder)):
            log.warning("%s is not what its job wrote (cut off, or edited); it is removed and made again.", path)
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

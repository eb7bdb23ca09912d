"""What a Snakemake that starts does about the one before it, where that was killed or the machine lost power."""

import fcntl
import logging
from collections.abc import Sequence
from pathlib import Path

from jindbench import io, records

log = logging.getLogger(__name__)

SNAKEMAKES_FOLDER = Path(".snakemake")
ALIVE = SNAKEMAKES_FOLDER / "jindbench.alive"
_held = []  # the open file whose lock says that this process is alive, until it ends


def start(results: Sequence[Path], ends: Sequence[Path], *, dry_run: bool = False) -> None:
    """Set right what the last run may have left behind, unless another Snakemake is at work in this folder.

    Locks of a Snakemake that was killed are taken away, so are files that were being written; outputs that are not
    what their job wrote are removed, so that they are made again. Every Snakemake of this folder holds a shared lock
    for as long as it lives; the system takes it away with the process, however that ends. Who gets it exclusively is
    alone.

    Parameters
    ----------
    results
        Folders whose records are compared with their files.
    ends
        What the last jobs write. Snakemake makes what is missing only for a job that has to run; without these, the
        last ones have to.
    dry_run
        Only say which outputs a run would remove.
    """
    if dry_run:
        for folder in results:
            for path in records.damaged(folder):
                log.warning("%s is not what its job wrote (cut off, or edited); a run makes it again.", path)
        return
    SNAKEMAKES_FOLDER.mkdir(exist_ok=True)
    file = ALIVE.open("a")
    _held.append(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(file, fcntl.LOCK_SH)
        return
    locks = list((SNAKEMAKES_FOLDER / "locks").glob("*"))
    for lock in locks:
        lock.unlink()
    if locks:
        log.warning("The Snakemake before this one was killed; its locks are taken away.")
    for folder in results:
        for part in folder.rglob(io.PART_PATTERN):
            part.unlink()
        for record in records.truncated(folder):
            record.unlink()
        for path in list(records.damaged(folder)):
            log.warning("%s is not what its job wrote (cut off, or edited); it is removed and made again.", path)
            records.remove(path)
            for end in ends:
                end.unlink(missing_ok=True)
    fcntl.flock(file, fcntl.LOCK_SH)

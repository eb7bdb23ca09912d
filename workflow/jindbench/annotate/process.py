"""Whatever opens a user's file runs in a process of its own: on some damaged files, HDF5 itself crashes."""

import fcntl
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jindbench.annotate.settings import Settings
from jindbench.errors import CutShort, InputError
from jindbench.execution import guard, records


@contextmanager
def alone(output: str) -> Iterator[None]:
    """Make the folder of results and keep other runs out of it; Snakemake does so itself.

    Raises
    ------
    InputError
        If another run has it.
    """
    Path(output).mkdir(parents=True, exist_ok=True)
    folder = os.open(output, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"output: another run is writing to {output}; wait, or name another folder") from None
        except OSError:  # some network file systems have no locks
            pass
        yield
    finally:
        os.close(folder)


def preview(settings: Settings) -> None:
    """Run `command.preview`.

    Raises
    ------
    InputError
        As that does; or naming the file that crashes HDF5.
    """

    def run() -> dict:
        warnings.simplefilter("ignore")  # the job that reads the same files logs what libraries warn of
        from jindbench.annotate import command  # only there: it is slow to import, and starts threads

        command.preview(settings)
        return {}

    _guarded(run, settings)


def annotate(settings: Settings, *, threads: int, check: bool = False) -> dict[str, str]:
    """Run `command.annotate`.

    Returns
    -------
    Versions of the packages that it used.

    Raises
    ------
    InputError
        As that does; or naming the file that crashes HDF5.
    """
    if not check:  # what an earlier Snakemake recorded will not hold any more; one that runs this records it anew
        Path(settings.output, records.RECORDS, "annotate.json").unlink(missing_ok=True)

    def run() -> dict:
        from jindbench.annotate import command

        command.annotate(settings, threads=threads, check=check)
        return {}

    return _guarded(run, settings).record["versions"]


def _guarded(run: Callable[[], dict], settings: Settings) -> guard.Guarded:
    try:
        outcome = guard.guarded(run)
    except CutShort as error:  # the disk is full
        raise InputError(str(error)) from error
    if outcome.crashed:
        _name_the_damaged([*([] if settings.stored else [settings.reference]), *settings.query])
    if outcome.status != "ok":
        raise InputError(outcome.reason)
    return outcome


def _name_the_damaged(paths: list[str]) -> None:
    """Read each file alone; raise for the first that kills the process which reads it."""
    for path in paths:
        outcome = guard.guarded(lambda path=path: _read(path))
        if outcome.crashed:
            raise InputError(f"{path}: damaged: HDF5 crashes when it reads this file ({outcome.reason})")


def _read(path: str) -> dict:
    from jindbench.annotate.formats import open_cells

    cells = open_cells(path)
    for place in cells.genes:
        for _ in cells.blocks(place):
            pass
    return {}

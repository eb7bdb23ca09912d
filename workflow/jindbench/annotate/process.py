"""Whatever opens a user's file runs in a process of its own: on some damaged files, HDF5 itself crashes."""

from collections.abc import Callable

from jindbench.annotate.settings import Settings
from jindbench.errors import InputError
from jindbench.execution import guard

KILLED = "killed by "  # how `guard` says that a process died of a signal


def preview(settings: Settings) -> None:
    """As `command.preview`."""

    def run() -> None:
        from jindbench.annotate import command  # only there: it is slow to import, and starts threads

        command.preview(settings)

    _guarded(run, settings)


def annotate(settings: Settings, *, threads: int) -> dict[str, str]:
    """As `command.annotate`.

    Returns
    -------
    Versions of the packages that it used.
    """

    def run() -> None:
        from jindbench.annotate import command

        command.annotate(settings, threads=threads)

    return _guarded(run, settings)


def _guarded(run: Callable[[], None], settings: Settings) -> dict[str, str]:
    """Run it; where the process is killed, find out which input kills a process that reads it."""
    outcome = guard.guarded(lambda: run() or {})
    if outcome.status == "ok":
        return outcome.record["versions"]
    if outcome.reason.startswith(KILLED) and "SIGKILL" not in outcome.reason:
        for path in [*([] if settings.stored else [settings.reference]), *settings.query]:
            alone = guard.guarded(lambda path=path: _read(path) or {})
            if alone.reason.startswith(KILLED):
                raise InputError(f"{path}: damaged: HDF5 crashes when it reads this file ({alone.reason})")
    raise InputError(outcome.reason)


def _read(path: str) -> None:
    from jindbench.annotate.formats import open_cells

    cells = open_cells(path)
    for place in cells.genes:
        for _ in cells.blocks(place):
            pass

"""What every job of the workflow starts with: a log, errors that can be read, and a record of how it ran."""

import ctypes
import logging
import multiprocessing
import os
import platform
import resource
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from multiprocessing.connection import Connection
from pathlib import Path

from threadpoolctl import threadpool_limits

from jindbench.errors import InputError

log = logging.getLogger("jindbench")


@contextmanager
def logged(path: str) -> Iterator[None]:
    """Log to a file and to stderr. An `InputError` ends the job with its one line, anything else with a traceback."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    handlers = [logging.FileHandler(path, mode="w", encoding="utf-8"), logging.StreamHandler()]
    handlers[1].setLevel(logging.WARNING)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", handlers=handlers, force=True
    )
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").setLevel(logging.ERROR)
    try:
        yield
    except InputError as error:
        log.error("%s", error)
        sys.exit(1)
    except Exception:
        log.error("%s", traceback.format_exc())
        sys.exit(1)


def limit_threads(n: int) -> None:
    """Let libraries imported from now on, and those that are there already, use `n` threads and no more."""
    for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMBA"):
        os.environ[f"{library}_NUM_THREADS"] = str(n)
    threadpool_limits(n)


@dataclass
class Guarded:
    """How a function ran in a process of its own: its result, or why there is none, and what it cost."""

    result: dict | None
    reason: str
    record: dict


def guarded(function: Callable[[], dict]) -> Guarded:
    """Run a function in a child process, so that nothing it does can take this one down.

    What it raises, a signal that kills it (the system's out-of-memory killer sends one) and an exit are the reason why
    there is no result. The child is a fork: it must be the first to use threads, so call this before heavy work.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=_in_child, args=(function, sender))
    child.start()
    sender.close()
    try:
        result, reason, facts = receiver.recv()
    except EOFError:  # it ended without a word
        child.join()
        code = child.exitcode
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exited with status {code}"
        result, reason, facts = None, how, {}
    child.join()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    kilobyte = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes on macOS
    record = {
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - clock, 3),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "peak_memory_mb": round(usage.ru_maxrss * kilobyte / 1e6, 1),
        "machine": f"{platform.platform()}, {os.cpu_count()} processors",
        "python": platform.python_version(),
        "code": code_version(),
        "versions": {},
        "warnings": [],
    }
    return Guarded(result, reason, record | facts)


def _in_child(function: Callable[[], dict], sender: Connection) -> None:
    if sys.platform == "linux":  # never outlive the job: PR_SET_PDEATHSIG
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    warnings = _Warnings()
    logging.getLogger("jindbench").addHandler(warnings)
    result, reason = None, ""
    try:
        result = function()
    except Exception as error:
        log.error("%s", traceback.format_exc())
        reason = " ".join(f"{type(error).__name__}: {error}".split())
    sender.send((result, reason, {"versions": imported_versions(), "warnings": warnings.messages}))
    sender.close()


class _Warnings(logging.Handler):
    """Collects what the library warns of."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno == logging.WARNING:
            self.messages.append(record.getMessage())


def imported_versions() -> dict[str, str]:
    """Version of every installed package that this process has imported."""
    owners = metadata.packages_distributions()
    packages = {owner for module in {name.split(".")[0] for name in sys.modules} for owner in owners.get(module, [])}
    return {package: metadata.version(package) for package in sorted(packages, key=str.lower)}


def code_version() -> str:
    """The checkout's commit, with "+changes" where tracked files differ from it; "unknown" outside a checkout."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", here, *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"

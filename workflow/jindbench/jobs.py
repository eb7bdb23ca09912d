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
from typing import Any

import psutil
from joblib import parallel_config
from threadpoolctl import threadpool_limits

from jindbench import io
from jindbench.errors import InputError, NotAvailable

log = logging.getLogger("jindbench")

MEMORY_SECONDS = 1  # between two looks at the memory of a guarded run


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
    """How a function ran in a process of its own: its result, or why there is none, and what it cost.

    `status` is "ok", "failed", or "not run" where this machine lacks what the function needs.
    """

    result: dict
    status: str
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
    peak = 0
    while not receiver.poll(MEMORY_SECONDS):
        peak = max(peak, _memory_of_tree(child.pid))
    try:
        result, status, reason, facts = receiver.recv()
    except EOFError:  # it ended without a word
        child.join()
        code = child.exitcode
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exited with status {code}"
        result, status, reason, facts = {}, "failed", how, {}
    child.join()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    kilobyte = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes on macOS
    record = {
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - clock, 3),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        # The kernel knows the largest process exactly; several together are only sampled.
        "peak_memory_mb": round(max(usage.ru_maxrss * kilobyte, peak) / 1e6, 1),
        "machine": f"{platform.platform()}, {os.cpu_count()} processors",
        "python": platform.python_version(),
        "code": code_version(),
        "versions": {},
        "warnings": [],
    }
    return Guarded(result, status, reason, record | facts)


def _memory_of_tree(pid: int) -> int:
    """Bytes that a process and its descendants hold, memory that they share counted once."""
    total = 0
    try:
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            memory = process.memory_full_info()
            total += getattr(memory, "pss", memory.uss)
    except psutil.Error:  # one of them has just ended
        pass
    return total


def _in_child(function: Callable[[], dict], sender: Connection) -> None:
    if sys.platform == "linux":  # never outlive the job: PR_SET_PDEATHSIG
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    warnings = _Warnings()
    logging.getLogger("jindbench").addHandler(warnings)
    result, status, reason = {}, "ok", ""
    try:
        # Not joblib's processes, its default: a forked process waits for them without end when it exits.
        with parallel_config(backend="threading"):
            result = function()
    except NotAvailable as error:
        status, reason = "not run", str(error)
    except InputError as error:  # the cells do not do for this method: no fault of the code, so no traceback
        status, reason = "failed", str(error)
    except Exception as error:
        log.error("%s", traceback.format_exc())
        status, reason = "failed", " ".join(f"{type(error).__name__}: {error}".split())
    sender.send((result, status, reason, {"versions": imported_versions(), "warnings": warnings.messages}))
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
    """Version of every installed package that this process has imported, and of R's where it has started R."""
    owners = metadata.packages_distributions()
    packages = {owner for module in {name.split(".")[0] for name in sys.modules} for owner in owners.get(module, [])}
    versions = {package: metadata.version(package) for package in sorted(packages, key=str.lower)}
    bridge = sys.modules.get("jindbench.r.bridge")
    return versions | bridge.versions() if bridge else versions


def require_ok(outcome_path: str | Path) -> None:
    """Raise where an earlier job, whose result this one starts from, has none: "not run" if that was, else an error."""
    outcome = io.read_json(outcome_path)
    if outcome["status"] == "not run":
        raise NotAvailable(outcome["reason"])
    if outcome["status"] != "ok":
        raise RuntimeError(f"{outcome['method']} failed ({outcome['reason']})")


def write_outcome(outcome: Guarded, path: str | Path, **facts: Any) -> None:
    """Write the record of a guarded run, and say in the log where it has no result."""
    if outcome.status != "ok":
        log.error("%s: %s", outcome.status, outcome.reason)
    status = {"status": outcome.status, "reason": outcome.reason}
    io.write_json(status | facts | outcome.record | outcome.result, path)


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

"""Running a function so that nothing it does can take the job down, and what is known of it afterwards."""

import ctypes
import errno
import logging
import math
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psutil
from joblib import parallel_config

from jindbench import io
from jindbench.errors import CutShort, DataNotAvailable, InputError, NotAvailable
from jindbench.execution.job import imported_versions, now, surroundings

log = logging.getLogger("jindbench")


# Between two looks at a guarded run, which must see memory grow; and the most of its time that they may take. They run
# on its processors, and look long where there are thousands of processes.
LOOK_SECONDS, LOOK_SHARE = 0.2, 0.05


END_SECONDS = 5  # for a guarded run to end in once it has given its result; a thread that it left may never do


@dataclass
class Guarded:
    """How a function ran in a process of its own: its result, or why there is none, and what it cost.

    `status` is "ok", "failed", "not run" where this machine lacks what the function needs, or "not available" where its
    cells could not be had.
    """

    result: dict
    status: str
    reason: str
    record: dict

    @property
    def crashed(self) -> bool:
        """Whether a fault of compiled code killed it, such as those of HDF5 on some damaged files."""
        return self.reason in {f"killed by {name}" for name in ("SIGSEGV", "SIGBUS", "SIGABRT", "SIGFPE", "SIGILL")}


# Set where a cluster runs the jobs, each within what was asked for it. A scheduler's own variables do not say so: a
# whole run may be one of its jobs.
ON_CLUSTER = "JINDBENCH_ON_CLUSTER"


def limits(snakemake: Any, n: int = 1) -> dict[str, Any]:
    """What each of a job's `n` runs may take, and whether it is tried again, for `guarded`."""
    return {
        "minutes": snakemake.resources.runtime / n,
        # What is asked for is estimated. A machine by itself may well have more, and ends nothing that takes it.
        "memory_mb": snakemake.resources.mem_mb if ON_CLUSTER in os.environ else None,
        "last_attempt": snakemake.resources.attempt >= snakemake.params.attempts,
    }


def guarded(
    function: Callable[[], dict],
    *,
    minutes: float | None = None,
    memory_mb: float | None = None,
    last_attempt: bool = True,
) -> Guarded:
    """Run a function in a child process, so that nothing it does can take this one down.

    What it raises, a signal that kills it (the system's out-of-memory killer sends one), an exit, too long a time and
    too much memory are the reason why there is no result. What it leaves running ends with it. The child is a fork: it
    must be the first to use threads, so call this before heavy work.

    Parameters
    ----------
    minutes, memory_mb
        It is ended shortly before it has taken these, so that a cluster does not end the job with no word, or count it
        as failed.
    last_attempt
        Whether this is the last attempt at it.

    Raises
    ------
    CutShort
        If it was killed, or took too much, and this is not the last attempt; if the disk is full, which is no fault of
        the method.
    """
    started, clock, cpu = now(), time.perf_counter(), _cpu_seconds_of_children()
    seconds = math.inf if minutes is None else max(60 * minutes - 60, 30 * minutes)
    # The rest is for this process and the two Snakemakes above it in SLURM's jobs, some 500 MB in all, and for what the
    # function takes until the next look.
    megabytes = math.inf if memory_mb is None else max(memory_mb - 750, memory_mb / 2)
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=_in_child, args=(function, sender))
    peak, pause, cut, message = 0, LOOK_SECONDS, "", None
    with _interrupts() as interrupts:
        child.start()
        sender.close()
        try:
            # A process that the child has started keeps the pipe open even if the child is no more.
            while not interrupts and not receiver.poll(pause) and child.is_alive():
                look = time.perf_counter()
                memory = _memory_of_tree(child.pid)
                peak = max(peak, memory)
                if look - clock > seconds:
                    cut = f"stopped after {seconds:.0f} s (limit {60 * minutes:.0f} s)"
                    break
                if memory > 1e6 * megabytes:
                    cut = f"stopped at {megabytes / 1e3:.1f} GB of memory (limit {memory_mb / 1e3:.1f} GB)"
                    break
                pause = max(LOOK_SECONDS, (time.perf_counter() - look) / LOOK_SHARE)
            if not (cut or interrupts) and receiver.poll():
                with suppress(EOFError, OSError):  # it ended without a word, or within it
                    message = receiver.recv()
                child.join(END_SECONDS)
        finally:
            _end(child)
    if interrupts:
        raise KeyboardInterrupt
    if message is None:
        code = child.exitcode
        how = cut or (f"killed by {signal.Signals(-code).name}" if code < 0 else f"exited with status {code}")
        if (cut or code == -signal.SIGKILL) and not last_attempt:
            raise CutShort(f"{how}; trying again with more memory and time")
        message = {}, "failed", how, {}
    result, status, reason, facts = message
    if os.strerror(errno.ENOSPC) in reason:
        raise CutShort(reason)
    elapsed = round(time.perf_counter() - clock, 3)
    record = {"started": started, "seconds": elapsed, "cpu_seconds": round(_cpu_seconds_of_children() - cpu, 3)}
    # The kernel knows the largest process exactly, as long as it lives; several together are only sampled.
    record["peak_memory_mb"] = round(max(facts.pop("peak_memory", 0), peak) / 1e6, 1)
    record |= {"versions": {}, "warnings": []} | surroundings()
    return Guarded(result, status, reason, record | facts)


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Ctrl-C as an entry of this list: an exception gets lost within callbacks of forks, C code or the collector."""
    seen: list[int] = []
    if threading.current_thread() is not threading.main_thread():  # elsewhere it is never raised
        yield seen
        return
    before = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, before)


def _end(child: BaseProcess) -> None:
    """End a guarded child, where it has not ended by itself, and what it has started."""
    with suppress(ProcessLookupError):  # nothing is left
        os.killpg(child.pid, signal.SIGKILL)
    child.kill()  # where it was not yet in its group
    child.join()


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
    # What it starts is ended as one group. Not a session: some schedulers find a job's processes by that.
    os.setpgrp()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    warnings = _Warnings()
    logging.getLogger("jindbench").addHandler(warnings)
    result, status, reason = {}, "ok", ""
    try:
        # Not joblib's processes, its default: a forked process waits for them without end when it exits.
        with parallel_config(backend="threading"):
            result = function()
    except NotAvailable as error:
        status, reason = error.status, str(error)
    except Exception as error:
        status, reason = "failed", reason_of(error)
    facts = {"versions": imported_versions(), "warnings": warnings.messages, "peak_memory": _peak_memory()}
    sender.send((result, status, reason, facts))
    sender.close()


def _cpu_seconds_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _peak_memory() -> int:
    """Bytes that this process, or the largest that it has started, held at most."""
    kilobyte = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes on macOS
    of_all = (resource.getrusage(of).ru_maxrss for of in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return kilobyte * max(of_all)


def reason_of(error: Exception) -> str:
    """What tables say of an error, in one line; its traceback goes to the log."""
    if isinstance(error, InputError):  # the cells do not do for this method: no fault of the code, so no traceback
        return str(error)
    log.error("%s", "".join(traceback.format_exception(error)))
    return " ".join(f"{type(error).__name__}: {error}".split())


class _Warnings(logging.Handler):
    """Collects what the library warns of."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno == logging.WARNING:
            self.messages.append(record.getMessage())


def require_ok(outcome_path: str | Path) -> None:
    """Raise where an earlier job, whose result this one starts from, has none: this one's status is the same."""
    outcome = io.read_json(outcome_path)
    for error in (NotAvailable, DataNotAvailable):
        if outcome["status"] == error.status:
            raise error(outcome["reason"])
    if outcome["status"] != "ok":
        raise RuntimeError(f"{outcome['method']} failed ({outcome['reason']})")


def write_outcome(outcome: Guarded, path: str | Path, **facts: Any) -> None:
    """Write the record of a guarded run, and say in the log where it has no result."""
    if outcome.status != "ok":
        known = outcome.status == DataNotAvailable.status  # the job that did not get the cells has said so
        name = f"{facts['method']} on {facts['task']}, seed {facts['seed']}"
        log.log(logging.INFO if known else logging.ERROR, "%s: %s: %s", name, outcome.status, outcome.reason)
    status = {"status": outcome.status, "reason": outcome.reason}
    io.write_json(status | facts | outcome.record | outcome.result, path)

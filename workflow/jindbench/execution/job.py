"""What every job of the workflow starts with: a log, errors that can be read, and a record of how it ran."""

import builtins
import json
import logging
import os
import platform
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil
from threadpoolctl import threadpool_limits

from jindbench.errors import CutShort, InputError
from jindbench.execution import records
from jindbench.registry import LIBRARY

log = logging.getLogger("jindbench")

# Jobs have no display. Set before anything imports matplotlib, which refuses a backend that is not installed, such as
# that of a notebook which starts them. A notebook itself keeps its own.
if not hasattr(builtins, "__IPYTHON__"):
    os.environ["MPLBACKEND"] = "Agg"


# Said of a dataset that is not available.
GOES_ON = "All else is run; the tables say what is missing. The next start tries again."
WATCH_SECONDS = 1  # between two looks at the Snakemake that a job belongs to


def start_log(file: Path, shown: str = "WARNING") -> None:
    """Write log messages to a file, and our own of level `shown` and above to stderr too.

    What libraries say is in the file alone. Of what is no warning, stderr shows the steps of an annotation alone: its
    epochs have progress bars.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    handlers = [logging.FileHandler(file, mode="w", encoding="utf-8"), logging.StreamHandler()]
    handlers[1].setLevel(shown)
    handlers[1].addFilter(_of_ours)
    line = "%(asctime)s %(levelname)s %(message)s"
    if shown != "INFO":  # several jobs may share the terminal
        handlers[1].setFormatter(logging.Formatter(f"{line} ({str(file).replace('%', '%%')})"))
    logging.basicConfig(level=logging.INFO, format=line, handlers=handlers, force=True)
    logging.captureWarnings(True)
    logging.getLogger("anndata").setLevel(logging.ERROR)  # it has a handler of its own, which writes to stderr


def _of_ours(record: logging.LogRecord) -> bool:
    return record.name.startswith("jindbench.annotate" if record.levelno <= logging.INFO else "jindbench")


@contextmanager
def run(snakemake: Any, shown: str = "WARNING") -> Iterator[dict]:
    """What a script does is logged, ends with the Snakemake that started it, and leaves a record (see `records`).

    Yields that record; `versions` that a guarded process has used may be put into it.

    Log messages go to the job's file and to stderr, see `start_log`. An `InputError` or `CutShort` ends the job with
    its one line, anything else with a traceback.
    """
    log_file, record_file = Path(snakemake.log[0]), records.path_of(snakemake.log[0])
    start_log(log_file, shown)
    _packages()  # so that forks need not read them again
    threading.Thread(target=_end_with_snakemake, daemon=True).start()
    try:
        record_file.unlink(missing_ok=True)
        record = {"rule": snakemake.rule, "wildcards": dict(snakemake.wildcards), "started": now()}
        parameters = dict(snakemake.params.items())
        record |= {"code_sha256": parameters.pop("code"), "parameters": parameters}
        record |= records.describe_inputs(snakemake.input)
        yield record
        record |= records.describe_outputs(snakemake.output)
        record |= {"ended": now(), "threads": snakemake.threads} | surroundings()
        record["versions"] = imported_versions() | record.get("versions", {})
        records.write(record, record_file)
    except (InputError, CutShort) as error:
        log.error("%s", error)
        sys.exit(1)
    except Exception:
        log.error("%s", traceback.format_exc())
        sys.exit(1)


# Who runs the workflow, for the jobs: host and process.
SNAKEMAKE_PROCESS = "JINDBENCH_SNAKEMAKE"


def started_by_this_process() -> None:
    """Let jobs know that they belong to the Snakemake that is this process."""
    os.environ[SNAKEMAKE_PROCESS] = json.dumps([platform.node(), os.getpid()])


def _end_with_snakemake() -> None:
    """End this job where the Snakemake that started it is killed: the next one must not meet it at the same files.

    A job on another machine cannot see it; there the cluster's own commands end jobs.
    """
    host, pid = json.loads(os.environ.get(SNAKEMAKE_PROCESS, "[null, 0]"))
    if host != platform.node():
        return
    with suppress(psutil.NoSuchProcess):
        snakemake = psutil.Process(pid)
        # This tells it from a later process of the same number by when it started after boot. Times of day, such as
        # psutil's `create_time`, move when the machine's clock is set.
        while snakemake.is_running():
            time.sleep(WATCH_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


def n_gpus() -> int:
    """Number of NVIDIA GPUs of this machine."""
    return len(list(Path("/dev").glob("nvidia[0-9]*")))


@cache
def surroundings() -> dict[str, str]:
    """Machine, Python and the code's commit."""
    return {
        "machine": f"{platform.platform()}, {os.cpu_count()} processors",
        "python": platform.python_version(),
        "code": code_version(),
    }


_process = psutil.Process()


def begun() -> float:
    """Time of day at which this job's process began; the same in what it forks."""
    return _process.create_time()


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def limit_threads(n: int) -> None:
    """Let libraries imported from now on, and those that are there already, use `n` threads and no more."""
    for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMBA"):
        os.environ[f"{library}_NUM_THREADS"] = str(n)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # Ctrl-C waits: a callback in C would lose it
    threadpool_limits(n)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


@cache
def _packages() -> dict[str, metadata.Distribution]:
    """The installed package of each top-level module. From its list of files: metadata are slow to read."""
    return {
        line.partition("/")[0].partition(".")[0]: package
        for package in metadata.distributions()
        for line in (package.read_text("RECORD") or package.read_text("top_level.txt") or "").splitlines()
    }


def imported_versions() -> dict[str, str]:
    """Version of every installed package that this process has imported, and of R's where it has started R."""
    imported = {_packages().get(name) for name in {name.partition(".")[0] for name in sys.modules}} - {None}
    facts = sorted((package.metadata for package in imported), key=lambda one: one["Name"].lower())
    versions = {one["Name"]: one["Version"] for one in facts}
    bridge = sys.modules.get("jindbench.r.bridge")
    return versions | bridge.versions() if bridge else versions


def code_version() -> str:
    """The clone's commit, with "+changes" where tracked files differ from it; "unknown" outside a clone.

    A copy of the files within another repository is none: that repository's commit says nothing of this code.
    """

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", LIBRARY.parents[1], *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        if git("rev-parse", "--show-prefix"):  # where this folder lies in its repository
            return "unknown"
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"

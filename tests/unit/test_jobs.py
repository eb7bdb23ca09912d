"""Guarded runs."""

import errno
import json
import logging
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest
from joblib import Parallel, delayed
from snakemake_interface_logger_plugins.common import LogEvent

from jindbench.errors import CutShort
from jindbench.execution import guard, job, progress
from jindbench.registry import LIBRARY


def in_parallel():
    return {"sum": sum(Parallel(n_jobs=2)(delayed(abs)(i) for i in range(-10, 0)))}


def test_a_method_that_asks_joblib_for_two_jobs_comes_to_an_end():
    start = time.monotonic()
    outcome = guard.guarded(in_parallel)
    assert (outcome.status, outcome.result) == ("ok", {"sum": 55})
    assert time.monotonic() - start < 60


def hang():
    time.sleep(600)


def be_killed():
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("function", "reason"),
    [(hang, "stopped after 2 s (limit 3 s)"), (be_killed, "killed by SIGKILL")],
)
def test_what_is_cut_short_is_tried_again_and_fails_at_last(function, reason):
    with pytest.raises(CutShort, match=f"{re.escape(reason)}; trying again"):
        guard.guarded(function, minutes=0.05, last_attempt=False)
    outcome = guard.guarded(function, minutes=0.05, last_attempt=True)
    assert outcome.status == "failed"
    assert outcome.reason.startswith(reason)


def test_a_method_that_exits_has_failed():
    outcome = guard.guarded(lambda: sys.exit(3))
    assert (outcome.status, outcome.reason) == ("failed", "exited with status 3")


def test_a_full_disk_is_no_failure_of_the_method():
    def write():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(CutShort, match="No space left"):
        guard.guarded(write)


SECONDS_2 = 4 / 60  # the `minutes` of which a method gets two seconds


def test_a_method_that_hangs_beside_a_process_of_its_own_is_ended_with_it(tmp_path):
    def fork_and_hang():
        if os.fork() == 0:
            (tmp_path / "pid").write_text(str(os.getpid()))
        hang()

    start = time.monotonic()
    outcome = guard.guarded(fork_and_hang, minutes=SECONDS_2)
    assert (outcome.status, outcome.reason) == ("failed", "stopped after 2 s (limit 4 s)")
    assert time.monotonic() - start < 60
    wait_for_the_end_of(int((tmp_path / "pid").read_text()))


def test_what_a_killed_or_finished_method_leaves_running_holds_nothing_up(tmp_path):
    def leave_process(then):
        if os.fork() == 0:
            (tmp_path / "pid").write_text(str(os.getpid()))
            hang()
        while not (tmp_path / "pid").exists():
            time.sleep(0.01)
        return then()

    def leave_thread():
        threading.Thread(target=hang).start()
        return {"done": 1}

    start = time.monotonic()
    assert guard.guarded(lambda: leave_process(be_killed)).reason == "killed by SIGKILL"
    wait_for_the_end_of(int((tmp_path / "pid").read_text()))
    assert guard.guarded(lambda: leave_process(dict)).status == "ok"
    outcome = guard.guarded(leave_thread, minutes=SECONDS_2)
    assert (outcome.status, outcome.result) == ("ok", {"done": 1})
    assert time.monotonic() - start < 60


def wait_for_the_end_of(pid):
    deadline = time.monotonic() + 60
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_method_that_takes_too_much_memory_is_ended_and_tried_again(tmp_path):
    # A fork starts with this process's memory, of which it is charged as much as it does not share.
    limit = 1500 + round(psutil.Process().memory_info().rss / 1e6)

    def grow():
        taken = []
        while True:
            taken.append(b"1" * 5_000_000)
            with (tmp_path / "taken").open("ab") as file:  # a byte for each 5 MB: it may be killed at any moment
                file.write(b".")
            time.sleep(0.02)

    reason = f"stopped at {limit / 1e3 - 0.75:.1f} GB of memory (limit {limit / 1e3:.1f} GB)"
    with pytest.raises(CutShort, match=f"{re.escape(reason)}; trying again"):
        guard.guarded(grow, memory_mb=limit, last_attempt=False)
    (tmp_path / "taken").unlink()
    outcome = guard.guarded(grow, memory_mb=limit)
    assert (outcome.status, outcome.reason) == ("failed", reason)
    assert 5 * (tmp_path / "taken").stat().st_size < limit


# A job, while the machine's clock is set on again and again: psutil's times of day move.
JOB = """
import itertools, psutil, time
from jindbench.execution import job
clock = itertools.count(psutil.boot_time())
psutil._pslinux.boot_time = lambda: next(clock)
print("begun", flush=True)
job._end_with_snakemake()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the clock of another system is not simulated")
def test_a_job_ends_with_its_snakemake_and_not_when_the_clock_is_set():
    with subprocess.Popen(["sleep", "600"]) as snakemake:
        belongs = {job.SNAKEMAKE_PROCESS: json.dumps([platform.node(), snakemake.pid])}
        path = {"PYTHONPATH": os.pathsep.join(sys.path)}
        ran = subprocess.Popen([sys.executable, "-c", JOB], env=os.environ | belongs | path, stdout=subprocess.PIPE)
        try:
            ran.stdout.readline()
            time.sleep(3 * job.WATCH_SECONDS)
            assert ran.poll() is None
            snakemake.kill()
            snakemake.wait()
            assert ran.wait(timeout=60) == -signal.SIGKILL
        finally:
            snakemake.kill()
            ran.kill()
            ran.wait()


def test_a_copy_within_another_repository_does_not_record_its_commit(tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(LIBRARY, copy / "workflow/jindbench", ignore=shutil.ignore_patterns("__pycache__"))
    commit = ["-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", "copied", "--allow-empty"]

    def committed(repository):
        for command in (["init", "-q"], commit):
            subprocess.run(["git", *command], cwd=repository, check=True)
        code = "from jindbench.execution import job; print(job.code_version())"
        path = os.environ | {"PYTHONPATH": str(copy / "workflow")}
        return subprocess.run([sys.executable, "-c", code], env=path, capture_output=True, text=True, check=True).stdout

    assert committed(tmp_path) == "unknown\n"
    assert len(committed(copy)) == 41


def message(event=None, msg="", **facts):
    return logging.makeLogRecord({"event": event, "msg": msg, **facts})


def test_snakemake_prints_a_line_for_each_step_and_why_one_failed(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("Traceback\nValueError: no luck\n\n")
    steps = progress.Steps({"jind_plus": "JIND+ (paper)"}, on_cluster=lambda: False)
    outputs = [f"results/r/runs/{task}/jind_plus/seed-{seed}/outcome.json" for task in "tu" for seed in (0, 1)]
    several = {"rule_name": "run_method_of_small_tasks_jind_plus", "output": outputs, "wildcards": {"run": "r"}}
    table = {"rule_name": "table1", "output": [], "wildcards": {"run": "r"}}
    failed = {"rule_name": "table1", "log": [str(log)], "rule_msg": "CANCELLED", "aux": {"external_jobid": "7"}}
    ended = "CalledProcessError: Command 'python x.py' returned non-zero exit status 1."
    records = [
        message(LogEvent.WORKFLOW_STARTED, "Workflow has started!"),
        message(LogEvent.RUN_INFO, "Job stats", stats={"total": 2}),
        message(msg="Select jobs to execute..."),
        message(LogEvent.JOB_STARTED, "Execute 1 jobs..."),
        message(LogEvent.JOB_INFO, jobid=5, **several),
        message(LogEvent.JOB_INFO, jobid=9, **table),
        message(LogEvent.PROGRESS, done=1, total=2),
        message(LogEvent.ERROR, ended),
        message(LogEvent.JOB_ERROR, jobid=9, **failed),
        message(LogEvent.JOB_INFO, jobid=9, **table),
        message(msg="Nothing to be done"),
    ]
    assert [steps.format(record) for record in records if steps.shows(record)] == [
        "2 steps",
        "[1/2] JIND+ (paper) on t, u, seeds 0, 1",
        "[2/2] table1",
        f"[2/2] table1: failed\n    message: CANCELLED\n    external_jobid: 7\n    {log}: ValueError: no luck",
        "[2/2] table1, again",
        "Nothing to be done",
    ]


def test_what_libraries_say_is_in_the_log_alone(tmp_path):
    """Of its own accord, anndata writes to stderr, and so do Python's warnings."""
    code = (
        "import warnings\nfrom pathlib import Path\nfrom jindbench.execution import job\nimport anndata, pandas\n"
        "job.start_log(Path('a.log'))\nwarnings.warn('LIBRARY')\njob.log.warning('OURS')\n"
        "cells = anndata.AnnData(obs=pandas.DataFrame({'batch': list('aabb')}, index=list('wxyz')))\n"
        "cells.strings_to_categoricals()\n"
    )
    path = os.environ | {"PYTHONPATH": str(LIBRARY.parent)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=path, capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r".* WARNING OURS \(a\.log\)\n", done.stderr)
    assert "LIBRARY" in (tmp_path / "a.log").read_text()

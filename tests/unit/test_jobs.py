"""Guarded runs."""

import errno
import json
import os
import platform
import signal
import subprocess
import sys
import time

import pytest
from joblib import Parallel, delayed

from jindbench import jobs


def in_parallel():
    return {"sum": sum(Parallel(n_jobs=2)(delayed(abs)(i) for i in range(-10, 0)))}


def test_a_method_that_asks_joblib_for_two_jobs_comes_to_an_end():
    start = time.monotonic()
    outcome = jobs.guarded(in_parallel)
    assert (outcome.status, outcome.result) == ("ok", {"sum": 55})
    assert time.monotonic() - start < 60


def hang():
    time.sleep(600)


def be_killed():
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("function", "reason"),
    [(hang, "ended after 2 seconds, short of the 3 that it may take"), (be_killed, "killed by SIGKILL")],
)
def test_what_is_cut_short_is_tried_again_and_fails_at_last(function, reason):
    with pytest.raises(jobs.CutShort, match=f"{reason}.*tried again"):
        jobs.guarded(function, minutes=0.05, last_attempt=False)
    outcome = jobs.guarded(function, minutes=0.05, last_attempt=True)
    assert outcome.status == "failed"
    assert outcome.reason.startswith(reason)


def test_a_full_disk_is_no_failure_of_the_method():
    def write():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(jobs.CutShort, match="No space left"):
        jobs.guarded(write)


# A job, while the machine's clock is set on again and again: psutil's times of day move.
JOB = """
import itertools, psutil, time
from jindbench import jobs
clock = itertools.count(psutil.boot_time())
psutil._pslinux.boot_time = lambda: next(clock)
print("begun", flush=True)
jobs._end_with_snakemake()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the clock of another system is not simulated")
def test_a_job_ends_with_its_snakemake_and_not_when_the_clock_is_set():
    with subprocess.Popen(["sleep", "600"]) as snakemake:
        belongs = {jobs.SNAKEMAKE_PROCESS: json.dumps([platform.node(), snakemake.pid])}
        path = {"PYTHONPATH": os.pathsep.join(sys.path)}
        job = subprocess.Popen([sys.executable, "-c", JOB], env=os.environ | belongs | path, stdout=subprocess.PIPE)
        try:
            job.stdout.readline()
            time.sleep(3 * jobs.WATCH_SECONDS)
            assert job.poll() is None
            snakemake.kill()
            snakemake.wait()
            assert job.wait(timeout=10) == -signal.SIGKILL
        finally:
            snakemake.kill()
            job.kill()
            job.wait()

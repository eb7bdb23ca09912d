"""Guarded runs."""

import errno
import os
import signal
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

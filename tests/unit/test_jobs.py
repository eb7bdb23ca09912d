"""Guarded runs."""

import time

from joblib import Parallel, delayed

from jindbench import jobs


def in_parallel():
    return {"sum": sum(Parallel(n_jobs=2)(delayed(abs)(i) for i in range(-10, 0)))}


def test_a_method_that_asks_joblib_for_two_jobs_comes_to_an_end():
    start = time.monotonic()
    outcome = jobs.guarded(in_parallel)
    assert (outcome.status, outcome.result) == ("ok", {"sum": 55})
    assert time.monotonic() - start < 60

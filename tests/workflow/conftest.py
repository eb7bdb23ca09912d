"""Runs of the toy project that several tests look at. Its folders have names with a space: users' have."""

import copy
import fcntl
import os
import shutil

import pytest

from toy_project import TINY, Workflow, copy_project


@pytest.fixture
def fresh(tmp_path) -> Workflow:
    """A project in which nothing has run."""
    return copy_project(tmp_path / "nothing has run")


@pytest.fixture(scope="session")
def _done(tmp_path_factory) -> Workflow:
    """Run once for all processes that run tests."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    workflow = Workflow(shared / "a completed run")
    with (shared / "completed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (workflow.folder / "results/tiny/tables/complete.txt").exists():
            shutil.rmtree(workflow.folder, ignore_errors=True)
            copy_project(workflow.folder).run()
    return workflow


@pytest.fixture(scope="session")
def everything(_done, tmp_path_factory) -> Workflow:
    """A project in which all is made, figures and claims included; not to be changed."""
    folder = tmp_path_factory.mktemp("everything") / "all of it"
    shutil.copytree(_done.folder, folder, symlinks=True)
    workflow = Workflow(folder, target="all")
    configuration = copy.deepcopy(TINY) | {"runtime": {"tasks": ["batches"]}}
    configuration["figures"] = {figure: ["batches"] for figure in ("figure2", "figure3", "figure4", "figure5")}
    configuration["differential_expression"] = {"draws": 2}
    configuration["held_out_types"] = {"tasks": ["batches"], "methods": ["majority", "jind"]}
    workflow.configure(configuration)
    workflow.run()
    return workflow


@pytest.fixture
def completed(_done, tmp_path) -> Workflow:
    """A project of its own in which a run has completed."""
    shutil.copytree(_done.folder, tmp_path / "a copy", symlinks=True)
    return Workflow(tmp_path / "a copy")

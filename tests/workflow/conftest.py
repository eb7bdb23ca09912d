"""Runs of the toy project that several tests look at."""

import copy
import shutil

import pytest

from toy_project import TINY, Workflow, copy_project


@pytest.fixture
def fresh(tmp_path) -> Workflow:
    """A project in which nothing has run."""
    return copy_project(tmp_path / "fresh")


@pytest.fixture(scope="session")
def _done(tmp_path_factory) -> Workflow:
    workflow = copy_project(tmp_path_factory.mktemp("done"))
    workflow.run()
    return workflow


@pytest.fixture(scope="session")
def everything(_done, tmp_path_factory) -> Workflow:
    """A project in which all is made, figures and claims included; not to be changed."""
    folder = tmp_path_factory.mktemp("everything") / "copy"
    shutil.copytree(_done.folder, folder, symlinks=True)
    workflow = Workflow(folder, target="all")
    configuration = copy.deepcopy(TINY) | {"runtime": {"tasks": ["batches"]}}
    configuration["figures"] = {figure: ["batches"] for figure in ("figure2", "figure3", "figure4", "figure5")}
    configuration["differential_expression"] = {"draws": 2}
    configuration["held_out_types"] = {"tasks": ["batches"], "methods": ["majority", "jind_plus"]}
    workflow.configure(configuration)
    workflow.run()
    return workflow


@pytest.fixture
def completed(_done, tmp_path) -> Workflow:
    """A project of its own in which a run has completed."""
    shutil.copytree(_done.folder, tmp_path / "copy", symlinks=True)
    return Workflow(tmp_path / "copy")

"""What fails or is not run is shown with its reason, and the others come out; what was mended comes back."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import yaml

from jindbench import io, r
from jindbench.errors import NotAvailable
from toy_project import TINY, Workflow, add_method


def without_r(folder: Path) -> str:
    """A PATH with everything but R."""
    folder.mkdir()
    for place in reversed(os.environ["PATH"].split(os.pathsep)):
        for program in Path(place).glob("*"):
            link = folder / program.name
            if program.name not in ("R", "Rscript"):
                link.unlink(missing_ok=True)
                link.symlink_to(program)
    return str(folder)


def configured(workflow, **changes):
    configuration = yaml.safe_load((workflow.folder / "test.yaml").read_text())
    configuration["run"] |= changes.pop("run", {})
    workflow.configure(configuration | changes)


# What is done to a completed run, in which `batches` also gets other methods: one that the system kills as it does what
# takes too much memory, two that need R.
KILLED = "    import os\n\n    os.kill(os.getpid(), 9)"
ADDED = ["killed", "svm_rej_seurat", "seurat_lt"]
SKIPPED = "too | many <cells>"
NO_R = (
    "not run: R with Seurat not found (`make setup` installs it on Debian and Ubuntu; elsewhere: snakemake --sdm conda)"
)


@pytest.fixture(scope="module")
def no_r(tmp_path_factory):
    """A context in which nothing finds R."""
    path = without_r(tmp_path_factory.mktemp("path") / "bin")

    @contextmanager
    def context():
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("R_HOME", raising=False)
            patch.setenv("PATH", path)
            yield

    return context


class Broken(NamedTuple):
    """What a run left: what Snakemake printed, a copy of the tables, Table 2, methods that the next run tries again."""

    workflow: Workflow
    output: str
    tables: Path
    raw: dict[tuple[str, str], str]
    pending: set[str]


@pytest.fixture(scope="module")
def broken(_done, no_r, tmp_path_factory):
    """The completed run, to which methods were added and in which JIND fails, run again without R."""
    folder = tmp_path_factory.mktemp("broken")
    workflow = Workflow(shutil.copytree(_done.folder, folder / "a copy", symlinks=True))
    add_method(workflow, "killed", KILLED)
    file = workflow.folder / "workflow/jindbench/methods/jind.py"
    file.write_text(
        file.read_text().replace("    model = JIND", '    raise RuntimeError("out of <luck>")\n    model = JIND')
    )
    methods = [*TINY["run"]["methods"], *ADDED]
    killed = {"killed": {"skip": {"paper_split": SKIPPED}}}
    configured(workflow, run={"methods": methods}, methods=TINY["methods"] | killed)
    with no_r():
        output = workflow.run(ok=False)
        pending = {job[1] for job in workflow.pending() if job[0] == "run_method"}
    tables = shutil.copytree(workflow.folder / "results/tiny/tables", folder / "tables")
    return Broken(workflow, output, tables, workflow.raw(), pending)


def test_what_fails_is_shown_and_the_others_come_out(broken, completed):
    assert broken.raw["Toy", "JIND (paper, changed)"] == "failed: RuntimeError: out of <luck> (seed 0)"
    assert (
        broken.raw["Toy", "JIND+ (paper, changed)"]
        == "failed: RuntimeError: jind failed (RuntimeError: out of <luck>) (seed 0)"
    )
    assert broken.raw["paper_split", "JIND (paper, changed)"] == "not run: tested on the other task"
    assert broken.raw["Toy", "Killed"] == "failed: killed by SIGKILL (seed 0)"
    assert broken.raw["Toy", "Majority"] == completed.raw()["Toy", "Majority"]
    assert "jind on batches, seed 0, failed: RuntimeError: out of <luck>" in broken.output
    assert "killed on batches, seed 0, failed: killed by SIGKILL" in broken.output
    assert "<luck>" not in (broken.tables / "table2.html").read_text()
    metrics = (broken.tables / "metrics.tsv").read_text().splitlines()
    assert "failed: RuntimeError: out of <luck>" in {line.split("\t")[-1] for line in metrics}
    others = [line for line in completed.read("tables/metrics.tsv").splitlines() if "\tjind\t" not in line]
    assert {line for line in others if "\tjind_plus\t" not in line} <= {*metrics}
    # The next run tries them again, although nothing changed, and nothing but what failed.
    assert broken.pending == {"jind", "jind_plus", "killed"}


def test_what_needs_r_is_not_run_without_it(broken):
    cells = broken.raw
    assert cells["Toy", "Seurat-LT"] == cells["paper_split", "Seurat-LT"] == f"{NO_R} (seed 0)"
    assert cells["Toy", "SVM_Rej (Seurat)"] == f"{NO_R} (seed 0)"
    assert cells["paper_split", "SVM_Rej (Seurat)"] == "-"
    assert "seurat_lt on batches, seed 0, not run: R with Seurat" in broken.output


def test_a_declared_skip_is_shown_with_its_reason(broken):
    table = (broken.tables / "metrics_by_method.tsv").read_text()
    assert f"split\tkilled\tNA\traw\tNA\tNA\tNA\tNA\tNA\t27\tnot run: {SKIPPED}" in table
    assert "split\tjind_plus\tNA\traw" in table  # what starts from it is not run either, for the same reason
    for method in ("killed", "jind", "jind_plus"):
        assert not (broken.workflow.folder / f"results/tiny/runs/paper_split/{method}").exists()


@pytest.fixture(scope="module")
def mended(broken, no_r, _done):
    """The same workflow, when its methods work, still without R."""
    workflow = broken.workflow
    add_method(workflow, "killed", "")
    shutil.copy2(_done.folder / "workflow/jindbench/methods/jind.py", workflow.folder / "workflow/jindbench/methods")
    with no_r():
        workflow.run()
    return workflow


def test_what_was_mended_comes_back_and_what_was_not_run_is_no_failure(mended, no_r, completed):
    cells = mended.raw()
    for method in ("JIND (paper, changed)", "JIND+ (paper, changed)", "Killed"):
        assert cells["Toy", method].startswith("0.")
    assert {*completed.read("tables/metrics.tsv").splitlines()} <= {*mended.read("tables/metrics.tsv").splitlines()}
    assert mended.read("tables/complete.txt") == "8 runs completed, 4 not run\n"
    with no_r():
        assert "Nothing to be done" in mended.run()
        configured(mended, run={"strict": True})
        assert "4 of 12 runs failed" in mended.run(ok=False)
        configured(mended, run={"strict": False})


def test_methods_are_run_once_r_is_there_and_are_kept_where_it_is_gone_again(mended, monkeypatch):
    try:
        r.require(("Seurat",))
    except NotAvailable as error:
        pytest.skip(str(error))
    mended.run(target="results/tiny/tables/table2.md")
    cells = mended.raw()
    assert cells["Toy", "Seurat-LT"].startswith("0.")
    assert cells["Toy", "SVM_Rej (Seurat)"].startswith("0.")
    outcome = io.read_json(mended.folder / "results/tiny/integrations/batches/seurat/outcome.json")
    assert outcome["versions"]["R Seurat"]
    monkeypatch.setenv("JINDBENCH_R", "no")
    assert not {job for job in mended.pending(target="results/tiny/tables/table2.md") if "seurat" in job[-1]}
    assert ("integrate",) not in mended.pending(target="results/tiny/tables/table2.md")


CENTRED = """
from jindbench.parameters import Parameters as BaseParameters

TITLE = "Centred"


class Parameters(BaseParameters):
    pass


def integrate(source, target, parameters, *, seed, threads):
    return [centred(side.copy()) for side in (source, target)]


def centred(side):
    from scipy import sparse

    side.X = sparse.csr_matrix(side.X - side.X.mean(axis=0), dtype="float32")
    return side
"""


def test_whole_batches_are_integrated_and_the_tasks_cells_taken_from_them(fresh):
    """The toy target has a type that the source lacks: its cells are integrated too, but are none of the task's."""
    (fresh.folder / "workflow/jindbench/integrations/centred.py").write_text(CENTRED)
    methods = {f"svm_{name}": {"method": "svm_rej", "input": name} for name in ("centred", "of_task")}
    of_task = {"of_task": {"integration": "centred", "cells": "task", "title": "Of the task"}}
    configured(fresh, run={"methods": list(methods), "tasks": ["batches"]}, methods=methods, integrations=of_task)
    folder, means = "results/tiny/integrations/batches", {}
    again = "results/tiny/timed/batches/integration-centred/target.h5ad"
    fresh.run(*(f"{folder}/{name}/target.h5ad" for name in ("centred", "of_task")), again, target="datasets")
    cells = io.read_h5ad(fresh.folder / "results/data/toy.h5ad")
    for name in ("centred", "of_task"):
        corrected = io.read_h5ad(fresh.folder / folder / name / "target.h5ad")
        means[name] = np.asarray(corrected.X.mean(axis=0)).ravel()
    timed = io.read_h5ad(fresh.folder / again)
    assert np.allclose(timed.X.mean(axis=0), means["centred"])
    batch = cells[cells.obs["batch"] == "target"]
    ours = batch[corrected.obs_names]
    assert ours.n_obs < batch.n_obs
    assert np.allclose(means["of_task"], 0, atol=1e-3)
    expected = np.asarray(ours.X.mean(axis=0) - batch.X.mean(axis=0)).ravel()
    assert np.allclose(means["centred"], expected, atol=1e-3)
    assert np.abs(expected).max() > 0.01


@pytest.mark.faults
def test_a_failing_integration_fails_what_reads_it_and_is_tried_again(fresh):
    file = fresh.folder / "workflow/jindbench/integrations/centred.py"
    file.write_text(CENTRED.replace("    return [", "    raise ValueError('no anchors')\n    return ["))
    methods = {"svm_centred": {"method": "svm_rej", "input": "centred"}}
    configured(fresh, run={"methods": ["majority", "svm_centred"], "tasks": ["batches"]}, methods=methods)
    output = fresh.run(ok=False)
    assert "integration centred on batches, seed 0, failed: ValueError: no anchors" in output
    expected = "failed: RuntimeError: integration centred failed (ValueError: no anchors) (seed 0)"
    assert fresh.raw()["Toy", "SVM_Rej (Centred)"] == expected
    assert fresh.raw()["Toy", "Majority"].startswith("0.")

    file.write_text(CENTRED)
    fresh.run()
    assert fresh.raw()["Toy", "SVM_Rej (Centred)"].startswith("0.")

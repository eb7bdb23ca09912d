"""What is not run is said to be not run: for want of R, by the configuration, or because it does not apply."""

import os
from pathlib import Path

import numpy as np
import pytest
import yaml

from jindbench import io, r
from jindbench.errors import NotAvailable

METHODS = ["majority", "svm_rej", "svm_rej_seurat", "seurat_lt"]


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
    configuration["run"] |= {"methods": METHODS} | changes.pop("run", {})
    workflow.configure(configuration | changes)


def test_without_r_its_methods_are_not_run_and_come_later(fresh, tmp_path, monkeypatch):
    configured(fresh)
    monkeypatch.delenv("R_HOME", raising=False)
    with monkeypatch.context() as context:
        context.setenv("PATH", without_r(tmp_path / "bin"))
        output = fresh.run()
        reason = "not run: R with Seurat not found (`make setup` installs it on Debian and Ubuntu; elsewhere: snakemake --sdm conda)"
        table = fresh.raw()
        assert table["Toy", "Seurat-LT"] == table["split", "Seurat-LT"] == f"{reason} (seed 0)"
        assert table["Toy", "SVM_Rej (Seurat)"] == f"{reason} (seed 0)"
        assert table["split", "SVM_Rej (Seurat)"] == "-"
        assert table["Toy", "SVM_Rej"].strip("*").startswith("0.")
        assert "seurat_lt on batches, seed 0, not run: R with Seurat" in output
        assert fresh.read("tables/complete.txt") == "4 runs completed, 4 not run\n"
        assert "Nothing to be done" in fresh.run()

        configured(fresh, run={"strict": True})
        assert "4 of 8 runs failed" in fresh.run(ok=False)
    try:
        r.require(("Seurat",))
    except NotAvailable as error:
        pytest.skip(str(error))
    configured(fresh)
    fresh.run()
    assert fresh.raw()["Toy", "Seurat-LT"].strip("*").startswith("0.")
    assert fresh.raw()["Toy", "SVM_Rej (Seurat)"].strip("*").startswith("0.")
    runs = fresh.read("tables/runs.tsv").splitlines()
    assert any(line.startswith("batches\tintegration seurat\t0\tok") for line in runs)
    assert "R Seurat" in fresh.read("tables/provenance.html")


def test_a_declared_skip_is_shown_with_its_reason(fresh):
    skipped = {"jind_classifier": {"epochs": 2, "skip": {"split": "too | many <cells>"}}}
    methods = {"jind": {"epochs": 1, "short_epoch_iterations": 2}} | skipped
    configured(fresh, run={"methods": ["majority", "jind_classifier", "jind"]}, methods=methods)
    fresh.run()
    table = (fresh.folder / "results/tiny/tables/metrics_by_method.tsv").read_text()
    assert "split\tjind_classifier\tNA\traw\tNA\tNA\tNA\tNA\tNA\t27\tnot run: too | many <cells>" in table
    assert "split\tjind\tNA\traw" in table  # what starts from it is not run either, for the same reason
    assert not (fresh.folder / "results/tiny/runs/split/jind").exists()
    assert fresh.raw()["Toy", "JIND (paper)"].strip("*").startswith("0.")


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
    folder, means = fresh.folder / "results/tiny/integrations/batches", {}
    fresh.run(target="datasets")
    cells = io.read_h5ad(fresh.folder / "results/data/toy.h5ad")
    for name in ("centred", "of_task"):
        fresh.run(target=f"results/tiny/integrations/batches/{name}/target.h5ad")
        corrected = io.read_h5ad(folder / name / "target.h5ad")
        means[name] = np.asarray(corrected.X.mean(axis=0)).ravel()
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
    assert fresh.raw()["Toy", "Majority"].strip("*").startswith("0.")

    file.write_text(CENTRED)
    fresh.run()
    assert fresh.raw()["Toy", "SVM_Rej (Centred)"].strip("*").startswith("0.")

"""What cannot run is refused with one clear line, before any work."""

import pickle

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import sparse

from jindbench import io


def configured(workflow, change):
    configuration = yaml.safe_load((workflow.folder / "test.yaml").read_text())
    change(configuration)
    workflow.configure(configuration)


def refused(workflow, *lines):
    output = workflow.run(ok=False)
    for line in lines:
        assert line in output, output
    assert "Traceback" not in output
    return output


def test_faults_of_the_configuration(fresh):
    def change(configuration):
        configuration["methods"]["svm_rej"] = {"treshold": 0.5}
        configuration["tasks"]["batches"]["source"]["batch"] = "sauce"
        configuration["run"]["tasks"].append("nothing")

    configured(fresh, change)
    refused(
        fresh,
        "configuration: methods.svm_rej.treshold: unknown key (did you mean 'threshold'?)",
        "configuration: run.tasks: no task 'nothing'",
    )
    assert not (fresh.folder / "results").exists()
    good = (fresh.folder / "test.yaml").read_text()
    (fresh.folder / "test.yaml").write_text(f"{good}run: {{}}\n")
    refused(fresh, "/test.yaml: run: line", "has this key again; expected once")
    (fresh.folder / "test.yaml").write_text(good)

    def mend(configuration):
        del configuration["methods"]["svm_rej"]
        configuration["run"]["tasks"].pop()

    configured(fresh, mend)
    refused(
        fresh,
        "configuration: tasks.batches.source.batch: dataset 'toy' has no batch 'sauce' (there are: source, target)",
    )
    assert not (fresh.folder / "results").exists()


def own_data(fresh, adata, **keys):
    adata.write_h5ad(fresh.folder / "mine.h5ad")

    def change(configuration):
        configuration["datasets"]["mine"] = {
            "loader": "anndata_file",
            "path": "mine.h5ad",
            "label_key": "type",
            "x_kind": "counts",
            **keys,
        }
        configuration["tasks"]["mine"] = {"split": {"dataset": "mine"}}
        configuration["run"] |= {"tasks": ["mine"], "methods": ["majority", "svm_rej"]}

    configured(fresh, change)


def cells(n=30):
    rng = np.random.default_rng(0)
    labels = np.array(["T cell/CD4+", "B", "NA", "<script>"])[rng.integers(0, 4, n)]
    obs = pd.DataFrame({"type": labels}, index=[f"cell {i}" for i in range(n)])
    return ad.AnnData(rng.poisson(2, (n, 10)).astype(float), obs=obs)


def damaged_index(path):
    """A column number far outside the matrix: compiled code would write there."""
    adata = cells()
    adata.X = sparse.csr_matrix(adata.X)
    adata.write_h5ad(path)
    with h5py.File(path, "a") as file:
        file["X/indices"][0] = 10**6


def infinite(path):
    adata = cells()
    adata.X[0, 0] = np.inf
    adata.write_h5ad(path)


WORST = {
    "cut.h5ad": (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(900)), "not a readable AnnData"),
    "pickle.h5ad": (lambda path: path.write_bytes(pickle.dumps({"X": 1})), "not a readable AnnData"),
    "folder.h5ad": (lambda path: path.mkdir(), "no such file"),
    "no_type.h5ad": (lambda path: ad.AnnData(np.ones((3, 3))).write_h5ad(path), "label_key 'type' is not a column of obs"),
    "index.h5ad": (damaged_index, "X is a sparse matrix that contradicts itself"),
    "infinite.h5ad": (infinite, "X holds values that are NaN or infinite: 1"),
}  # fmt: skip


def test_the_worst_files_stop_with_a_line_each(fresh):
    """Those that show when the configuration is read, in one run; those that show in their job, in another."""
    for name, (write, _) in WORST.items():
        write(fresh.folder / name)

    def run(names):
        keys = {"loader": "anndata_file", "label_key": "type", "x_kind": "counts"}
        fresh.configure(
            {
                "run": {"name": "tiny", "tasks": [name[:-5] for name in names], "methods": ["majority"], "seeds": [0]},
                "datasets": {name[:-5]: keys | {"path": name} for name in names},
                "tasks": {name[:-5]: {"split": {"dataset": name[:-5]}} for name in names},
            }
        )
        output = fresh.run("--keep-going", ok=False)
        assert "Traceback" not in output
        for name in names:
            assert f"{name}: {WORST[name][1]}" in output, output

    at_once, in_the_job = list(WORST)[:4], list(WORST)[4:]
    run(at_once)
    assert not (fresh.folder / "results").exists()
    run(in_the_job)
    left = [path for path in (fresh.folder / "results/data").rglob("*") if path.suffix in (".h5ad", ".part")]
    assert left == []


def test_own_data_run_and_run_again_when_the_file_changes(fresh):
    own_data(fresh, cells(), normalize=True, keep_labels=["NA"])
    fresh.target = "results/tiny/tables/table2.md"
    fresh.run()
    prepared = io.read_h5ad(fresh.folder / "results/data/mine.h5ad")
    assert np.asarray(prepared.X.sum(axis=1)) == pytest.approx(10_000, rel=1e-5)
    assert prepared.uns["x_kind"] == "normalized"
    assert prepared.uns["files"][0] == f"mine.h5ad sha256 {io.sha256(fresh.folder / 'mine.h5ad')}"
    solution = pd.read_csv(fresh.folder / "results/tiny/tasks/mine/solution.tsv.gz", sep="\t", keep_default_na=False)
    assert set(solution["label"]) == {"T cell/CD4+", "B", "NA", "<script>"}
    assert fresh.pending() == set()
    cells(40).write_h5ad(fresh.folder / "mine.h5ad")
    assert ("dataset",) in fresh.pending()

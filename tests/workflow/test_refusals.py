"""What cannot run is refused with one clear line, before any work."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import yaml

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


def test_bad_data_stop_with_their_own_line(fresh):
    adata = cells()
    adata.X[3, 3] = -1
    own_data(fresh, adata)
    refused(fresh, "mine.h5ad: X holds 1 negative values (lowest -1), which 'counts' cannot have")
    assert not (fresh.folder / "results/data/mine.h5ad").exists()


def test_own_data_run_and_run_again_when_the_file_changes(fresh):
    own_data(fresh, cells(), normalize=True)
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

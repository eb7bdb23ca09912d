"""What every dataset must hold to, found by discovery."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

import original_formats as formats
from jindbench import registry
from jindbench.data import checks
from jindbench.data.parameters import Origin
from jindbench.datasets import anndata_file
from jindbench.tables import published

REPOSITORY = Path(__file__).parents[2]


def prepared(name, tmp_path):
    """Module, parameters and file: embedded data as they are, downloaded ones in small, and the toy cells in a file."""
    module = registry.component("datasets", name)
    if name in formats.FILES:
        if name in formats.NEED_R and shutil.which("Rscript") is None:
            pytest.skip("Rscript was not found (make setup installs it where it can)")
        return module, formats.parameters(module), formats.write(name, tmp_path)
    if module is not anndata_file:
        chosen = module.Parameters()
        hint = f"{name} is downloaded: write a small file of its format in FILES of tests/original_formats.py"
        assert not module.origins(chosen), hint
        return module, chosen, None
    toy = registry.component("datasets", "toy")
    cells, path = toy.load(toy.Parameters(n_source=40, n_target=30, n_genes=20)), tmp_path / "cells.h5ad"
    cells.write_h5ad(path)
    return module, module.Parameters(path=str(path), label_key="label", batch_key="batch", x_kind="counts"), path


@pytest.mark.parametrize("name", registry.names("datasets"))
def test_dataset_keeps_the_contract(name, tmp_path):
    module, chosen, path = prepared(name, tmp_path)
    cells = module.load(chosen, path)
    assert sparse.isspmatrix_csr(cells.X)
    assert cells.X.dtype == np.float32
    assert set(cells.obs.columns) == {"label", "batch"}
    assert sorted(cells.obs["batch"].unique()) == sorted(module.batches(chosen))
    assert cells.uns["x_kind"] in checks.X_KINDS
    assert isinstance(cells.uns["source"], str)
    assert all(isinstance(origin, Origin) for origin in module.origins(chosen))
    assert bool(module.origins(chosen)) == (path is not None)
    again = checks.to_contract(cells, name, fractional_counts=True)  # passes its own checks
    assert again.shape == cells.shape


PUBLISHED = published.read(REPOSITORY / "workflow/resources/published_values.tsv")
TABLE_1 = PUBLISHED[PUBLISHED["table"] == 1]


@pytest.mark.parametrize("name", TABLE_1["name"].unique())
def test_the_papers_datasets_expect_what_table_1_says(name):
    row = TABLE_1[TABLE_1["name"] == name].set_index("metric")["value"]
    content = registry.component("datasets", name).CONTENT
    assert (content.cells, content.genes, content.types) == (row["cells"], row["genes"], row["cell_types"])
    assert len(content.batches) == row.get("batches", 1)


def test_toy_is_what_the_demo_needs():
    toy = registry.component("datasets", "toy")
    cells = toy.load(toy.Parameters())
    shares = cells.obs.groupby("batch")["label"].value_counts(normalize=True).unstack(fill_value=0)
    assert (shares.loc["source"] > 0).sum() >= 6
    assert shares.loc["source"].max() > 10 * shares.loc["source"][shares.loc["source"] > 0].min()
    assert (shares.loc["source"] - shares.loc["target"]).abs().sum() > 0.3
    only_target = shares.columns[(shares.loc["source"] == 0) & (shares.loc["target"] > 0)]
    assert list(only_target) == ["Ependymal"]
    depth = cells.obs.assign(total=np.asarray(cells.X.sum(axis=1)).ravel()).groupby("batch")["total"].median()
    assert depth["source"] > 1.5 * depth["target"]
    again = toy.load(toy.Parameters())
    assert (again.X != cells.X).nnz == 0
    assert (toy.load(toy.Parameters(seed=1)).X != cells.X).nnz > 0

"""What every dataset must hold to, found by discovery."""

import numpy as np
import pytest
from scipy import sparse

from jindbench import dataset_checks, registry
from jindbench.datasets import anndata_file


def parameters(name, tmp_path):
    """Default parameters; the file loader reads a file made from the toy cells."""
    module = registry.component("datasets", name)
    if module is not anndata_file:
        return module, module.Parameters()
    toy = registry.component("datasets", "toy")
    cells = toy.load(toy.Parameters(n_source=40, n_target=30, n_genes=20))
    cells.write_h5ad(tmp_path / "cells.h5ad")
    return module, module.Parameters(
        path=str(tmp_path / "cells.h5ad"), label_key="label", batch_key="batch", x_kind="counts"
    )


@pytest.mark.parametrize("name", registry.names("datasets"))
def test_dataset_keeps_the_contract(name, tmp_path):
    module, chosen = parameters(name, tmp_path)
    cells = module.load(chosen)
    assert sparse.isspmatrix_csr(cells.X)
    assert cells.X.dtype == np.float32
    assert set(cells.obs.columns) == {"label", "batch"}
    assert sorted(cells.obs["batch"].unique()) == module.batches(chosen)
    assert cells.uns["x_kind"] in dataset_checks.X_KINDS
    assert isinstance(cells.uns["source"], str)
    assert isinstance(module.files(chosen), list)
    assert dataset_checks.to_contract(cells, name).shape == cells.shape  # passes its own checks again


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

"""JIND on a GPU. Skipped where there is none, which is everywhere in CI."""

import numpy as np
import pytest
import torch
from scipy import sparse

from jindbench.datasets import toy
from jindbench.jind.estimator import JIND
from jindbench.jind.model import Rows

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
SETTINGS = {"classifier": {"epochs": 5}, "alignment": {"epochs": 2, "short_epoch_iterations": 50}}


@pytest.fixture(scope="module")
def sides():
    adata = toy.load(toy.Parameters(n_source=1000, n_target=500, n_genes=300))
    return [adata[adata.obs["batch"] == batch].copy() for batch in ("source", "target")]


def test_rows_are_the_same_on_a_gpu():
    X = sparse.random(50, 30, density=0.2, format="csr", dtype=np.float32, rng=0)
    X[7] = 0  # a cell without any gene
    X.eliminate_zeros()
    rows = np.array([3, 7, 49, 3, 0])
    assert (Rows(X, torch.device("cuda"))[rows].cpu().numpy() == X[rows].toarray()).all()


def test_a_stored_model_says_the_same_on_a_gpu(sides, tmp_path):
    source, target = sides
    JIND(seed=0, device="cpu", **SETTINGS).fit(source, label_key="label").align(target).save(tmp_path)
    cpu, gpu = (JIND.load(tmp_path, device=device).predict(target) for device in ("cpu", "cuda"))
    assert (cpu["raw_label"] == gpu["raw_label"]).all()
    for column in ("confidence", "threshold", "novelty"):
        assert np.allclose(cpu[column], gpu[column], atol=1e-4)


def test_training_on_a_gpu_repeats_and_learns(sides):
    """A GPU draws other random numbers for dropout than a CPU, so its labels differ as those of another seed do."""
    source, target = sides
    truth = target.obs["label"].to_numpy(dtype=str)
    tables = [
        JIND(seed=0, device="cuda", **SETTINGS).fit(source, label_key="label").align(target).predict(target)
        for _ in range(2)
    ]
    assert tables[0].equals(tables[1])
    assert (tables[0]["raw_label"].to_numpy(dtype=str) == truth).mean() >= 0.8

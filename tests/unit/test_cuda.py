"""JIND on a graphics card gives what it gives on the CPU. Skipped where there is none, which is everywhere in CI."""

import numpy as np
import pytest
import torch

from jindbench.datasets import toy
from jindbench.jind.estimator import JIND

# Sums in another order differ in the last bit, and training enlarges that.
SHARE_OF_SAME_LABELS, MEAN_DIFFERENCE = 0.97, 0.02


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_a_card_gives_what_the_cpu_gives():
    adata = toy.load(toy.Parameters(n_source=1000, n_target=500, n_genes=300))
    source, target = (adata[adata.obs["batch"] == batch].copy() for batch in ("source", "target"))
    tables = []
    for device in ("cpu", "cuda"):
        reference = JIND(
            seed=0, device=device, classifier={"epochs": 5}, alignment={"epochs": 2, "short_epoch_iterations": 50}
        ).fit(source, label_key="label")
        tables.append(reference.align(target).predict(target))
    cpu, card = tables
    assert (cpu["raw_label"].to_numpy() == card["raw_label"].to_numpy()).mean() >= SHARE_OF_SAME_LABELS
    assert np.abs(cpu["confidence"].to_numpy() - card["confidence"].to_numpy()).mean() <= MEAN_DIFFERENCE

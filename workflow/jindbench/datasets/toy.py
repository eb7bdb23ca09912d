"""Simulated counts of two batches, for the demo and the tests.

Each cell type has its own expression profile; counts are negative binomial. The target batch differs from the source
by a factor for each gene (the batch effect) and its sequencing depth; unless `same_composition`, also by its
composition, and it has one type that the source lacks.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from pydantic import Field
from scipy import sparse

from jindbench.data.checks import to_contract
from jindbench.data.parameters import CountParameters, Origin
from jindbench.names import BATCH, COUNTS, LABEL, SOURCE, X_KIND

# type: share of the cells in the source batch and in the target batch
COMPOSITION = {
    "Neuron": (0.40, 0.22),
    "Astrocyte": (0.25, 0.15),
    "Oligodendrocyte": (0.16, 0.28),
    "Microglia": (0.10, 0.14),
    "Endothelial": (0.06, 0.09),
    "Pericyte": (0.03, 0.05),
    "Ependymal": (0.00, 0.07),
}


class Parameters(CountParameters):
    n_source: int = Field(600, ge=20, description="Cells in the batch `source`.")
    n_target: int = Field(350, ge=20, description="Cells in the batch `target`.")
    n_genes: int = Field(400, ge=10, description="Genes.")
    batch_effect: float = Field(
        0.5, ge=0, description="Standard deviation of the genes' log fold changes between the batches."
    )
    same_composition: bool = Field(
        False, description="The target has the source's types in the source's shares, as JIND's alignment assumes."
    )
    seed: int = Field(0, ge=0, description="Seed of the simulation.")


def origins(parameters: Parameters) -> list[Origin]:
    return []


def batches(parameters: Parameters) -> list[str]:
    return ["source", "target"]


def shape(parameters: Parameters) -> tuple[int, int]:
    return parameters.n_source + parameters.n_target, parameters.n_genes


def load(parameters: Parameters, path: Path | None = None) -> AnnData:
    rng = np.random.default_rng(parameters.seed)
    types = list(COMPOSITION)

    # Expression profiles: a common base, and for each type 8 % of the genes up or down.
    base = rng.gamma(0.6, 1.0, parameters.n_genes)
    is_marker = rng.random((len(types), parameters.n_genes)) < 0.08
    profiles = base * np.exp(is_marker * rng.normal(0, 1.6, is_marker.shape))
    profiles /= profiles.sum(axis=1, keepdims=True)
    # Pericytes resemble endothelial cells, so that some cells should be rejected.
    profiles[types.index("Pericyte")] = (
        0.35 * profiles[types.index("Pericyte")] + 0.65 * profiles[types.index("Endothelial")]
    )
    gene_effect = np.exp(rng.normal(0, parameters.batch_effect, parameters.n_genes))

    batch_sizes = {"source": parameters.n_source, "target": parameters.n_target}
    depths = {"source": 1500, "target": 700}
    counts, obs = [], []
    for batch, n_cells in batch_sizes.items():
        column = int(batch == "target" and not parameters.same_composition)
        shares = np.array([composition[column] for composition in COMPOSITION.values()])
        cell_types = rng.choice(len(types), size=n_cells, p=shares / shares.sum())
        depth = depths[batch] * rng.lognormal(0, 0.35, n_cells)
        mean = profiles[cell_types] * (gene_effect if batch == "target" else 1) * depth[:, None]
        dispersion = 0.3  # variance = mean + dispersion * mean^2
        counts.append(rng.poisson(mean * rng.gamma(1 / dispersion, dispersion, mean.shape)))
        obs.append(pd.DataFrame({LABEL: np.array(types)[cell_types], BATCH: batch}))

    obs = pd.concat(obs, ignore_index=True)
    obs.index = [f"cell{i}" for i in range(len(obs))]
    var = pd.DataFrame(index=[f"gene{i}" for i in range(parameters.n_genes)])
    adata = AnnData(sparse.csr_matrix(np.vstack(counts), dtype=np.float32), obs=obs, var=var)
    adata.uns = {X_KIND: COUNTS, SOURCE: f"simulated, seed {parameters.seed}"}
    return to_contract(adata, "toy")

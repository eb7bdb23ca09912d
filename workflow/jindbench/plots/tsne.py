"""tSNE of cells, for pictures: 50 principal components, perplexity 50, seeded (the authors' settings)."""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from jindbench.data.preprocess import most_variable_genes, transform
from jindbench.names import X_KIND

N_COMPONENTS = 50
PERPLEXITY = 50
N_GENES = 5000
ITERATIONS = 500, 250  # the second of at most FEW_CELLS, whose places have settled by then
FEW_CELLS = 2000

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Map:
    """A tSNE of some cells, on which others can be placed.

    Attributes
    ----------
    coordinates
        Of the cells that it was made of, n x 2.
    components, embedding
        scikit-learn's PCA and openTSNE's embedding; None where there were too few cells or features.
    """

    coordinates: np.ndarray
    components: Any = None
    embedding: Any = None

    def place(self, X: np.ndarray) -> np.ndarray:
        """Coordinates, n x 2, of other cells: each at the median of its nearest neighbours (openTSNE)."""
        X = X if self.components is None else self.components.transform(X.astype(np.float64))
        return np.asarray(self.embedding.prepare_partial(np.asarray(X, dtype=float)))


def tsne(X: sparse.csr_matrix | np.ndarray, seed: int, threads: int) -> np.ndarray:
    """Coordinates of cells by tSNE of their principal components, n x 2; see `tsne_map`."""
    return tsne_map(X, seed, threads).coordinates


def tsne_map(X: sparse.csr_matrix | np.ndarray, seed: int, threads: int) -> Map:
    """A tSNE of cells, made of their principal components.

    Parameters
    ----------
    X
        n cells x features. Sparse input is centred without being made dense.

    Returns
    -------
    The same seed and number of threads give the same numbers. With few cells there are fewer components and a lower
    perplexity (a third of the cells), which the log says; with fewer than four, all lie at the origin.
    """
    from openTSNE import TSNE
    from sklearn.decomposition import PCA

    n_cells, pca = X.shape[0], None
    if n_cells < 4:
        log.warning("%d cells are too few for a tSNE", n_cells)
        return Map(np.zeros((n_cells, 2)))
    components, perplexity = min(N_COMPONENTS, n_cells - 1, X.shape[1] - 1), min(PERPLEXITY, (n_cells - 1) / 3)
    if (components, perplexity) != (N_COMPONENTS, PERPLEXITY):
        log.info("%d components and perplexity %.3g, with %d cells and %d features", components, perplexity, *X.shape)
    if components > 0:
        pca = PCA(components, svd_solver="arpack", random_state=seed)
        X = pca.fit_transform(X.astype(np.float64))
    n_iter = ITERATIONS[n_cells <= FEW_CELLS]
    fitted = TSNE(perplexity=perplexity, n_iter=n_iter, random_state=seed, n_jobs=threads).fit(
        np.asarray(X, dtype=float)
    )
    return Map(np.asarray(fitted), pca, fitted)


def expression_tsne(adata: AnnData, seed: int, threads: int) -> np.ndarray:
    """Coordinates, n x 2, of cells by tSNE of their own 5000 most variable genes (paper, Figures 3 and 4)."""
    X = transform(adata.X, adata.uns[X_KIND])
    return tsne(X[:, most_variable_genes(X, N_GENES)], seed, threads)


def table(cells: pd.DataFrame, points: np.ndarray) -> pd.DataFrame:
    """A row for each cell, with its place."""
    return cells.assign(tsne_1=points[:, 0], tsne_2=points[:, 1])

"""tSNE of cells, for pictures: 50 principal components, perplexity 50, seeded (the authors' settings)."""

import logging
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from jindbench.data.preprocess import most_variable_genes, transform
from jindbench.names import X_KIND

if TYPE_CHECKING:
    from openTSNE import TSNEEmbedding

N_COMPONENTS = 50
PERPLEXITY = 50
N_GENES = 5000
ITERATIONS = 500, 250  # the second of at most FEW_CELLS, whose places have settled by then
FEW_CELLS = 2000
FEWEST = 4  # cells of a tSNE

log = logging.getLogger(__name__)


def tsne(X: sparse.csr_matrix | np.ndarray, seed: int, threads: int) -> np.ndarray:
    """Coordinates of cells by tSNE of their principal components, n x 2.

    Parameters
    ----------
    X
        n cells x features. Sparse input is centred without being made dense.

    Returns
    -------
    The same seed and number of threads give the same numbers. With few cells there are fewer components and a lower
    perplexity (a third of the cells), which the log says; with fewer than four, all lie at the origin.
    """
    from sklearn.decomposition import PCA

    n_cells = X.shape[0]
    if n_cells < FEWEST:
        log.warning("%d cells are too few for a tSNE", n_cells)
        return np.zeros((n_cells, 2))
    components = min(N_COMPONENTS, n_cells - 1, X.shape[1] - 1)
    if components < N_COMPONENTS:
        log.info("%d components, with %d cells and %d features", components, *X.shape)
    if components > 0:
        X = PCA(components, svd_solver="arpack", random_state=seed).fit_transform(X.astype(np.float64))
    return np.asarray(embed(X, seed, threads))


def embed(X: np.ndarray, seed: int, threads: int, **options: float) -> "TSNEEmbedding":
    """A tSNE of four cells or more, on which others can be placed.

    Parameters
    ----------
    X
        n cells x features, which are taken as they are.
    options
        Of `openTSNE.TSNE`.
    """
    from openTSNE import TSNE

    perplexity = min(PERPLEXITY, (len(X) - 1) / 3)
    if perplexity < PERPLEXITY:
        log.info("perplexity %.3g, with %d cells", perplexity, len(X))
    options = {"n_iter": ITERATIONS[len(X) <= FEW_CELLS], "perplexity": perplexity} | options
    return TSNE(random_state=seed, n_jobs=threads, **options).fit(np.asarray(X, dtype=float))


def expression_tsne(adata: AnnData, seed: int, threads: int) -> np.ndarray:
    """Coordinates, n x 2, of cells by tSNE of their own 5000 most variable genes (paper, Figures 3 and 4)."""
    X = transform(adata.X, adata.uns[X_KIND])
    return tsne(X[:, most_variable_genes(X, N_GENES)], seed, threads)


def table(cells: pd.DataFrame, points: np.ndarray) -> pd.DataFrame:
    """A row for each cell, with its place."""
    return cells.assign(tsne_1=points[:, 0], tsne_2=points[:, 1])

"""How hard a dataset is to annotate: the kNN score of the paper's Table 1 (Methods, 'Datasets')."""

import warnings

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from jindbench.data.preprocess import columns, most_variable_genes, transform
from jindbench.data.tasks import Split, rows_of_split
from jindbench.names import BATCH, LABEL, X_KIND

N_GENES = 5000
N_COMPONENTS = 20
N_NEIGHBORS = 3
UMAP_NEIGHBORS = 15  # umap-learn's default, which the authors left as it is
FOLDS = 5
MIN_CELLS = 10  # with fewer, a fold of the cross-validation could have too few cells to learn from


def knn_scores(X: sparse.csr_matrix, labels: np.ndarray, *, seed: int, threads: int) -> dict[str, float]:
    """Accuracy of 3-NN on a UMAP embedding of one batch of cells (paper, Table 1), in two variants.

    Both use one embedding: the 5000 most variable genes, UMAP to 20 dimensions. UMAP does not see the labels.

    Parameters
    ----------
    X
        Cells x genes, on a log scale.
    labels
        Cell types, one for each row of `X`.
    seed
        Seed of UMAP and of the folds. A seed makes UMAP use one thread; the authors set none.
    threads
        Threads of the search for the three neighbours.

    Returns
    -------
    `fitted`: as in the paper, fitted and scored on the same cells. Each cell is its own nearest neighbour, so the score
    is too high: with labels that mean nothing it is still far above chance.
    `held_out`: the share of cells that 3-NN labels rightly when it has not seen them, by cross-validation in five
    shuffled folds with the same shares of types. A type with fewer cells than folds is missing from some; there are
    fewer folds only if the largest type has fewer cells. A cell that is alone of its type thus counts as wrong.
    Both are NaN for fewer than 10 cells.

    Raises
    ------
    ValueError
        If `labels` is not as long as `X`.
    """
    from sklearn.neighbors import KNeighborsClassifier

    if len(labels) != X.shape[0]:
        raise ValueError(f"{len(labels)} labels for {X.shape[0]} cells")
    if X.shape[0] < MIN_CELLS:
        return {"fitted": np.nan, "held_out": np.nan}
    labels = np.asarray(labels, dtype=str)  # not the categories that a column of obs may hold
    embedding = _embedding(columns(X, most_variable_genes(X, N_GENES)), seed)
    knn = KNeighborsClassifier(N_NEIGHBORS, n_jobs=threads)
    right = np.zeros(len(labels), dtype=bool)
    for train, test in _folds(labels, seed):
        right[test] = knn.fit(embedding[train], labels[train]).predict(embedding[test]) == labels[test]
    fitted = knn.fit(embedding, labels).score(embedding, labels)
    return {"fitted": float(fitted), "held_out": float(right.mean())}


def _embedding(X: sparse.csr_matrix, seed: int) -> np.ndarray:
    """UMAP coordinates, cells x 20. X stays sparse, but where most values are stored.

    UMAP is faster with dense cells; its copies of them are smaller there.
    """
    # Slow to import. It also fixes numba's number of threads, from the environment that `job.limit_threads` sets.
    from umap import UMAP

    if X.nnz > X.shape[0] * X.shape[1] / 2:
        X = X.toarray()
    return UMAP(
        n_components=N_COMPONENTS,
        n_neighbors=min(UMAP_NEIGHBORS, X.shape[0] - 1),
        # The spectral start takes one eigenvector more than dimensions, and there must be more cells than these.
        init="spectral" if X.shape[0] > N_COMPONENTS + 1 else "random",
        random_state=seed,
        n_jobs=1,  # a seed enforces this; any other value only gives a warning
    ).fit_transform(X)


def _folds(labels: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows to learn from and rows to score, for each fold; none if no type has a second cell."""
    from sklearn.model_selection import StratifiedKFold

    folds = min(FOLDS, max(np.unique(labels, return_counts=True)[1]))
    if folds == 1:  # whatever cell is held out, nothing is left to learn its type from
        return []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        return list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(labels, labels))


def dataset_scores(adata: AnnData, *, seed: int, threads: int) -> pd.DataFrame:
    """Score each batch by itself; the paper's value for a dataset is the mean over its batches (Table 1).

    The text scores "the source batch". Any batch of a dataset may be one; of a dataset with a single batch the source
    is the 70 % of the paper's split (`data.tasks.Split`; the authors scored that part too). It is scored besides all
    cells, on an embedding of its own.

    Parameters
    ----------
    adata
        A dataset as the workflow stores it: cells x genes, `obs["label"]`, `obs["batch"]`, `uns["x_kind"]`.
    seed, threads
        See `knn_scores`.

    Returns
    -------
    One row for each batch: batch, cells, genes, types, knn_as_published (of the source, fitted and scored on the same
    cells), knn_all_cells (the same of all cells of the batch), knn_held_out (of all cells, cross-validated), seed.
    `genes` are the dataset's, before the choice of the most variable.

    Raises
    ------
    InputError
        If X holds values that it cannot have.
    """

    def scores(cells: AnnData) -> dict[str, float]:
        labels = cells.obs[LABEL].to_numpy(dtype=str)
        return knn_scores(transform(cells.X, adata.uns[X_KIND]), labels, seed=seed, threads=threads)

    rows, batches = [], sorted(adata.obs[BATCH].unique())
    for batch in batches:
        cells = adata if len(batches) == 1 else adata[adata.obs[BATCH] == batch]
        of_all = of_source = scores(cells)
        if len(batches) == 1 and cells.n_obs >= MIN_CELLS:
            source, _ = rows_of_split(cells.n_obs, Split(dataset="dataset", rule="paper"), "complexity")
            of_source = scores(cells[source])
        rows.append(
            {
                "batch": batch,
                "cells": cells.n_obs,
                "genes": adata.n_vars,
                "types": cells.obs[LABEL].nunique(),
                "knn_as_published": of_source["fitted"],
                "knn_all_cells": of_all["fitted"],
                "knn_held_out": of_all["held_out"],
                "seed": seed,
            }
        )
    return pd.DataFrame(rows)

"""Steps between a dataset's X and a method's input. Sparse stays sparse in all of them."""

import numpy as np
from anndata import AnnData
from scipy import sparse
from sklearn.preprocessing import normalize
from sklearn.utils.sparsefuncs import incr_mean_variance_axis

from jindbench.data.matrix import BLOCK, checked
from jindbench.errors import InputError
from jindbench.names import COUNTS, INTEGRATED, NORMALIZED, SCALED, X_KIND

CELL_TOTAL = 10_000


def normalize_library_size(adata: AnnData) -> None:
    """Scale each cell of `adata.X` to a total of 10,000, in place; cells without any count stay zero.

    Raises
    ------
    InputError
        If X is already on a log scale, or scaled.
    """
    if adata.uns[X_KIND] not in (COUNTS, NORMALIZED):
        raise InputError(f"normalize: X is stated to be '{adata.uns[X_KIND]}'; only counts can be normalised")
    import scanpy as sc  # slow to import, and the jobs of methods do not need it

    sc.pp.normalize_total(adata, target_sum=CELL_TOTAL)
    adata.uns[X_KIND] = NORMALIZED


def transform(
    X: sparse.spmatrix | np.ndarray,
    x_kind: str,
    *,
    log_base: str = "2",
    cell_total: float | None = None,
    log_normalized: bool = True,
) -> sparse.csr_matrix:
    """Return the expression that a method reads: log(1 + X) (paper, Methods, 'Data preprocessing').

    Parameters
    ----------
    X
        Cells x genes; left as it is.
    x_kind
        What X holds. Logarithms, scaled and integrated values are returned as they are.
    log_base
        "2" or "e".
    cell_total
        Scale the counts of each cell to this total first.
    log_normalized
        Take the logarithm of normalized values too, not of counts alone.

    Returns
    -------
    CSR float32 matrix, cells x genes.

    Raises
    ------
    InputError
        If X is not a sound matrix (see `jindbench.data.matrix`), or has negative values where `x_kind` allows none.
    """
    X = checked(X, "X")
    if x_kind not in (SCALED, INTEGRATED) and X.data.min(initial=0) < 0:
        raise InputError(f"X holds negative values, which '{x_kind}' cannot have")
    if x_kind == COUNTS and cell_total is not None:
        X = normalize(X, norm="l1", copy=False)
        X.data *= cell_total
    if x_kind == COUNTS or (x_kind == NORMALIZED and log_normalized):
        np.log1p(X.data, out=X.data)
        if log_base == "2":
            X.data /= np.float32(np.log(2))
    return X


def most_variable_genes(X: sparse.csr_matrix, n: int | None) -> np.ndarray:
    """Columns of the `n` genes with the highest variance over the cells of `X`, in their original order.

    All columns if there are no more than `n` (paper, Methods, 'Data preprocessing') or `n` is None.
    """
    if n is None or X.shape[1] <= n:
        return np.arange(X.shape[1])
    mean, variance, seen = np.zeros((3, X.shape[1]))
    for start in range(0, X.shape[0], BLOCK):  # in float64 all cells at one time would take more than X does
        block = X[start : start + BLOCK].astype(np.float64)
        mean, variance, seen = incr_mean_variance_axis(block, axis=0, last_mean=mean, last_var=variance, last_n=seen)
    return np.sort(np.argsort(-variance, kind="stable")[:n])


def expression(
    source: AnnData, target: AnnData, n_genes: int | None, *, cell_total: float | None = None
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Transformed expression of source and target, of the `n_genes` genes that vary most in the source (None: all)."""
    X, target_X = (transform(side.X, side.uns[X_KIND], cell_total=cell_total) for side in (source, target))
    genes = most_variable_genes(X, n_genes)
    return X[:, genes], target_X[:, genes]

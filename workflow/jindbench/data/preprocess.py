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
CONSTANT = 1e-12  # a lower variance may be the rounding of a gene that does not vary


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
        Cells x genes; its values are left as they are.
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
    CSR float32 matrix, cells x genes; it may share memory with X where values are returned as they are.

    Raises
    ------
    InputError
        If X is not a sound matrix (see `jindbench.data.matrix`), or has negative values where `x_kind` allows none.
    """
    by_log = x_kind == COUNTS or (x_kind == NORMALIZED and log_normalized)
    X = checked(X, "X", copy=by_log)
    if x_kind not in (SCALED, INTEGRATED) and X.data.min(initial=0) < 0:
        raise InputError(f"X holds negative values, which '{x_kind}' cannot have")
    if x_kind == COUNTS and cell_total is not None:
        X = normalize(X, norm="l1", copy=False)
        X.data *= cell_total
    if by_log:
        np.log1p(X.data, out=X.data)
        if log_base == "2":
            X.data /= np.float32(np.log(2))
    return X


def mean_and_variance(*matrices: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Of each gene over the cells of all matrices, in float64. A copy of all of them in float64 is never made."""
    mean, variance, seen = np.zeros((3, matrices[0].shape[1]))
    for X in matrices:
        for start in range(0, X.shape[0], BLOCK):
            block = X[start : start + BLOCK].astype(np.float64)
            mean, variance, seen = incr_mean_variance_axis(
                block, axis=0, last_mean=mean, last_var=variance, last_n=seen
            )
    return mean, variance


def scaled(X: sparse.csr_matrix, scale: np.ndarray) -> sparse.csr_matrix:
    """X with each gene's values multiplied by its number in `scale`, whose type the result has; indices are shared."""
    data = scale[X.indices]
    data *= X.data
    return sparse.csr_matrix((data, X.indices, X.indptr), shape=X.shape)


def unit_scale(X: sparse.csr_matrix, *, ddof: int = 0) -> np.ndarray:
    """By what each gene is multiplied to have a variance of 1 over the cells of X; 0 where it does not vary."""
    _, variance = mean_and_variance(X)
    varies = variance > CONSTANT
    scale = np.zeros(X.shape[1])
    scale[varies] = np.sqrt((X.shape[0] - ddof) / X.shape[0] / variance[varies])
    return scale


def most_variable_genes(X: sparse.csr_matrix, n: int | None) -> np.ndarray:
    """Columns of the `n` genes with the highest variance over the cells of `X`, in their original order.

    All columns if there are no more than `n` (paper, Methods, 'Data preprocessing') or `n` is None.
    """
    if n is None or X.shape[1] <= n:
        return np.arange(X.shape[1])
    _, variance = mean_and_variance(X)
    return np.sort(np.argsort(-variance, kind="stable")[:n])


def columns(X: sparse.csr_matrix, genes: np.ndarray) -> sparse.csr_matrix:
    """X[:, genes]; where that is all of X, X itself and no copy."""
    return X if len(genes) == X.shape[1] else X[:, genes]


def expression(
    source: AnnData, target: AnnData, n_genes: int | None, *, cell_total: float | None = None
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Transformed expression of source and target, of the `n_genes` genes that vary most in the source (None: all)."""
    X, target_X = (transform(side.X, side.uns[X_KIND], cell_total=cell_total) for side in (source, target))
    genes = most_variable_genes(X, n_genes)
    return columns(X, genes), columns(target_X, genes)

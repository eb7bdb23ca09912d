"""The check of every matrix before anything computes with it: a file or a user may supply anything."""

import numpy as np
from scipy import sparse

from jindbench.errors import InputError

# No gene has more molecules in a cell; float32 holds every whole number up to here, and no network overflows.
HIGHEST = 2**24
BLOCK = 4096  # cells that are handled at one time


def checked(X: sparse.spmatrix | np.ndarray, where: str, *, copy: bool = True) -> sparse.csr_matrix:
    """Return a matrix as CSR float32, its indices sorted, without duplicates or stored zeros.

    Parameters
    ----------
    X
        Cells x genes, dense or sparse, of any type of real numbers.
    where
        What an error calls the matrix.
    copy
        Leave X as it is. Without a copy its values may be sorted in place, and an atlas takes half the memory.

    Raises
    ------
    InputError
        If X is not a matrix of real numbers, its sparse parts contradict each other (as in a damaged file), or a value
        is NaN, infinite or larger than `HIGHEST`.
    """
    if not (isinstance(X, np.ndarray) or sparse.issparse(X)) or X.ndim != 2:
        raise InputError(f"{where} is a {type(X).__name__}; expected a dense or sparse matrix of numbers")
    if X.dtype.kind not in "biuf":
        raise InputError(f"{where} holds {X.dtype}; expected real numbers")
    if sparse.issparse(X) and X.format in ("csr", "csc"):
        # Two faults that scipy's own check misses: parts that are not arrays, and pointers that decrease.
        arrays = all(isinstance(part, np.ndarray) for part in (X.data, X.indices, X.indptr))
        if not arrays or (np.diff(X.indptr) < 0).any():
            raise InputError(f"{where} is a sparse matrix without indices in order")
        try:
            X.check_format(full_check=True)  # where an index is too high, scipy would write outside its memory
        except ValueError as error:
            raise InputError(f"{where} is a sparse matrix that contradicts itself: {error}") from error
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, and is refused as that
        X = sparse.csr_matrix(X.astype(np.float32, copy=copy and sparse.issparse(X)))  # a dense one is copied anyway
    X.sum_duplicates()
    X.eliminate_zeros()
    if not np.isfinite(X.data).all():
        raise InputError(f"{where} holds values that are NaN or infinite: {(~np.isfinite(X.data)).sum():,}")
    highest = max(X.data.max(initial=0), -X.data.min(initial=0))
    if highest > HIGHEST:
        raise InputError(f"{where} holds values up to {highest:g}; no expression is beyond {HIGHEST:,}")
    return X

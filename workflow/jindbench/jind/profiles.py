"""How unlike its type a cell is in its expression, which the confidence of a classifier does not tell.

Not the paper's: for the novelty of the preset `robust` (docs/robust-alignment.md, 'New types').
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from jindbench.data.matrix import BLOCK


@dataclass(frozen=True)
class Profiles:
    """The source's types by their mean expression.

    Attributes
    ----------
    means
        Mean transformed expression of each of the K types, K x M.
    typical
        The median `likeness` of each type's source cells to the other cells of their type, K values.
    """

    means: np.ndarray
    typical: np.ndarray

    @classmethod
    def of(cls, X: sparse.csr_matrix, types: np.ndarray, n_types: int) -> "Profiles":
        """Those of a source, block by block: transformed expression, N_s x M, and the type of each cell, 0 to K - 1.

        A cell is compared with its type as it is without the cell, else the cells of small types would seem to be very
        much like it. What is typical of a type of one cell is not known, and taken to be the median of the others'.
        """
        sizes, sums = np.bincount(types, minlength=n_types), np.zeros((n_types, X.shape[1]))
        blocks = [slice(start, start + BLOCK) for start in range(0, len(types), BLOCK)]
        for block in blocks:
            sums += (sparse.csr_matrix(np.eye(n_types)[:, types[block]]) @ X[block]).toarray()
        means = sums / sizes[:, None]
        own = np.concatenate([_to_the_others(X[block], types[block], means, sizes) for block in blocks])
        medians = np.array([np.median(own[types == k]) for k in range(n_types)])
        known = medians[sizes > 1]
        return cls(means, np.where(sizes > 1, medians, np.median(known) if len(known) else 0.0))

    def unlikeness(self, X: sparse.csr_matrix, types: np.ndarray, measured: np.ndarray | None = None) -> np.ndarray:
        """How much less like its type each of n cells is than the type's source cells typically are.

        `measured`: which of the M genes the cells' file has; zeros of the others say nothing. None: all.
        """
        return self.typical[types] - self.likeness(X, types, measured)

    def likeness(self, X: sparse.csr_matrix, types: np.ndarray, measured: np.ndarray | None = None) -> np.ndarray:
        """Pearson correlation over genes of each of n cells with one of the types, as differences from the mean type.

        What all types have in common would make any cell like any of them. X stays sparse.

        Returns
        -------
        n values from -1 to 1; 0 where a cell or a type does not differ from the mean.
        """
        genes = slice(None) if measured is None or measured.all() else measured
        ab, aa, bb = _products(X[:, genes], types, self.means[:, genes])
        return _correlation(ab, aa, bb)


def _products(X: sparse.csr_matrix, types: np.ndarray, means: np.ndarray) -> tuple[np.ndarray, ...]:
    """For each cell a @ b, a @ a and b @ b: what is left of the cell and of its type, each centred over genes."""
    X = X.astype(np.float64)
    mean = means.mean(axis=0)
    apart = means - mean
    apart -= apart.mean(axis=1, keepdims=True)
    ab = (X @ apart.T)[np.arange(len(types)), types] - (apart @ mean)[types]
    aa = np.asarray(X.multiply(X).sum(axis=1)).ravel() - 2 * (X @ mean) + mean @ mean
    aa -= (np.asarray(X.sum(axis=1)).ravel() - mean.sum()) ** 2 / len(mean)  # centring
    return ab, aa.clip(min=0), (apart**2).sum(axis=1)[types]


def _to_the_others(X: sparse.csr_matrix, types: np.ndarray, means: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Likeness of source cells to the other cells of their type.

    Without a cell its type's mean less the mean of all K types' means is b + t (b - a), and the cell less the latter
    a - u (b - a), with u = 1 / (K (size - 1)) and t = (K - 1) u. So their products follow from those of a and b.
    """
    ab, aa, bb = _products(X, types, means)
    u = 1 / (len(means) * np.maximum(sizes[types] - 1, 1))
    t = (len(means) - 1) * u
    return _correlation(
        ((1 + u) * (1 + t) + u * t) * ab - (1 + u) * t * aa - u * (1 + t) * bb,
        (1 + u) ** 2 * aa - 2 * u * (1 + u) * ab + u**2 * bb,
        (1 + t) ** 2 * bb - 2 * t * (1 + t) * ab + t**2 * aa,
    )


def _correlation(ab: np.ndarray, aa: np.ndarray, bb: np.ndarray) -> np.ndarray:
    norms = np.sqrt((aa * bb).clip(min=0))
    return np.divide(ab, norms, out=np.zeros(len(ab)), where=norms > 1e-9)

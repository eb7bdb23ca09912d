"""How unlike its type a cell is in its expression, which the confidence of a classifier does not tell.

Not the paper's: for the novelty of the preset `robust` (docs/robust-alignment.md, 'New types').
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from jindbench.jind.expression import BLOCK


@dataclass(frozen=True)
class Profiles:
    """The source's types by their mean expression.

    Attributes
    ----------
    means
        Mean transformed expression of each of the K types, K x M.
    typical
        The median `likeness` of each type's source cells to their own type, K values.
    """

    means: np.ndarray
    typical: np.ndarray

    @classmethod
    def of(cls, X: sparse.csr_matrix, types: np.ndarray, n_types: int) -> "Profiles":
        """Those of a source, block by block: transformed expression, N_s x M, and the type of each cell, 0 to K - 1."""
        blocks = [slice(start, start + BLOCK) for start in range(0, len(types), BLOCK)]
        sums = np.zeros((n_types, X.shape[1]))
        for block in blocks:
            sums += (sparse.csr_matrix(np.eye(n_types)[:, types[block]]) @ X[block]).toarray()
        means = sums / np.bincount(types, minlength=n_types)[:, None]
        unknown = cls(means, np.zeros(n_types))
        own = np.concatenate([unknown.likeness(X[block], types[block]) for block in blocks])
        return cls(means, np.array([np.median(own[types == k]) for k in range(n_types)]))

    def likeness(self, X: sparse.csr_matrix, types: np.ndarray) -> np.ndarray:
        """Pearson correlation over genes of each of n cells with one of the types, as differences from the mean type.

        What all types have in common would make any cell like any of them. X stays sparse.

        Returns
        -------
        n values from -1 to 1; 0 where a cell or a type does not differ from the mean.
        """
        means, X = self.means.astype(np.float64), X.astype(np.float64)
        mean = means.mean(axis=0)
        types_apart = means - mean
        types_apart -= types_apart.mean(axis=1, keepdims=True)
        products = X @ types_apart.T - types_apart @ mean
        # |x - mean|^2 over genes, and from it what the mean over genes takes away
        squares = np.asarray(X.multiply(X).sum(axis=1)).ravel() - 2 * (X @ mean) + mean @ mean
        squares -= (np.asarray(X.sum(axis=1)).ravel() - mean.sum()) ** 2 / len(mean)
        norms = np.sqrt(squares.clip(min=0)) * np.linalg.norm(types_apart, axis=1)[types]
        of_type = products[np.arange(len(types)), types]
        return np.divide(of_type, norms, out=np.zeros(len(types)), where=norms > 1e-9)

    def unlikeness(self, X: sparse.csr_matrix, types: np.ndarray) -> np.ndarray:
        """How much less like its type each of n cells is than the type's source cells typically are."""
        return self.typical[types] - self.likeness(X, types)

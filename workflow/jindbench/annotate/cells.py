"""The cells of one opened file: their names, the genes of each matrix, and the values, block by block."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from jindbench.data.matrix import BLOCK, checked
from jindbench.data.remedies import hint
from jindbench.errors import InputError

SAMPLE = 1000  # cells that show what a matrix holds, before all of them are read


class Cells(ABC):
    """An opened file. The constructor reads names only; values are read when they are asked for.

    Attributes
    ----------
    path
        The file or folder.
    format
        What it is, for people.
    cell_ids
        Names of the n cells.
    genes
        For each matrix, by its place in the file, the table of its genes (`var`).
    taken
        Names of `obs` columns and `obsm` entries that exist already.
    linked
        Those of `obs` and `obsm` that are links, which a copy of the file would follow.
    """

    path: Path
    format: str
    cell_ids: pd.Index
    genes: dict[str, pd.DataFrame]
    taken: list[str]
    linked: list[str]

    def blocks(self, place: str, stop: int | None = None) -> Iterator[sparse.csr_matrix]:
        """The matrix at a place, checked, `BLOCK` cells at a time: all cells or the first `stop`.

        Raises
        ------
        InputError
            If it cannot be read, has another shape than the file's names, or fails `jindbench.data.matrix.checked`.
        """
        stop = len(self.cell_ids) if stop is None else min(stop, len(self.cell_ids))
        with self._matrix(place) as matrix:
            shape = len(self.cell_ids), len(self.genes[place])
            if matrix.shape != shape:
                names = f"{shape[0]} cells x {shape[1]} genes"
                raise InputError(f"{self.path}: {place} has the shape {matrix.shape}, but the file names {names}")
            for start in range(0, stop, BLOCK):
                try:
                    rows = matrix[start : min(start + BLOCK, stop)]
                except Exception as error:  # damage shows only now; h5py and anndata raise many kinds
                    raise InputError(
                        f"{self.path}: {place} cannot be read: {one_line(error)}{hint(self.path)}"
                    ) from error
                yield checked(rows, f"{self.path}: {place}")

    def sample(self, place: str) -> Iterator[sparse.csr_matrix]:
        """The first cells of a matrix, as `blocks` yields them."""
        return self.blocks(place, SAMPLE)

    def has_cheap_sample(self, place: str) -> bool:
        """Whether `sample` can do without reading the whole matrix."""
        return True

    def rows(self, place: str, chosen: np.ndarray) -> sparse.csr_matrix:
        """Some cells of the matrix at a place; `chosen` are their positions, in order."""
        parts = [
            block[chosen[(chosen >= start) & (chosen < start + BLOCK)] - start]
            for start, block in zip(range(0, len(self.cell_ids), BLOCK), self.blocks(place), strict=True)
        ]
        return sparse.vstack(parts, format="csr")

    @abstractmethod
    def copy(self, path: Path) -> None:
        """Write the cells as an AnnData file, to which columns can be added."""

    @abstractmethod
    def _matrix(self, place: str) -> AbstractContextManager:
        """An object with the matrix's `shape`, from which rows can be sliced."""


@contextmanager
def readable(path: Path, kind: str) -> Iterator[None]:
    """Turn whatever reading a damaged or different file raises into one line."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # h5py, anndata and scipy raise many kinds, all of which mean the same to the user
        raise InputError(f"{path}: not a readable {kind}: {one_line(error)}{hint(path)}") from error


def one_line(error: Exception) -> str:
    """What an error says, without line breaks."""
    return " ".join(f"{error}".split())

"""A user's file: which matrices it has, what they hold, and its cells block by block; nothing is read as a whole."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from jindbench.dataset_checks import HIGHEST_LOG
from jindbench.errors import InputError
from jindbench.jind.expression import BLOCK
from jindbench.matrix import checked
from jindbench.names import COUNTS, LOG, NORMALIZED, SCALED

log = logging.getLogger(__name__)

LOOK = 1000  # cells that show what a matrix holds, before the one that is taken is checked as a whole
SAME_TOTAL = 0.01  # cells' totals that differ by no more than this share were made equal
USABLE = (COUNTS, NORMALIZED, LOG)  # the best first


@dataclass(frozen=True)
class Content:
    """What a matrix holds, by its values.

    Attributes
    ----------
    place
        Of the matrix in the file: "X", "layers/NAME" or "raw/X".
    kind
        One of `names.X_KINDS`; None where it is neither.
    why
        What it was told by.
    empty
        Number of cells without any count.
    """

    place: str
    kind: str | None
    why: str
    empty: int = 0


class Cells(ABC):
    """The cells of a file.

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
        Names of `obs` columns and `obsm` entries that are there already.
    """

    path: Path
    format: str
    cell_ids: pd.Index
    genes: dict[str, pd.DataFrame]
    taken: list[str]

    def blocks(self, place: str, stop: int | None = None) -> Iterator[sparse.csr_matrix]:
        """The matrix at a place, checked, `BLOCK` cells at a time: all of them or the first `stop`.

        Raises
        ------
        InputError
            If it cannot be read, or is no sound matrix (see `jindbench.matrix`).
        """
        stop = len(self.cell_ids) if stop is None else min(stop, len(self.cell_ids))
        with self._matrix(place) as matrix:
            for start in range(0, stop, BLOCK):
                try:
                    rows = matrix[start : min(start + BLOCK, stop)]
                except Exception as error:  # a damaged file, read only now: h5py and anndata raise many kinds
                    raise InputError(f"{self.path}: {place} cannot be read: {error}".replace("\n", " ")) from error
                yield checked(rows, f"{self.path}: {place}")

    @abstractmethod
    def _matrix(self, place: str) -> AbstractContextManager[sparse.spmatrix | np.ndarray]:
        """The matrix, rows of which can be taken."""

    def rows(self, place: str, chosen: np.ndarray) -> sparse.csr_matrix:
        """Some cells of the matrix at a place; `chosen` are their positions, in order."""
        parts = [
            block[chosen[(chosen >= start) & (chosen < start + BLOCK)] - start]
            for start, block in zip(range(0, len(self.cell_ids), BLOCK), self.blocks(place), strict=True)
        ]
        return sparse.vstack(parts, format="csr")


class AnnDataFile(Cells):
    """An .h5ad file; matrices stay on disk, and of `obs` only the cells' names are read."""

    format = "AnnData file (.h5ad)"

    def __init__(self, path: Path):
        self.path = path
        with readable(path, self.format), h5py.File(path) as file:
            if not {"obs", "var"} <= set(file):
                raise InputError(f"{path}: not an AnnData (.h5ad) file: it has no obs or no var")
            if not (isinstance(file["obs"], h5py.Group) and isinstance(file["var"], h5py.Group)):
                raise InputError(
                    f"{path}: written by an anndata before 0.7; read it with anndata.read_h5ad and write it anew"
                )
            var, obs = ad.io.read_elem(file["var"]), file["obs"]
            self.cell_ids = pd.Index(ad.io.read_elem(obs[obs.attrs["_index"]])).astype(str)
            self.taken = [*obs.attrs["column-order"], *file.get("obsm", {})]
            places = {"X": var} | {f"layers/{name}": var for name in file.get("layers", {})}
            if isinstance(file.get("raw"), h5py.Group):  # else it may be there as nothing
                places["raw/X"] = ad.io.read_elem(file["raw/var"])
            self.genes = {place: genes for place, genes in places.items() if not _is_nothing(file.get(place))}
            for place, genes in self.genes.items():
                shape = file[place].attrs["shape"] if isinstance(file[place], h5py.Group) else file[place].shape
                if tuple(shape) != (len(self.cell_ids), len(genes)):
                    raise InputError(
                        f"{path}: {place} is {' x '.join(map(str, shape))}, "
                        f"obs and var say {len(self.cell_ids)} cells x {len(genes)} genes"
                    )

    def obs(self) -> pd.DataFrame:
        """The table of the cells."""
        with readable(self.path, self.format), h5py.File(self.path) as file:
            return ad.io.read_elem(file["obs"])

    @contextmanager
    def _matrix(self, place: str) -> Iterator[sparse.spmatrix | np.ndarray]:
        with h5py.File(self.path) as file:
            if isinstance(file[place], h5py.Dataset):
                yield file[place]
                return
            with readable(self.path, self.format):
                matrix = ad.io.sparse_dataset(file[place])
                if matrix.format == "csc":
                    log.info("%s: %s is stored by genes (CSC), so it is read into memory", self.path, place)
                    matrix = matrix.to_memory().tocsr()
            yield matrix


def _is_nothing(item: h5py.Group | h5py.Dataset | None) -> bool:
    return item is None or (isinstance(item, h5py.Dataset) and item.shape is None)


class TenX(Cells):
    """A 10x .h5 file or a folder with matrix.mtx.gz; read into memory, since neither can be read by cells."""

    taken = ()

    def __init__(self, path: Path, format: str, adata: AnnData):
        self.path, self.format, self.adata = path, format, adata
        self.cell_ids, self.genes = adata.obs_names, {"X": adata.var}

    @contextmanager
    def _matrix(self, place: str) -> Iterator[sparse.spmatrix | np.ndarray]:
        yield self.adata.X


@contextmanager
def readable(path: Path, kind: str) -> Iterator[None]:
    """Turn whatever reading a damaged or different file raises into one line."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # h5py, anndata and scanpy raise many kinds, all of which mean the same to the user
        raise InputError(f"{path}: not a readable {kind}: {' '.join(f'{error}'.split())}") from error


def open_cells(path: str | Path) -> Cells:
    """Open a user's cells: an AnnData file, a 10x file or a 10x folder, told by content.

    Raises
    ------
    InputError
        If it is none of these, or has no cells or genes.
    """
    path = Path(path)
    if path.is_dir():
        cells = _tenx_folder(path)
    elif not h5py.is_hdf5(path):
        raise InputError(f"{path}: neither an AnnData (.h5ad) nor a 10x (.h5) file: it is no HDF5")
    else:
        with readable(path, "HDF5 file"), h5py.File(path) as file:
            # Cell Ranger 3 and later: a group "matrix"; before, a group for each genome.
            tenx = "matrix" in file or any("barcodes" in item for item in file.values() if isinstance(item, h5py.Group))
        if tenx:
            import scanpy as sc  # slow to import, and not every file needs it

            with readable(path, "10x (.h5) file"):
                cells = TenX(path, "10x file", sc.read_10x_h5(path))
        else:
            cells = AnnDataFile(path)
    if not len(cells.cell_ids) or not any(map(len, cells.genes.values())):
        n_genes = max(map(len, cells.genes.values()), default=0)
        raise InputError(f"{path}: {len(cells.cell_ids)} cells x {n_genes} genes: nothing to work with")
    return cells


def _tenx_folder(path: Path) -> TenX:
    matrices = [*path.glob("*matrix.mtx"), *path.glob("*matrix.mtx.gz")]
    if len(matrices) != 1:
        raise InputError(
            f"{path}: a folder with {len(matrices)} files *matrix.mtx(.gz); expected a 10x folder with one, "
            "or a stored model as reference"
        )
    import scanpy as sc

    with readable(path, "10x folder (matrix.mtx.gz, features.tsv.gz, barcodes.tsv.gz)"):
        prefix = matrices[0].name.partition("matrix.mtx")[0]
        return TenX(path, "10x folder", sc.read_10x_mtx(path, make_unique=False, prefix=prefix))


def contents(cells: Cells, layer: str | None) -> list[Content]:
    """What the matrices of a file hold, by their first cells: those that are most likely meant first.

    Parameters
    ----------
    layer
        The name of a layer, "X" or "raw": look at this one alone.

    Raises
    ------
    InputError
        If there is no such layer.
    """
    places = list(cells.genes)
    if layer is not None:
        place = {"X": "X", "raw": "raw/X"}.get(layer, f"layers/{layer}")
        if place not in places:
            raise InputError(f"{cells.path}: layer '{layer}' is not there (there are: {', '.join(places)})")
        places = [place]
    # Layers that are called counts come before raw, and other layers (such as "spliced") last.
    order = {"X": 0, "raw/X": 2}
    places.sort(key=lambda place: order.get(place, 1 if "count" in place.lower() else 3))
    return [content(cells, place, LOOK) for place in places]


def content(cells: Cells, place: str, stop: int | None = None) -> Content:
    """What the matrix at a place holds: by its first `stop` cells, or by all of them.

    Returns
    -------
    `counts` if all values are whole numbers; `scaled` if some are negative; `log` if none is above `HIGHEST_LOG`;
    `normalized` if all cells have the same total; else `counts` that were corrected, such as those of CEL-seq, RSEM
    or SoupX.
    """
    lowest, highest, whole, totals = 0.0, 0.0, True, []
    for X in cells.blocks(place, stop):
        lowest, highest = min(lowest, X.data.min(initial=0)), max(highest, X.data.max(initial=0))
        whole = whole and bool((X.data == np.round(X.data)).all())
        totals.append(np.asarray(X.sum(axis=1, dtype=np.float64)).ravel())
    totals = np.concatenate(totals)
    filled = totals[totals > 0]
    empty = len(totals) - len(filled)
    if lowest < 0:
        return Content(place, SCALED, f"negative values, the lowest {lowest:.3g}", empty)
    if highest == 0:
        return Content(place, None, "nothing but zeros", empty)
    if whole:
        return Content(place, COUNTS, f"whole numbers up to {highest:,.0f}", empty)
    if highest <= HIGHEST_LOG:
        return Content(place, LOG, f"fractions, none above {highest:.3g}", empty)
    if filled.max() / filled.min() - 1 <= SAME_TOTAL:
        return Content(place, NORMALIZED, f"fractions, and each cell's total is {np.median(filled):,.0f}", empty)
    return Content(
        place, COUNTS, f"fractions up to {highest:,.6g} and cells of different totals: corrected counts", empty
    )


def choose(sides: dict[Path, list[Content]], only: str | None = None) -> dict[Path, Content]:
    """The matrix of each file that is taken: all of the same kind, the best that every file has.

    Parameters
    ----------
    sides
        For each file what `contents` found; the reference first.
    only
        The kind that a stored reference was fitted on.

    Raises
    ------
    InputError
        If a file has no usable matrix, or two files none of the same kind.
    """
    for path, found in sides.items():
        if not any(item.kind in USABLE for item in found):
            raise InputError(f"{path}: no counts and no logarithms of counts ({_listed(found) or 'it has no matrix'})")
    for kind in (only,) if only else USABLE:
        chosen = {path: next((item for item in found if item.kind == kind), None) for path, found in sides.items()}
        if all(chosen.values()):
            return chosen
    (first, theirs), *others = sides.items()
    if only is not None:
        odd = next(path for path, found in sides.items() if only not in {item.kind for item in found})
        raise InputError(f"{odd}: the reference was fitted on {only}, here are {_listed(sides[odd])}")
    odd = next(
        path for path, found in others if not {item.kind for item in found} & {item.kind for item in theirs} & {*USABLE}
    )
    raise InputError(
        f"{odd}: cannot be compared with {first}: here are {_listed(sides[odd])}; there are {_listed(theirs)}; "
        "name matrices of the same kind with layer and reference_layer"
    )


def check(cells: Cells, chosen: Content) -> Content:
    """Look at all cells of the matrix that is taken.

    Raises
    ------
    InputError
        If they hold something else than the first ones.
    """
    whole = content(cells, chosen.place)
    if whole.kind != chosen.kind:
        raise InputError(
            f"{cells.path}: {chosen.place}: the first {LOOK} cells hold {chosen.why}, all together {whole.why}; "
            "name another matrix with layer"
        )
    return whole


def _listed(found: list[Content]) -> str:
    return "; ".join(f"{item.place}: {item.kind or 'unusable'}, {item.why}" for item in found)

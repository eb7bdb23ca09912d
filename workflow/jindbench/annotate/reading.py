"""A user's file: which matrices it has, what they hold, and its cells block by block; nothing is read as a whole."""

import csv
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import io as scipy_io
from scipy import sparse

from jindbench.data.checks import HIGHEST_LOG
from jindbench.data.matrix import checked
from jindbench.errors import InputError
from jindbench.jind.expression import BLOCK
from jindbench.names import COUNTS, LOG, NORMALIZED, SCALED

log = logging.getLogger(__name__)

LOOK = 1000  # cells that show what a matrix holds, before the one that is taken is checked as a whole
EXPRESSION = "Gene Expression"  # the one of 10x' types of features that is read
SAME_TOTAL = 0.01  # cells' totals that differ by no more than this share were made equal
USABLE = (COUNTS, NORMALIZED, LOG)  # the best first
LAYERS = ("counts", "matrix", "spliced")  # of those that hold the same kind the best first, by velocyto's names
QUANTILES = (0.1, 0.5, 0.9)  # of cells' totals

# Where genes were divided by their standard deviation, but not centred (`scale(zero_center=False)`), it is 1 but for
# clipped values and cells that were taken out since. Of counts and of logarithms it differs from gene to gene.
SCALED_TO, SCALED_WITHIN, SCALED_GENES = 1, 0.1, 0.5

# What to do about files of other kinds, by their suffix.
REMEDIES = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), "pandas.read_csv, anndata.AnnData (cells in rows), write_h5ad"),
    **dict.fromkeys((".rds", ".rdata"), "in R zellkonverter::writeH5AD, of a SingleCellExperiment"),
    ".h5seurat": 'in R SeuratDisk::Convert(dest = "h5ad")',
    ".loom": "anndata.io.read_loom, write_h5ad",
    ".h5mu": 'mudata.read, write_h5ad of its modality, such as ["rna"]',
}


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
        Number of cells without any count in the genes that matter.
    totals
        `QUANTILES` of the other cells' totals over these genes. Those of logarithms are undone, as natural ones.
    others
        Places of other matrices of the same kind that hold something else.
    """

    place: str
    kind: str | None
    why: str
    empty: int
    totals: tuple[float, ...]
    others: tuple[str, ...] = ()


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
        """The matrix at a place, checked, `BLOCK` cells at a time: all of them or the first `stop`.

        Raises
        ------
        InputError
            If it cannot be read, or is no sound matrix (see `jindbench.data.matrix`).
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
                raise InputError(f"{path}: not an AnnData (.h5ad) file: it has no obs or no var{_remedy(path)}")
            if not (isinstance(file["obs"], h5py.Group) and isinstance(file["var"], h5py.Group)):
                raise InputError(
                    f"{path}: written by an anndata before 0.7; read it with anndata.read_h5ad and write it anew"
                )
            var, obs = ad.io.read_elem(file["var"]), file["obs"]
            self.cell_ids = pd.Index(ad.io.read_elem(obs[obs.attrs["_index"]])).astype(str)
            self.taken = [*obs.attrs["column-order"], *file.get("obsm", {})]
            links = {name: file.get(name, getlink=True) for name in ("obs", "obsm")}
            self.linked = [name for name, link in links.items() if isinstance(link, h5py.SoftLink | h5py.ExternalLink)]
            places = {"X": var} | {f"layers/{name}": var for name in file.get("layers", {})}
            if isinstance(file.get("raw"), h5py.Group):  # else it may be there as nothing
                raw = ad.io.read_elem(file["raw/var"])
                # Symbols are often columns of `var` alone; the ids say which gene is which.
                places["raw/X"] = raw.join(var[var.columns.difference(raw.columns)]) if var.index.is_unique else raw
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

    taken = linked = ()

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
        raise InputError(f"{path}: neither an AnnData (.h5ad) nor a 10x (.h5) file: it is no HDF5{_remedy(path)}")
    else:
        with readable(path, "HDF5 file"), h5py.File(path) as file:
            for kind, groups in (("loom", {"row_attrs", "col_attrs"}), ("MuData (.h5mu)", {"mod"})):
                if groups <= set(file):
                    raise InputError(f"{path}: a {kind} file; expected an AnnData (.h5ad) file{_remedy(path)}")
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


def _remedy(path: Path) -> str:
    how = REMEDIES.get(path.suffix.lower())
    return f"; make one of it first ({how})" if how else ""


def _tenx_folder(path: Path) -> TenX:
    """A folder as Cell Ranger, STARsolo and others write it: gzipped or not, with a prefix or not."""
    matrices = [*path.glob("*matrix.mtx"), *path.glob("*matrix.mtx.gz")]
    if len(matrices) != 1:
        raise InputError(
            f"{path}: a folder with {len(matrices)} files *matrix.mtx(.gz); expected a 10x folder with one, "
            "or a stored model as reference"
        )
    prefix = matrices[0].name.partition("matrix.mtx")[0]

    def table(*names: str) -> pd.DataFrame:
        files = [path / f"{prefix}{name}.tsv{zipped}" for name in names for zipped in (".gz", "")]
        file = next(filter(Path.is_file, files), None)
        if file is None:
            raise InputError(
                f"{path}: beside {matrices[0].name} there is no {' or '.join(file.name for file in files)}"
            )
        # As text: there is a gene that is called NaN, and quotes mean nothing.
        return pd.read_csv(file, sep="\t", header=None, dtype=str, keep_default_na=False, quoting=csv.QUOTE_NONE)

    with readable(path, "10x folder (matrix.mtx, features.tsv or genes.tsv, barcodes.tsv)"):
        features, barcodes = table("features", "genes"), table("barcodes")
        X = sparse.csr_matrix(scipy_io.mmread(matrices[0]).T, dtype=np.float32)
        if X.shape != (len(barcodes), len(features)):
            raise InputError(
                f"{path}: {matrices[0].name} is {X.shape[1]} x {X.shape[0]}, "
                f"its tables say {len(features)} genes x {len(barcodes)} cells"
            )
        names = dict(zip(features, ("gene_ids", "symbols", "feature_types"), strict=False))
        var = features[[*names]].rename(columns=names)
        var = var.set_index("symbols" if "symbols" in var else "gene_ids").rename_axis(None)
        adata = AnnData(X, obs=pd.DataFrame(index=barcodes[0].rename(None)), var=var)
        if (expression := adata.var.get("feature_types", pd.Series()) == EXPRESSION).any():
            adata = adata[:, expression.to_numpy()].copy()
        return TenX(path, "10x folder", adata)


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
    return sorted((content(cells, place, LOOK) for place in places), key=_preference)


def _preference(found: Content) -> tuple[int, int, float]:
    """By this what is most likely meant comes first: layers that are called counts before raw, other layers last."""
    layer = found.place.removeprefix("layers/")
    where = {"X": 0, "raw/X": 2}.get(found.place, 1 if "count" in layer.lower() else 3)
    # A part of the counts, such as velocyto's "ambiguous", is less than the whole.
    return where, LAYERS.index(layer) if layer in LAYERS else len(LAYERS), -found.totals[1]


def content(cells: Cells, place: str, stop: int | None = None, genes: np.ndarray | None = None) -> Content:
    """What the matrix at a place holds: by its first `stop` cells, or by all of them.

    Parameters
    ----------
    genes
        Positions of those that matter: what `Content.empty` and `Content.totals` are about. By default all.

    Returns
    -------
    `counts` if all values are whole numbers; `scaled` if some are negative or the standard deviation of genes is 1;
    `log` if none is above `HIGHEST_LOG`; `normalized` if all cells have the same total; else `counts` that were
    corrected, such as those of CEL-seq, RSEM or SoupX.
    """
    lowest, highest, whole, n, sums, squares = 0.0, 0.0, True, 0, 0.0, 0.0
    totals, common, undone = [], [], []
    for X in cells.blocks(place, stop):
        lowest, highest = min(lowest, X.data.min(initial=0)), max(highest, X.data.max(initial=0))
        whole = whole and bool((X.data == np.round(X.data)).all())
        n, sums, squares = n + X.shape[0], sums + _totals(X, axis=0), squares + _totals(X.power(2), axis=0)
        totals.append(_totals(X))
        inside = X if genes is None else X[:, genes]
        common.append(_totals(inside))
        if not whole and highest <= HIGHEST_LOG:
            undone.append(_totals(inside.expm1()))
    deviations = np.sqrt(np.maximum(squares / n - (sums / n) ** 2, 0))[squares > 0]
    kind, why = _told(lowest, highest, whole, deviations, np.concatenate(totals))
    common = np.concatenate(common)
    amounts = np.concatenate(undone) if kind == LOG else common
    amounts = amounts[amounts > 0]
    quantiles = np.quantile(amounts, QUANTILES) if len(amounts) else np.zeros(len(QUANTILES))
    return Content(place, kind, why, int((common == 0).sum()), tuple(quantiles.tolist()))


def _totals(X: sparse.csr_matrix, axis: int = 1) -> np.ndarray:
    return np.asarray(X.sum(axis=axis, dtype=np.float64)).ravel()


def _told(
    lowest: float, highest: float, whole: bool, deviations: np.ndarray, totals: np.ndarray
) -> tuple[str | None, str]:
    """The kind of a matrix and what it is told by: its values, genes' standard deviations and cells' totals."""
    filled = totals[totals > 0]
    if lowest < 0:
        return SCALED, f"negative values, the lowest {lowest:.3g}"
    if highest == 0:
        return None, "nothing but zeros"
    if whole:
        return COUNTS, f"whole numbers up to {highest:,.0f}"
    if np.mean(abs(deviations - SCALED_TO) < SCALED_WITHIN) > SCALED_GENES:
        return SCALED, f"most genes have a standard deviation of {SCALED_TO}"
    if highest <= HIGHEST_LOG:
        return LOG, f"fractions, none above {highest:.3g}"
    if filled.max() / filled.min() - 1 <= SAME_TOTAL:
        return NORMALIZED, f"fractions, and each cell's total is {np.median(filled):,.0f}"
    return COUNTS, f"fractions up to {highest:,.6g} and cells of different totals: corrected counts"


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
            raise InputError(
                f"{path}: no counts and no logarithms of counts ({_listed(found) or 'it has no matrix'}); "
                "store counts, as they were before any scaling, in X, raw or a layer"
            )
    for kind in (only,) if only else USABLE:
        chosen = {path: _of_kind(found, kind) for path, found in sides.items()}
        if all(chosen.values()):
            return chosen
    (first, theirs), *others = sides.items()
    if only is not None:
        odd = next(path for path, found in sides.items() if only not in {item.kind for item in found})
        raise InputError(
            f"{odd}: the reference was fitted on {only}, here are {_listed(sides[odd])}; {_lacking(only, 'this file')}"
        )
    kinds = {path: {item.kind for item in found} & {*USABLE} for path, found in sides.items()}
    odd = next(path for path, _ in others if not kinds[path] & kinds[first])
    without = odd if COUNTS in kinds[first] else first
    raise InputError(
        f"{odd}: cannot be compared with {first}: here are {_listed(sides[odd])}; there are {_listed(theirs)}; "
        f"{_lacking(COUNTS, without)}, or log-normalise both sides alike; layer and reference_layer name matrices"
    )


def _lacking(kind: str, file: Path | str) -> str:
    made = "" if kind == COUNTS else ", made as the reference's were,"
    return f"what is missing is {kind}: store them{made} in X, raw or a layer of {file}"


def _of_kind(found: list[Content], kind: str) -> Content | None:
    """The first matrix of a kind, and which others there are of it, copies of this one apart."""
    same = [item for item in found if item.kind == kind]
    others = tuple(item.place for item in same[1:] if item.totals != same[0].totals)
    return replace(same[0], others=others) if same else None


def check(cells: Cells, chosen: Content, genes: np.ndarray, key: str) -> Content:
    """Look at all cells of the matrix that is taken.

    Parameters
    ----------
    genes
        Positions of the genes in common.
    key
        That names another matrix of this file.

    Raises
    ------
    InputError
        If they hold something else than the first ones, or nothing at all in these genes.
    """
    whole = content(cells, chosen.place, genes=genes)
    if whole.kind != chosen.kind:
        raise InputError(
            f"{cells.path}: {chosen.place}: the first {LOOK} cells hold {chosen.why}, all together {whole.why}; "
            f"name another matrix with {key}"
        )
    if whole.empty == len(cells.cell_ids):
        raise InputError(f"{cells.path}: {chosen.place}: no cell has any count in the {len(genes)} genes in common")
    return replace(whole, others=chosen.others)


def _listed(found: list[Content]) -> str:
    return "; ".join(f"{item.place}: {item.kind or 'unusable'}, {item.why}" for item in found)

"""AnnData files (.h5ad), as anndata and the R converters write them, and what else holds an AnnData object."""

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anndata as ad
import h5py
import pandas as pd
from scipy import sparse

from jindbench.annotate.cells import Cells, one_line, readable
from jindbench.data.matrix import checked
from jindbench.errors import InputError

log = logging.getLogger(__name__)


class AnnDataFile(Cells):
    """An .h5ad file. Of `obs`, only the cells' names and the columns' names are read; matrices stay on disk."""

    format = "AnnData file (.h5ad)"
    root = "/"  # where the object lies in the file

    def __init__(self, path: Path):
        self.path = path
        with readable(path, self.format), self._opened() as file:
            if not (isinstance(file["obs"], h5py.Group) and isinstance(file["var"], h5py.Group)):
                raise InputError(
                    f"{path}: written by an anndata before 0.7; read it with anndata.read_h5ad and write it anew"
                )
            self.cell_ids = _index(file["obs"]).astype(str)
            self.columns = columns(file["obs"])
            self.taken = [*self.columns, *file.get("obsm", {})]
            links = {name: file.get(name, getlink=True) for name in ("obs", "obsm", "uns")}
            self.linked = [name for name, link in links.items() if isinstance(link, h5py.SoftLink | h5py.ExternalLink)]
            var = self._genes(file["var"])
            places = {"X": var} | {f"layers/{name}": var for name in file.get("layers", {})}
            if isinstance(file.get("raw"), h5py.Group):  # else it may be there as nothing
                raw = self._genes(file["raw/var"])
                # Symbols are often columns of `var` alone; the ids say which gene is which.
                places["raw/X"] = raw.join(var[var.columns.difference(raw.columns)]) if var.index.is_unique else raw
            self.genes = {place: genes for place, genes in places.items() if not _is_nothing(file.get(place))}
            # Matrices that are stored by genes; the one that was read last stays in memory.
            self._by_genes = dict.fromkeys(place for place in self.genes if _sparse_form(file[place]) == "csc")

    def _genes(self, group: h5py.Group) -> pd.DataFrame:
        """A table of genes, without those of its columns that cannot be read: matching may do without them."""
        table = pd.DataFrame(index=_index(group))
        for name in columns(group):
            try:
                table[name] = _column(group, name)
            except Exception as error:  # anndata, h5py and pandas raise many kinds
                log.warning("%s: column '%s' of %s is left out: %s", self.path, name, group.name[1:], one_line(error))
        return table

    def obs(self, key: str) -> pd.DataFrame:
        """The table of the cells with the one column `key`; the names of all columns, without cells, if it is not one.

        Raises
        ------
        InputError
            If the column cannot be read, as where codes of categories are broken.
        """
        if self.columns.count(key) != 1:
            return pd.DataFrame(columns=self.columns)
        with readable(self.path, f"column '{key}' of obs"), self._opened() as file:
            return pd.DataFrame({key: _column(file["obs"], key)}, index=self.cell_ids)

    def has_cheap_sample(self, place: str) -> bool:
        return place not in self._by_genes

    def copy(self, path: Path) -> None:
        """Copy the file byte by byte."""
        shutil.copyfile(self._file, path)

    @property
    def _file(self) -> Path:
        """The HDF5 file."""
        return self.path

    @contextmanager
    def _opened(self) -> Iterator[h5py.Group]:
        with h5py.File(self._file) as file:
            yield file[self.root]

    @contextmanager
    def _matrix(self, place: str) -> Iterator[h5py.Dataset | sparse.csr_matrix | ad.abc.CSRDataset]:
        with readable(self.path, f"matrix {place}"), self._opened() as file:
            if self._by_genes.get(place) is not None:
                yield self._by_genes[place]
            elif isinstance(item := file[place], h5py.Dataset):
                yield item
            elif (form := _sparse_form(item)) is None:
                raise InputError(
                    f"{self.path}: {place} is a folder with {', '.join(item) or 'nothing'}, no matrix; a name with '/' "
                    "makes folders: rename the layer"
                )
            elif form == "csc":
                log.info("%s: %s is stored by genes (CSC), so it is read into memory", self.path, place)
                # Checked before it is turned: scipy's code would follow a damaged file's indices anywhere.
                matrix = checked(ad.io.sparse_dataset(item).to_memory(), f"{self.path}: {place}")
                self._by_genes = dict.fromkeys(self._by_genes) | {place: matrix}
                yield self._by_genes[place]
            else:
                yield ad.io.sparse_dataset(item)


class MuDataFile(AnnDataFile):
    """The modality `rna` of an .h5mu file."""

    format = "MuData file (.h5mu), its modality rna"
    root = "mod/rna"

    def copy(self, path: Path) -> None:
        """Copy the modality, which becomes an AnnData file."""
        with self._opened() as group, h5py.File(path, "w") as file:
            for name in group:
                group.copy(name, file)
            file.attrs.update(group.attrs)


class ZarrStore(AnnDataFile):
    """An AnnData object in a zarr store, which is read as a whole and kept as a temporary .h5ad file."""

    format = "AnnData store (.zarr)"

    def __init__(self, path: Path):
        self._temporary = tempfile.NamedTemporaryFile(suffix=".h5ad")  # noqa: SIM115 (goes with this object)
        with readable(path, self.format):
            ad.read_zarr(path).write_h5ad(self._file)
        super().__init__(path)

    @property
    def _file(self) -> Path:
        return Path(self._temporary.name)


def _sparse_form(item: h5py.Group | h5py.Dataset) -> str | None:
    """How a sparse matrix is stored, "csr" or "csc", by the attributes of anndata since 0.7 and before."""
    form = item.attrs.get("encoding-type", item.attrs.get("h5sparse_format"))
    return form.removesuffix("_matrix") if form in ("csr_matrix", "csc_matrix", "csr", "csc") else None


def columns(group: h5py.Group) -> list[str]:
    """Names of the columns of a table in their order, by the attribute that anndata and R converters write, if any."""
    order = group.attrs.get("column-order")
    if order is None:
        return [name for name in group if name not in ("__categories", index_name(group))]
    return [_text(name) for name in order]


def index_name(group: h5py.Group) -> str:
    """The name under which a table stores its index; R packages may write it as an array of one text."""
    name = group.attrs.get("_index", "_index")
    return _text(name if isinstance(name, str | bytes) else name[0])


def _index(group: h5py.Group) -> pd.Index:
    return pd.Index(_column(group, index_name(group)))


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _column(group: h5py.Group, name: str) -> pd.Categorical | pd.api.extensions.ExtensionArray:
    """A column of a table in any of anndata's forms; categories are told by their parts, not by an attribute."""
    item = group[name]
    if isinstance(item, h5py.Group) and {"codes", "categories"} <= set(item):
        codes, categories = item["codes"], item["categories"]
    elif "categories" in item.attrs:  # anndata 0.7
        codes, categories = item, group[item.attrs["categories"]]
    else:
        return ad.io.read_elem(item)
    return pd.Categorical.from_codes(codes[()], ad.io.read_elem(categories))


def _is_nothing(item: h5py.Group | h5py.Dataset | None) -> bool:
    return item is None or (isinstance(item, h5py.Dataset) and item.shape is None)

"""10x files (.h5), which are read from disk by cells, and 10x folders (matrix.mtx), which are read as a whole."""

import csv
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import io as scipy_io
from scipy import sparse

from jindbench.annotate.cells import Cells, readable
from jindbench.data.matrix import checked
from jindbench.errors import InputError

EXPRESSION = "Gene Expression"  # the only one of 10x's feature types that is read
PARTS = {"barcodes", "data", "indices", "indptr", "shape"}  # of a group of an .h5 file that holds a matrix
SAMPLE_ENTRIES = 200_000  # of a folder's matrix: about a hundred cells
FOLDER = "10x folder (matrix.mtx, features.tsv or genes.tsv, barcodes.tsv)"


class TenX(Cells):
    """10x data: one matrix, of which genes are read and other features are not."""

    taken = linked = ()

    def __init__(self, path: Path, cell_ids: np.ndarray | pd.Series, features: pd.DataFrame):
        """`features` has a row for each feature, and a column `feature_types` where the file has one."""
        self.path, self.cell_ids = path, pd.Index(np.asarray(cell_ids)).astype(str)
        is_gene = (features.get("feature_types", pd.Series()) == EXPRESSION).to_numpy()
        self._is_gene = is_gene if is_gene.any() else np.ones(len(features), dtype=bool)
        self.genes = {"X": features[self._is_gene]}

    def copy(self, path: Path) -> None:
        """Write the genes as a new AnnData file."""
        X = sparse.vstack([*self.blocks("X")], format="csr")
        adata = AnnData(X, obs=pd.DataFrame(index=self.cell_ids), var=self.genes["X"])
        adata.write_h5ad(path, compression="gzip", compression_opts=1)


class TenXFile(TenX):
    """A 10x .h5 file, of Cell Ranger 3 and later (a group "matrix") or before (a group named after the genome)."""

    format = "10x file"

    def __init__(self, path: Path):
        with readable(path, "10x (.h5) file"), h5py.File(path) as file:
            found = groups(file)
            if len(found) > 1:
                raise InputError(
                    f"{path}: a 10x file with {len(found)} genomes ({', '.join(found)}); make an .h5ad file of one of "
                    "them, in Python: scanpy.read_10x_h5(path, genome=...), write_h5ad"
                )
            group = file[found[0]]
            self._group, self._shape = group.name, tuple(group["shape"][()].tolist()[::-1])
            features = _features(group)
            super().__init__(path, group["barcodes"].asstr()[()], features)
            if self._shape != (len(self.cell_ids), len(features)):
                raise InputError(
                    f"{path}: its matrix is {self._shape[1]} x {self._shape[0]}, "
                    f"but it names {len(features)} features x {len(self.cell_ids)} cells"
                )

    @contextmanager
    def _matrix(self, place: str) -> Iterator["_GenesOfFile"]:
        with h5py.File(self.path) as file:
            yield _GenesOfFile(file[self._group], self._shape, self._is_gene)


class _GenesOfFile:
    """Rows of a matrix that an .h5 file stores cell after cell; of features those that are genes."""

    def __init__(self, group: h5py.Group, shape: tuple[int, int], is_gene: np.ndarray):
        self.group, self.n_features, self.is_gene = group, shape[1], is_gene
        self.shape = shape[0], int(is_gene.sum())

    def __getitem__(self, rows: slice) -> sparse.csr_matrix:
        pointers = self.group["indptr"][rows.start : rows.stop + 1].astype(np.int64)
        data, indices = (self.group[part][pointers[0] : pointers[-1]] for part in ("data", "indices"))
        shape = len(pointers) - 1, self.n_features
        X = sparse.csr_matrix(shape, dtype=data.dtype)
        X.data, X.indices, X.indptr = data, indices.astype(np.int64), pointers - pointers[0]
        # Checked before columns are taken: scipy's code would follow indices of a damaged file anywhere.
        return checked(X, f"{self.group.file.filename}: X")[:, self.is_gene]


def groups(file: h5py.File) -> list[str]:
    """Names of the groups of an .h5 file that hold a matrix as 10x stores it."""
    return [name for name in file if isinstance(file.get(name), h5py.Group) and set(file[name]) >= PARTS]


def _features(group: h5py.Group) -> pd.DataFrame:
    """The table of features, under the names that scanpy gives its columns; genes' symbols are the index."""
    stored = group.get("features", group)
    n = int(group["shape"][0])
    table = {
        name: item.asstr()[()] if h5py.check_string_dtype(item.dtype) else item[()]
        for name, item in stored.items()
        if isinstance(item, h5py.Dataset) and item.shape == (n,) and name not in {*PARTS, "_all_tag_keys"}
    }
    if "gene_id" in table:  # of a file of probes, where ids are those of the probes
        table["probe_ids"], table["id"] = table["id"], table.pop("gene_id")
    names = {"genes": "gene_ids", "id": "gene_ids", "feature_type": "feature_types"}
    table = pd.DataFrame(table).rename(columns=names)
    index = next(name for name in ("name", "gene_names", "gene_ids") if name in table)
    return table.set_index(index, drop=index != "gene_ids").rename_axis(None)


class TenXFolder(TenX):
    """A folder as Cell Ranger, STARsolo and others write it: gzipped or not, with a prefix or not."""

    format = "10x folder"

    def __init__(self, path: Path):
        with readable(path, FOLDER):
            self._file = _matrix_file(path)
            rows, columns, _, form, field, _ = scipy_io.mminfo(self._file)
            self._is_list = form == "coordinate" and field in ("integer", "real")
            features, barcodes = self._table(path, "features", "genes"), self._table(path, "barcodes")
            if (rows, columns) != (len(features), len(barcodes)):
                raise InputError(
                    f"{path}: {self._file.name} is {rows} x {columns}, "
                    f"its tables say {len(features)} genes x {len(barcodes)} cells"
                )
            names = dict(zip(features, ("gene_ids", "symbols", "feature_types"), strict=False))
            features = features[[*names]].rename(columns=names)
            index = "symbols" if "symbols" in features else "gene_ids"
            super().__init__(path, barcodes[0], features.set_index(index).rename_axis(None))

    def _table(self, path: Path, *names: str) -> pd.DataFrame:
        prefix = self._file.name.partition("matrix.mtx")[0]
        files = [path / f"{prefix}{name}.tsv{zipped}" for name in names for zipped in (".gz", "")]
        file = next(filter(Path.is_file, files), None)
        if file is None:
            raise InputError(f"{path}: beside {self._file.name} there is no {' or '.join(file.name for file in files)}")
        # As text: there is a gene that is called NaN, and quotes mean nothing.
        return pd.read_csv(file, sep="\t", header=None, dtype=str, keep_default_na=False, quoting=csv.QUOTE_NONE)

    def sample(self, place: str) -> Iterator[sparse.csr_matrix]:
        if self._first_cells is None:
            yield from super().sample(place)
        else:
            yield checked(self._first_cells, f"{self.path}: {place}")

    def has_cheap_sample(self, place: str) -> bool:
        return self._first_cells is not None

    @cached_property
    def _first_cells(self) -> sparse.csr_matrix | None:
        """The cells of the first lines of the matrix; None where lines are not ordered by cells."""
        if not self._is_list:
            return None
        with readable(self.path, FOLDER), _opened(self._file) as file:
            size = next(line for line in file if line.strip() and not line.startswith("%"))
            lines = [*islice(file, SAMPLE_ENTRIES)]
            if not lines:
                return None
            genes, cells, values = np.loadtxt(lines, ndmin=2).T
            if (np.diff(cells) < 0).any():
                return None
            # The last cell is cut off, except at the end of the file.
            n = int(cells[-1]) - (len(lines) < int(size.split()[2]))
            places = cells[cells <= n].astype(int) - 1, genes[cells <= n].astype(int) - 1
            X = sparse.csr_matrix((values[cells <= n], places), (n, len(self._is_gene)), dtype=np.float32)
            return X[:, self._is_gene] if n else None

    @contextmanager
    def _matrix(self, place: str) -> Iterator[sparse.csr_matrix]:
        yield self._whole

    @cached_property
    def _whole(self) -> sparse.csr_matrix:
        with readable(self.path, FOLDER):
            return sparse.csr_matrix(scipy_io.mmread(self._file).T, dtype=np.float32)[:, self._is_gene]


def _matrix_file(path: Path) -> Path:
    files = [file for file in sorted(path.iterdir()) if file.name.endswith(("matrix.mtx", "matrix.mtx.gz"))]
    if len(files) != 1:
        raise InputError(
            f"{path}: a folder with {len(files)} files *matrix.mtx(.gz); expected a 10x folder with one, "
            "or a stored model as reference"
        )
    return files[0]


def _opened(path: Path):
    return gzip.open(path, "rt") if path.suffix == ".gz" else path.open()

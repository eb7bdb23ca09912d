"""Which format a user's file has, told by its content, and what to do about a format that is not read."""

from dataclasses import dataclass
from pathlib import Path

import h5py

from jindbench.annotate import tenx
from jindbench.annotate.cells import Cells, readable
from jindbench.annotate.h5ad import AnnDataFile
from jindbench.errors import InputError


@dataclass(frozen=True)
class Other:
    """A format that is not read.

    Attributes
    ----------
    kind
        Its name.
    remedy
        How to make an AnnData file of it.
    suffixes
        Of its files.
    groups
        What an HDF5 file of this format must have at its top; empty if it is no HDF5.
    """

    kind: str
    remedy: str
    suffixes: tuple[str, ...]
    groups: frozenset[str] = frozenset()


FROM_R = (
    'in R: of a Seurat 5 object first obj[["RNA"]] <- as(obj[["RNA"]], "Assay"), then '
    "zellkonverter::writeH5AD(as.SingleCellExperiment(obj), ...) or anndataR::write_h5ad"
)
FROM_TABLE = "in Python: pandas.read_{}, anndata.AnnData (cells in rows), write_h5ad"
OTHERS = (
    Other("loom", "in Python: anndata.io.read_loom, write_h5ad", (".loom",), frozenset({"row_attrs", "col_attrs"})),
    Other(
        "MuData (.h5mu)",
        'in Python: mudata.read, write_h5ad of its modality, such as ["rna"]',
        (".h5mu",),
        frozenset({"mod", "obs", "var"}),
    ),
    Other("h5Seurat", FROM_R, (".h5seurat",), frozenset({"assays", "meta.data"})),
    Other("R", FROM_R, (".rds", ".rdata", ".rda")),
    Other("text", FROM_TABLE.format("csv"), (".csv", ".tsv", ".txt")),
    Other("Excel", FROM_TABLE.format("excel"), (".xls", ".xlsx")),
    Other("Parquet", FROM_TABLE.format("parquet"), (".parquet",)),
    Other("Matrix Market", "or give its folder, if that is one of 10x", (".mtx",)),
    Other("zarr", "in Python: anndata.read_zarr, write_h5ad", (".zarr",)),
)
ZARR = (".zgroup", ".zattrs", "zarr.json")  # files at the top of a zarr store
MATRICES = {"X", "layers", "raw"}  # at the top of AnnData, but not of MuData

# What compressed files begin with, and what undoes it.
COMPRESSED = {
    b"\x1f\x8b": "gunzip",
    b"PK\3\4": "unzip",
    b"BZh": "bunzip2",
    b"\xfd7zXZ": "unxz",
    b"\x28\xb5\x2f\xfd": "unzstd",
}


def open_cells(path: str | Path) -> Cells:
    """Open a user's cells: an AnnData file, a 10x file or a 10x folder.

    Raises
    ------
    InputError
        If it is none of these, or has no cells or genes.
    """
    path = Path(path)
    cells = _reader(path)(path)
    n_genes = max(map(len, cells.genes.values()), default=0)
    if not len(cells.cell_ids) or not n_genes:
        raise InputError(f"{path}: {len(cells.cell_ids)} cells x {n_genes} genes: nothing to work with")
    return cells


def _reader(path: Path) -> type[Cells]:
    """What opens a path. No single name tells a format: any file may have a group `matrix` or a column `barcodes`."""
    if path.is_dir():
        if any((path / name).exists() for name in ZARR):
            raise InputError(f"{path}: {_expected(path.with_suffix('.zarr'))}")
        return tenx.TenXFolder
    if not h5py.is_hdf5(path):
        raise InputError(f"{path}: {_expected(path)}")
    with readable(path, "HDF5 file"), h5py.File(path) as file:
        names = set(file)
        if names >= {"obs", "var"} and not ("mod" in names and not names & MATRICES):
            return AnnDataFile
        if tenx.groups(file):
            return tenx.TenXFile
    raise InputError(f"{path}: {_expected(path, names)}")


def _expected(path: Path, names: set[str] | None = None) -> str:
    """What is wrong with a file of another format, and what to do; `names` are those at the top of an HDF5 file."""
    suffix = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    for other in OTHERS:
        if suffix.lower() in other.suffixes or (other.groups and names and names >= other.groups):
            return f"a {other.kind} file; expected an AnnData (.h5ad) file; make one of it first ({other.remedy})"
    if names is not None:
        there = ", ".join(sorted(names)) or "nothing"
        return f"neither an AnnData (.h5ad) file, which has obs and var, nor a 10x (.h5) file (there is: {there})"
    with path.open("rb") as file:
        start = file.read(6)
    undo = next((how for magic, how in COMPRESSED.items() if start.startswith(magic)), None)
    remedy = f"; it is compressed: {undo} it first" if undo else ""
    return f"neither an AnnData (.h5ad) nor a 10x (.h5) file: it is no HDF5{remedy}"

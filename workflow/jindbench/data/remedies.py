"""What to do about a file that cannot be read as AnnData: for `annotate` and for datasets."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import h5py


@dataclass(frozen=True)
class Format:
    """A format that is not read.

    Attributes
    ----------
    name
        How people call it.
    remedy
        How to make an AnnData file of it.
    suffixes
        Of its files.
    groups
        What an HDF5 file of this format must have at its top; empty if it is no HDF5.
    """

    name: str
    remedy: str
    suffixes: tuple[str, ...]
    groups: frozenset[str] = frozenset()


FROM_R = (
    'in R, zellkonverter::writeH5AD(as.SingleCellExperiment(object), "new.h5ad") or anndataR::write_h5ad; if Seurat 5 '
    'made it, first object[["RNA"]] <- as(object[["RNA"]], "Assay")'
)
FROM_TABLE = "in Python, pandas.read_{}, anndata.AnnData (cells in rows), write_h5ad"
MUDATA = Format("MuData", 'in Python, mudata.read, write_h5ad of ["rna"]', (".h5mu",), frozenset({"mod", "obs", "var"}))
ZARR = Format("zarr", "in Python, anndata.read_zarr, write_h5ad", (".zarr",))
FORMATS = (
    Format("loom", "in Python, anndata.io.read_loom, write_h5ad", (".loom",), frozenset({"row_attrs", "col_attrs"})),
    MUDATA,
    ZARR,
    Format("h5Seurat", FROM_R, (".h5seurat",), frozenset({"assays", "meta.data"})),
    Format("R", FROM_R, (".rds", ".rdata", ".rda")),
    Format("text", FROM_TABLE.format("csv"), (".csv", ".tsv", ".txt")),
    Format("Excel", FROM_TABLE.format("excel"), (".xls", ".xlsx")),
    Format("Parquet", FROM_TABLE.format("parquet"), (".parquet",)),
    Format("Matrix Market", "in Python, scanpy.read_10x_mtx of its folder, write_h5ad", (".mtx",)),
    Format("10x", "in Python, scanpy.read_10x_h5, write_h5ad", (), frozenset({"matrix"})),
)
ZARR_FILES = (".zgroup", ".zattrs", "zarr.json")  # at the top of a zarr store is one of these
COMPRESSED = {  # by their first bytes
    b"\x1f\x8b": "gunzip",
    b"PK\3\4": "unzip",
    b"BZh": "bunzip2",
    b"\xfd7zXZ": "unxz",
    b"\x28\xb5\x2f\xfd": "unzstd",
}


def is_anndata(groups: set[str]) -> bool:
    """Whether an HDF5 file with these groups is AnnData: obs and var say so, except beside MuData's modalities."""
    return groups >= {"obs", "var"} and not (groups >= MUDATA.groups and not groups & {"X", "layers", "raw"})


def is_zarr(folder: Path) -> bool:
    """Whether a folder is a zarr store."""
    return folder.suffix in ZARR.suffixes or any((folder / name).exists() for name in ZARR_FILES)


def hint(path: str | Path) -> str:
    """What to do about a file that could not be read as AnnData, to end an error with; "" where there is no advice."""
    path = Path(path)
    with suppress(Exception):  # missing or damaged, as the error says by itself; h5py raises many kinds
        if path.is_dir():
            return _of_format(ZARR) if is_zarr(path) else ""
        if not h5py.is_hdf5(path):
            return _of_other(path)
        with h5py.File(path) as file:
            if not is_anndata({*file}) and (known := _known(path, {*file})):
                return _of_format(known)
            if lacking := _lacking_filters(file):
                return (
                    f"; HDF5 lacks what it is compressed with ({', '.join(lacking)}): write it anew, in Python "
                    'import hdf5plugin, anndata.read_h5ad, write_h5ad(compression="gzip")'
                )
    return ""


def _of_format(known: Format) -> str:
    return f"; it is {known.name}: make an AnnData file of it first ({known.remedy})"


def _of_other(path: Path) -> str:
    """Of a file that is no HDF5."""
    with path.open("rb") as file:
        start = file.read(6)
    if known := _known(path, set()):
        return _of_format(known)
    undo = next((how for magic, how in COMPRESSED.items() if start.startswith(magic)), None)
    return f"; it is compressed: {undo} it first" if undo else "; it is no HDF5"


def _known(path: Path, groups: set[str]) -> Format | None:
    suffix = (path.with_suffix("") if path.suffix == ".gz" else path).suffix.lower()
    found = (known for known in FORMATS if suffix in known.suffixes or (known.groups and groups >= known.groups))
    return next(found, None)


def _lacking_filters(file: h5py.File) -> list[str]:
    """Compressions that HDF5 cannot undo here, by the names that the file gives them."""
    found = {}

    def look(_: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            steps = item.id.get_create_plist()
            for code, _, _, name in map(steps.get_filter, range(steps.get_nfilters())):
                if not h5py.h5z.filter_avail(code):
                    found[code] = name.decode(errors="replace").partition(";")[0] or f"filter {code}"

    file.visititems(look)
    return list(found.values())

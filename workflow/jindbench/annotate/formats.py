"""Which of the formats that are read a user's file has, told by its content."""

from pathlib import Path

import h5py

from jindbench.annotate import tenx
from jindbench.annotate.cells import Cells, readable
from jindbench.annotate.h5ad import AnnDataFile, MuDataFile, ZarrStore
from jindbench.data.remedies import hint, is_anndata, is_zarr
from jindbench.errors import InputError


def open_cells(path: str | Path) -> Cells:
    """Open a user's cells: an AnnData file or store, a MuData file, a 10x file or a 10x folder.

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
        return ZarrStore if is_zarr(path) else tenx.TenXFolder
    if h5py.is_hdf5(path):
        with readable(path, "HDF5 file"), h5py.File(path) as file:
            if is_anndata({*file}):
                return AnnDataFile
            if MuDataFile.root in file:
                return MuDataFile
            if tenx.groups(file):
                return tenx.TenXFile
    raise InputError(f"{path}: neither an AnnData (.h5ad) nor a 10x (.h5) file{hint(path)}")

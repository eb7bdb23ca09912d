"""The annotated copy of a query: what was found is added to it, and nothing that was there is written anew."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from anndata.io import write_elem

from jindbench import io
from jindbench.annotate.cells import Cells
from jindbench.annotate.h5ad import columns, index_name
from jindbench.annotate.labelling import STATUS
from jindbench.errors import InputError
from jindbench.names import CONFIDENCE, LABEL, NOVELTY, RAW_LABEL, THRESHOLD

# Column of the table: column of `obs`.
OBS = {name: f"jind_{name}" for name in (LABEL, RAW_LABEL, CONFIDENCE, THRESHOLD, NOVELTY, STATUS)}
CODES, TSNE = "X_jind", "X_jind_tsne"


def check_names(cells: Cells) -> None:
    """Check that no column or entry of the user has a name that is to be added, or is a link into another file.

    Raises
    ------
    InputError
        Naming the columns of `obs` or entries of `obsm`.
    """
    if cells.linked:
        raise InputError(
            f"{cells.path}: {' and '.join(cells.linked)}: a link, maybe into another file, which is never written to; "
            "read the file with anndata.read_h5ad and write it anew"
        )
    if taken := sorted({*OBS.values(), CODES, TSNE} & {*cells.taken}):
        raise InputError(
            f"{cells.path}: has {', '.join(taken)} already, which would be overwritten; rename them, or take the file "
            "without annotation"
        )


def obs_columns(table: pd.DataFrame) -> dict[str, pd.Categorical | np.ndarray]:
    """What is added to `obs`, by name: text as categories."""
    added = {}
    for name, column in OBS.items():
        values = table[name]
        added[column] = pd.Categorical(values) if values.dtype == object else values.to_numpy()
    return added


def write_copy(cells: Cells, table: pd.DataFrame, codes: np.ndarray, tsne: np.ndarray, path: Path) -> None:
    """Write a copy of the query with the new columns of `obs` and entries of `obsm`.

    Parameters
    ----------
    table
        A row for each cell, in the file's order.
    codes, tsne
        Latent codes and their tSNE, of n cells.
    """
    with io.replacing(path) as temporary:
        cells.copy(temporary)
        with h5py.File(temporary, "a") as file:
            add(file, obs_columns(table), {CODES: codes, TSNE: tsne})


def add(file: h5py.File, added: dict[str, pd.Categorical | np.ndarray], embeddings: dict[str, np.ndarray]) -> None:
    """Add columns to `obs` and entries to `obsm` of an open AnnData file."""
    obs = file["obs"]
    order = [*columns(obs), *added]
    for name, values in added.items():
        write_elem(obs, name, values)
    obs.attrs["column-order"] = np.array(order, dtype=h5py.string_dtype())
    if "encoding-type" not in obs.attrs:
        # An R converter left it out. Without it, anndata would number the cells instead of naming them.
        obs.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.1.0", "_index": index_name(obs)})
    if "obsm" not in file:
        write_elem(file, "obsm", {})
    for name, values in embeddings.items():
        write_elem(file["obsm"], name, values)

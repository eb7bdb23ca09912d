"""The annotated copy of a query: what was found is added to it, and nothing that was there is written anew."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from anndata.io import write_elem

from jindbench import __version__, io
from jindbench.annotate.cells import Cells
from jindbench.annotate.columns import CODES, OBS, PROBABILITIES, PROBABILITY, RECORD, TERM, TSNE
from jindbench.annotate.forecast import Forecast
from jindbench.annotate.h5ad import columns, index_name
from jindbench.annotate.labelling import Labelled
from jindbench.annotate.reference import Reference
from jindbench.annotate.settings import Settings
from jindbench.errors import InputError


def check_names(cells: Cells, *, with_terms: bool) -> None:
    """Check that no column or entry of the user has a name that is to be added, or is a link into another file.

    Parameters
    ----------
    with_terms
        Whether a column of ontology ids is to be added.

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
    added = {*OBS.values(), CODES, TSNE, PROBABILITIES} - ({TERM} if not with_terms else set())
    if taken := sorted(added & {*cells.taken}):
        raise InputError(
            f"{cells.path}: has {', '.join(taken)} already, which would be overwritten; rename them, or take the file "
            "without annotation"
        )


def obs_columns(table: pd.DataFrame) -> dict[str, pd.Categorical | np.ndarray]:
    """What is added to `obs`, by name: text as categories."""
    added = {}
    for name, column in OBS.items():
        if name not in table:  # the vote of clusters, ontology ids
            continue
        values = table[name]
        added[column] = pd.Categorical(values) if values.dtype == object else values.to_numpy()
    return added


def whole_table(labelled: Labelled) -> pd.DataFrame:
    """What `labels.tsv` holds: the cells' table, and a column `probability of TYPE` each where those are kept."""
    if labelled.probabilities is None:
        return labelled.table
    return labelled.table.join(labelled.probabilities.add_prefix(PROBABILITY))


def record(settings: Settings, reference: Reference, types: list[str], forecast: Forecast | None) -> dict:
    """What `uns` says of how labels were made, and of how many should be right."""
    given = {"name": reference.facts["reference"], "sha256": reference.facts.get("sha256", "not known")}
    elsewhere = {"reference", "query", "output", "seed"}  # `options` have the method that was asked for, maybe `auto`
    options = settings.model_dump(mode="json", exclude=elsewhere, exclude_none=True)
    counts = (
        {} if reference.composition is None else {"reference_cells": reference.composition.reindex(types).to_numpy()}
    )
    return (
        counts
        | _forecast(forecast)
        | {
            "tree": tree(reference),
            "version": __version__,
            "method": reference.method,
            "seed": settings.seed,
            "reference": given,
            "options": {name: value if value != [] else "" for name, value in options.items()},
            "types": types,
        }
    )


def tree(reference: Reference) -> pd.DataFrame:
    """The tree of types, a row for each group and type, from the root on."""
    rows = [
        {"label": name, "depth": depth, "types": "; ".join(types), "threshold": np.nan if least is None else least}
        for name, types, depth, least in reference.hierarchy.rows()
    ]
    return pd.DataFrame(rows)


def _forecast(forecast: Forecast | None) -> dict:
    if forecast is None:
        return {}
    types = [{"type": name} | vars(estimate) for name, estimate in forecast.types.items()]
    found = {"all": vars(forecast.whole)} | ({"labelled": vars(forecast.labelled)} if forecast.labelled else {})
    return {"forecast": found | {"types": pd.DataFrame(types)} if types else found}


def write_copy(cells: Cells, labelled: Labelled, tsne: np.ndarray | None, uns: dict, path: Path) -> None:
    """Write a copy of the query with the new columns of `obs`, entries of `obsm`, and `uns["jindbench"]`.

    Parameters
    ----------
    tsne
        Coordinates of the n cells; None without an embedding.
    """
    embeddings = {CODES: labelled.codes, TSNE: tsne}
    if labelled.probabilities is not None:
        embeddings[PROBABILITIES] = labelled.probabilities.to_numpy()
    with io.replacing(path) as temporary:
        cells.copy(temporary)
        with h5py.File(temporary, "a") as file:
            add(file, obs_columns(labelled.table), {name: of for name, of in embeddings.items() if of is not None})
            if "uns" not in file:
                write_elem(file, "uns", {})
            write_elem(file["uns"], RECORD, uns)


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

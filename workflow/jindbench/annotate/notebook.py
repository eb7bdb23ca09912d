"""Annotation of AnnData objects in memory: they go through files, so that labels are those of the command."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anndata as ad
import pandas as pd
from anndata import AnnData

from jindbench.annotate import columns, command
from jindbench.annotate.settings import COPY, PAGE, Settings
from jindbench.config import messages
from jindbench.errors import InputError


def annotate(
    query: AnnData,
    reference: AnnData | str | Path,
    *,
    label_key: str | None = None,
    page: str | Path | None = None,
    threads: int | None = None,
    **options: Any,
) -> AnnData:
    """Label cells from labelled cells.

    Parameters
    ----------
    query
        Cells x genes.
    reference
        Labelled cells x genes, with their types in the column `label_key` of `obs`; or the path of such a file, or of
        a stored model.
    page
        Where to write the page (.html); None for none.
    threads
        All processors by default.
    options
        Any other of `jindbench.annotate.settings.Settings`, such as `method`, `seed`, `sample_key` or `cluster_key`.

    Returns
    -------
    A copy of the query with what the command adds to `obs`, `obsm` and `uns`; its `jind_` columns of an earlier
    annotation are replaced, or go where this one makes none.

    Raises
    ------
    InputError
        For the first fault found, in one line; objects have the names query.h5ad and reference.h5ad in it.
    """
    if not isinstance(query, AnnData):
        raise InputError(f"query: expected an AnnData, not {type(query).__name__}; the command reads files")
    keys = {name: options.get(name) for name in ("sample_key", "cluster_key")}
    if options.get("ontology") is not None and columns.TERM in query.obs:
        keys["ontology"] = columns.TERM  # the user's own: refused, as in a file
    with tempfile.TemporaryDirectory() as folder:
        in_memory = isinstance(reference, AnnData)
        given = {
            "query": [_stored(query, keys, Path(folder, "query.h5ad"))],
            "reference": f"{folder}/reference.h5ad" if in_memory else str(reference),
            "output": f"{folder}/out",
        }
        settings = messages.checked(Settings, given | {"label_key": label_key} | options, "annotate")
        if in_memory:
            keys = {"label_key": label_key, "batch_key": settings.batch_key}
            broader = [name for name in settings.broad_key if name in reference.obs]
            _stored(reference, keys, Path(settings.reference), broader)
        try:
            command.annotate(settings, threads=threads or len(os.sched_getaffinity(0)), pages=page is not None)
        except InputError as error:
            raise InputError(str(error).replace(f"{folder}/", "")) from error
        results = Path(folder, "out/query")
        found = ad.read_h5ad(results / COPY)
        if page is not None:
            shutil.copyfile(results / PAGE, page)
    annotated = query.to_memory() if query.isbacked else query.copy()
    for column in columns.OBS.values():
        if column in found.obs:
            annotated.obs[column] = found.obs[column].array
        elif column in annotated.obs and column != columns.TERM:  # which may be the user's own
            del annotated.obs[column]
    for name in (columns.CODES, columns.TSNE, columns.PROBABILITIES):
        annotated.obsm.pop(name, None)
        if name in found.obsm:
            annotated.obsm[name] = found.obsm[name]
    annotated.uns[columns.RECORD] = found.uns[columns.RECORD]
    if in_memory:
        annotated.uns[columns.RECORD]["reference"] = {"name": "an object in memory", "sha256": "none"}
    return annotated


def _stored(cells: AnnData, keys: dict[str, str | None], path: Path, more: Sequence[str] = ()) -> str:
    """Write what annotation reads of an object: of `obs`, the columns that options name, and `more` that there are."""
    cells = cells.to_memory() if cells.isbacked else cells
    for option, key in keys.items():
        if key is not None and key not in cells.obs:
            there = ", ".join(map(str, cells.obs.columns)) or "none"
            raise InputError(f"{path.name}: {option} '{key}' is not a column of obs (there are: {there})")
    obs = _as_text(cells.obs[list(dict.fromkeys([*filter(None, keys.values()), *more]))])
    bare = AnnData(cells.X, obs=obs, var=_as_text(cells.var), layers=dict(cells.layers))
    if cells.raw is not None:
        raw = cells.raw.to_adata()
        raw.var = _as_text(raw.var)
        bare.raw = raw
    bare.write_h5ad(path)
    return str(path)


def _as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns of objects as text, for a file holds nothing else; what is missing stays so."""
    objects = frame.select_dtypes("object")
    return frame.assign(**{name: values.map(str, na_action="ignore") for name, values in objects.items()})

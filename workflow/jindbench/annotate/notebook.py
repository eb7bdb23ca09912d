"""Annotation of AnnData objects in memory: they go through files, so that labels are those of the command."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import anndata as ad
from anndata import AnnData

from jindbench.annotate import columns, command
from jindbench.annotate.settings import COPY, PAGE, Settings
from jindbench.config import messages


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
    keys = [options[name] for name in ("sample_key", "cluster_key") if options.get(name) is not None]
    if options.get("ontology") is not None:
        keys.append(columns.TERM)  # which may be the user's own: refused then, as in a file
    with tempfile.TemporaryDirectory() as folder:
        given = {"query": [_stored(query, keys, Path(folder, "query.h5ad"))], "output": f"{folder}/out"}
        if isinstance(reference, AnnData):
            given["reference"] = _stored(
                reference, [label_key, options.get("batch_key")], Path(folder, "reference.h5ad")
            )
        else:
            given["reference"] = str(reference)
        settings = messages.checked(Settings, given | {"label_key": label_key} | options, "annotate")
        command.annotate(settings, threads=threads or len(os.sched_getaffinity(0)), pages=page is not None)
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
    if isinstance(reference, AnnData):
        annotated.uns[columns.RECORD]["reference"] = {"name": "an object in memory", "sha256": "none"}
    return annotated


def _stored(cells: AnnData, keys: list[str | None], path: Path) -> str:
    """Write what annotation reads of an object; that a key is no column, it says itself."""
    cells = cells.to_memory() if cells.isbacked else cells
    obs = cells.obs[[key for key in keys if key in cells.obs]]
    bare = AnnData(cells.X, obs=obs, var=cells.var, layers=dict(cells.layers))
    if cells.raw is not None:
        bare.raw = cells.raw.to_adata()
    bare.write_h5ad(path)
    return str(path)

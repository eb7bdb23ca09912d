"""Pictures of annotated cells, for notebooks; each takes what `jindbench.annotate` returns and gives a figure."""

from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.figure import Figure

from jindbench.annotate import columns
from jindbench.errors import InputError
from jindbench.names import CONFIDENCE, LABEL, RAW_LABEL, THRESHOLD
from jindbench.plots import annotation as pictures

if TYPE_CHECKING:
    from anndata import AnnData


def map(annotated: "AnnData") -> Figure:
    """Cells on the tSNE in the colours of their labels."""
    if columns.TSNE not in annotated.obsm:
        raise InputError(f"no '{columns.TSNE}' in obsm: annotate with embedding=True, and more than a few cells")
    points = pd.DataFrame(annotated.obsm[columns.TSNE], columns=["tsne_1", "tsne_2"])
    points[LABEL] = annotated.obs[columns.OBS[LABEL]].astype(str).to_numpy()
    return pictures.on_the_map(points, [*annotated.uns[columns.RECORD]["types"]])


def composition(annotated: "AnnData") -> Figure:
    """Share of each type among the cells with a label, beside that in the reference."""
    record = annotated.uns[columns.RECORD]
    labels = annotated.obs[columns.OBS[LABEL]].astype(str)
    counts = pd.DataFrame({"query": labels.value_counts().reindex([*record["types"]], fill_value=0)})
    if "reference_cells" in record:
        counts.insert(0, "reference", record["reference_cells"])
    counts = counts.sort_values(counts.columns[0], ascending=False, kind="stable")
    return pictures.composition(100 * counts / counts.sum().clip(lower=1))


def confidence(annotated: "AnnData") -> Figure:
    """Confidence of the cells by their most probable type, with each type's threshold."""
    names = {columns.OBS[name]: name for name in (RAW_LABEL, CONFIDENCE, THRESHOLD)}
    table = annotated.obs[[*names]].rename(columns=names)
    return pictures.confidence(table.assign(**{RAW_LABEL: table[RAW_LABEL].astype(str)}))

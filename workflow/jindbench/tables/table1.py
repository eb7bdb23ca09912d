"""Table 1 of the paper: the size of each dataset, and how hard its cell types are to tell apart."""

import numpy as np
import pandas as pd

from jindbench import render
from jindbench.tables import published as papers
from jindbench.tables.verdicts import NOT_TESTED, Quantity, verdict

# Our columns, and what readers see above them.
COLUMNS = {
    "cells": "cells",
    "genes": "genes",
    "cell_types": "cell types",
    "batches": "batches",
    "knn_as_published": "kNN as published",
    "knn_all_cells": "kNN of all cells",
    "knn_held_out": "kNN held out",
}
COUNTS = ["cells", "genes", "cell_types", "batches"]
SCORES = ["knn_as_published", "knn_all_cells", "knn_held_out"]

NOTE = (
    "kNN: accuracy of three nearest neighbours on a UMAP embedding, the mean over batches; as published: of the source "
    "(of a dataset with one batch, a random 70 % of its cells), fitted and scored on the same cells, which is "
    "optimistic since each cell is its own nearest neighbour; of all cells: the same of the whole dataset; held out: "
    "of all cells, cross-validated. In brackets the paper's value, ours minus the paper's and the verdict (kNN is "
    f"reproduced within {papers.TOLERANCES['knn_as_published']}, other numbers if they are equal), where it has one."
)


def table1(sizes: pd.DataFrame, scores: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Table 1 of the paper, one row for each dataset.

    Parameters
    ----------
    sizes
        Columns dataset, cells, genes, cell_types, batches, and status: "ok", or why there are none of these.
    scores
        One row for each batch of these datasets: columns dataset and `SCORES`. A batch without a score (NaN) does not
        count in the mean.
    published
        See `jindbench.tables.published`.

    Returns
    -------
    Column dataset (the paper's name for it, or the configuration's), then each of ours; followed, where the paper's
    Table 1 has such a column, by the paper's value (`cells_paper`), ours minus the paper's (`cells_difference`) and
    the verdict (`cells_verdict`, see `jindbench.tables.verdicts`); and last the status.
    """
    names = sizes["dataset"]
    means = scores.reindex(columns=["dataset", *SCORES]).groupby("dataset")[SCORES]
    means = means.agg(lambda of_batches: of_batches.astype(float).mean()).round(3)
    ours = sizes.join(means, on="dataset")
    published = published[published["table"] == 1]
    titles = dict(zip(published["name"], published["paper_name"], strict=True))
    printed = published.pivot(index="name", columns="metric", values="value").reindex(names).reset_index(drop=True)

    table = pd.DataFrame({"dataset": [titles.get(name, name) for name in names]})
    for column in COLUMNS:
        table[column] = ours[column]
        if column in printed:
            table[f"{column}_paper"] = printed[column]
            table[f"{column}_difference"] = (ours[column] - printed[column]).round(3)
            rows = zip(ours["status"], ours[column], printed[column], strict=True)
            table[f"{column}_verdict"] = [_verdict(*row, papers.TOLERANCES[column]) for row in rows]
    table["status"] = ours["status"]
    whole = [column + suffix for column in COUNTS for suffix in ("", "_paper", "_difference")]
    return table.astype(dict.fromkeys(table.columns.intersection(whole), "Int64"))  # whole, although some are missing


def _verdict(status: str, ours: float, paper: float, tolerance: float) -> str | float:
    """The verdict on one number; NaN where the paper has none."""
    if pd.isna(paper):
        return np.nan
    if pd.isna(ours):
        return f"{NOT_TESTED}: {'the run has no value' if status == 'ok' else status}"
    return verdict(Quantity(ours, ours, ours), paper, paper, tolerance)


def shown(table: pd.DataFrame) -> render.Table:
    """Table 1 for readers: the paper's values in brackets behind ours."""
    rows = []
    for _, row in table.iterrows():
        if row["status"] != "ok":
            rows.append([row["dataset"], row["status"], *["-"] * (len(COLUMNS) - 1)])
            continue
        cells = [row["dataset"]]
        for column in COLUMNS:
            digits, ours = ("d" if column in COUNTS else ".3f"), row[column]
            cell = "NA" if pd.isna(ours) else f"{ours:{digits}}"
            if not pd.isna(row.get(f"{column}_paper")):
                paper, difference = row[f"{column}_paper"], row[f"{column}_difference"]
                beside = "" if pd.isna(difference) else f", {difference:+{digits}}"
                cell += f" ({paper}{beside}, {row[f'{column}_verdict']})"
            cells.append(cell)
        rows.append(cells)
    return render.Table(["dataset", *COLUMNS.values()], rows, [NOTE])


def verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each number of the paper: columns what, ours, paper and verdict."""
    rows = [
        (
            f"Table 1, {row['dataset']}: {title}",
            "-" if pd.isna(row[column]) else f"{row[column]:g}",
            f"{row[f'{column}_paper']:g}",
            row[f"{column}_verdict"],
        )
        for _, row in table.iterrows()
        for column, title in COLUMNS.items()
        if not pd.isna(row.get(f"{column}_verdict"))
    ]
    return pd.DataFrame(rows, columns=["what", "ours", "paper", "verdict"])

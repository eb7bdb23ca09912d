"""What became of a query, and what its owner should look at first."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from jindbench.annotate.genes import Match
from jindbench.annotate.labelling import ASSIGNED, NEW_TYPE, STATUS, Labelled
from jindbench.annotate.reading import Cells, Content
from jindbench.annotate.reference import Reference
from jindbench.jind.estimator import JIND
from jindbench.names import CONFIDENCE, LABEL, LOG, RAW_LABEL

# From where on the page speaks of it. None of these changes a label.
MANY_REJECTED = 0.2  # of the cells
NEW_CELLS = 0.01  # of the cells
FAR_COMPOSITION = 0.3  # total variation: the share of cells that would have to be of another type
FEW_GENES = 0.5  # of the smaller side's
SMALL_TYPE = 10  # cells of the reference: a threshold rests on a fifth to a third of them

REJECTED = "rejected %"  # column of `by_type`


@dataclass(frozen=True)
class Outcome:
    """All that is known of one query after its annotation.

    Attributes
    ----------
    cells, content, match
        The file, the matrix that was taken, the genes in common with the reference.
    reference, aligned
        The model before and after alignment.
    labelled
        The labels.
    tsne
        Coordinates of all cells, n x 2.
    drawn
        Positions of the cells that the tSNE was made of; the others were placed among them.
    n_aligned
        Number of cells that alignment saw.
    seconds
        How long each stage took.
    """

    cells: Cells
    content: Content
    match: Match
    reference: Reference
    aligned: JIND
    labelled: Labelled
    tsne: np.ndarray
    drawn: np.ndarray
    n_aligned: int
    seconds: dict[str, float]


def composition(outcome: Outcome) -> pd.DataFrame:
    """Cells of each of the reference's types: columns `reference` (where known) and `query`; the largest first."""
    types = outcome.reference.jind.model_.classes
    counts = pd.DataFrame({"query": outcome.labelled.table[LABEL].value_counts().reindex(types, fill_value=0)})
    if (known := outcome.reference.composition) is not None:
        counts.insert(0, "reference", known.reindex(types, fill_value=0))
    return counts.sort_values(counts.columns[0], ascending=False, kind="stable")


def by_type(outcome: Outcome) -> pd.DataFrame:
    """A row for each most probable type: its cells, the shares of them rejected and possibly new, median confidence."""
    table = outcome.labelled.table
    rows = table.assign(rejected=table[STATUS] != ASSIGNED, new=table[STATUS] == NEW_TYPE).groupby(RAW_LABEL)
    return pd.DataFrame(
        {
            "cells": rows.size(),
            REJECTED: 100 * rows["rejected"].mean(),
            "possibly new %": 100 * rows["new"].mean(),
            "median confidence": rows[CONFIDENCE].median(),
        }
    ).sort_values("cells", ascending=False)


def unaligned_was_kept(outcome: Outcome) -> bool:
    """Whether of all epochs of the alignment the start, which is the unaligned model, was kept."""
    history = outcome.aligned.history_
    return {"epoch", "kept"} <= {*history} and bool((history.loc[history["kept"].astype(bool), "epoch"] == 0).any())


def look_first(outcome: Outcome) -> list[str]:
    """Sentences for the top of the page, what matters most first."""
    table, found = outcome.labelled.table, []
    n, rejected = len(table), (table[STATUS] != ASSIGNED).sum()
    sentence = f"{n - rejected:,} of {n:,} cells have a label; {rejected / n:.1%} are unassigned."
    if rejected / n > MANY_REJECTED:
        sentence += " That is many: the query may hold types that the reference lacks, or differ much from it."
    found.append(sentence)

    new = table[table[STATUS] == NEW_TYPE]
    if len(new) > NEW_CELLS * n:
        nearest = _counted(new[RAW_LABEL].value_counts()[:3])
        found.append(
            f"{len(new):,} cells ({len(new) / n:.1%}) may be of a type that the reference lacks. The labels nearest to "
            f"them: {nearest}. See where they lie on the map, and which genes they express."
        )
    types = by_type(outcome)
    if len(odd := types[(types[REJECTED] > 50) & (types["cells"] >= SMALL_TYPE)]):
        found.append(f"More than half of the cells nearest to {_listed(odd.index)} were rejected.")

    if unaligned_was_kept(outcome):
        found.append("Alignment was not kept: no epoch was better than the unaligned model, whose labels these are.")

    counts = composition(outcome)
    if "reference" in counts:
        if len(missing := counts.index[(counts["query"] == 0) & (counts["reference"] > 0)]):
            found.append(f"No cell was labelled {_listed(missing)}, which the reference has.")
        shares = counts / counts.sum().clip(lower=1)
        difference = shares["query"] - shares["reference"]
        if counts["query"].sum() and (distance := difference.abs().sum() / 2) > FAR_COMPOSITION:
            largest = difference.abs().sort_values(ascending=False).index[:2]
            changes = ", ".join(
                f"{name} {shares['reference'][name]:.0%} there and {shares['query'][name]:.0%} here" for name in largest
            )
            found.append(
                f"The composition is far from the reference's (total variation {distance:.2f}): {changes}. Alignment "
                "assumes that both are alike: check these labels by their genes."
            )
        if len(small := counts.index[counts["reference"] < SMALL_TYPE]):
            found.append(f"The reference has fewer than {SMALL_TYPE} cells of {_listed(small)}: little to learn from.")

    match = outcome.match
    if (share := len(match.query) / min(match.n_reference, match.n_query)) < FEW_GENES:
        found.append(f"Only {len(match.query):,} genes are common to both ({share:.0%} of the smaller side's).")
    if outcome.content.kind == LOG:
        found.append(
            "The labels rest on logarithms, since there were no counts on both sides. They are comparable only if both "
            "were made in the same way: same base, same total of each cell."
        )
    if outcome.content.empty:
        found.append(f"{outcome.content.empty:,} cells have no count at all; their labels mean nothing.")
    if n_repeated := outcome.cells.cell_ids.duplicated().sum():
        found.append(f"{n_repeated:,} cell ids are there more than once; rows are in the order of the file.")
    return found


def _counted(counts: pd.Series) -> str:
    return ", ".join(f"{name} ({n:,})" for name, n in counts.items())


def _listed(names: pd.Index, most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more

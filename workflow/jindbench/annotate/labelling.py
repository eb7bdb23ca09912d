"""All cells of a query, labelled block by block: a million of them fit into memory by what is kept of each."""

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from jindbench.annotate.cells import Cells
from jindbench.annotate.content import Content
from jindbench.annotate.reference import Reference
from jindbench.data.genes import Match
from jindbench.data.preprocess import CELL_TOTAL, transform
from jindbench.jind.estimator import JIND
from jindbench.jind.expression import BLOCK
from jindbench.jind.model import JINDModel
from jindbench.names import LABEL, NOVELTY, UNASSIGNED

STATUS = "status"
ASSIGNED, LOW_CONFIDENCE, NEW_TYPE = "assigned", "unassigned: low confidence", "unassigned: possible new type"
DOUBTFUL = "doubtful: reference does not fit"  # every cell with a label, where many are unlike their type
STATUSES = (ASSIGNED, LOW_CONFIDENCE, NEW_TYPE, DOUBTFUL)


@dataclass(frozen=True)
class NewType:
    """From which novelty on a cell may be of a type that the reference lacks.

    Attributes
    ----------
    above
        A rejected cell of a novelty above this may be.
    mistaken
        The share of the cells whose type the reference has that are flagged so: on 38 pairs of real batches, each type
        left out of the reference in turn (preset `robust`, docs/robust-alignment.md).
    """

    above: float
    mistaken: float


# With the types' mean expression in the novelty, 19 % of the cells of the type that was left out were flagged; by the
# confidence alone, as with the paper's presets, 17 %.
BY_EXPRESSION, BY_CONFIDENCE = NewType(0.9, 0.024), NewType(0.1, 0.027)

# The reference does not fit if a larger share of the cells with a label is unlike their type. It was 0 to 19 % on 13
# pairs of the same tissue (chemistries, studies, donors, human and mouse), 55 to 100 % on 11 of pancreas and blood.
UNFIT = 0.4

# Cells that alignment sees. It learns one shift of the latent space, for which these are plenty; its time and memory
# grow with them.
ALIGNED_CELLS = 50_000

SAID_EVERY = 100_000  # cells between two lines of the log

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Query:
    """Cells to annotate.

    Attributes
    ----------
    cells
        The file.
    content
        The matrix of it that is taken.
    match
        Its genes that the reference has.
    """

    cells: Cells
    content: Content
    match: Match

    @property
    def cell_ids(self) -> pd.Index:
        """Names of the n cells."""
        return self.cells.cell_ids

    @property
    def genes(self) -> pd.DataFrame:
        """The table of the matrix's genes."""
        return self.cells.genes[self.content.place]


@dataclass(frozen=True)
class Labelled:
    """What is known of a query's n cells.

    Attributes
    ----------
    table
        n rows: the columns of `jindbench.predictions` and `status`.
    codes
        Latent codes of the prediction models side by side, 256 columns each, float32.
    empty
        Which cells have no count in the genes in common.
    expression
        Groups of cells (labels, and the statuses of cells without one) x the query's genes: mean log expression.
    """

    table: pd.DataFrame
    codes: np.ndarray
    empty: np.ndarray
    expression: pd.DataFrame


def sample(n: int, most: int, seed: int) -> np.ndarray:
    """Positions of at most `most` of `n` cells, drawn without replacement, in order."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))


def has_counts(X: sparse.csr_matrix, match: Match) -> np.ndarray:
    """Which cells have any count in the genes in common; of the others nothing can be said."""
    return X[:, match.query].getnnz(axis=1) > 0


def new_type(model: JINDModel) -> NewType:
    """What holds for this model."""
    return BY_CONFIDENCE if model.profiles is None else BY_EXPRESSION


def statuses(table: pd.DataFrame, empty: np.ndarray, above: float) -> np.ndarray:
    """What became of each cell: a rejected one of novelty above that may be of a new type, unless it has no counts."""
    rejected = table[LABEL] == UNASSIGNED
    return np.select([~rejected, (table[NOVELTY] > above) & ~empty], [ASSIGNED, NEW_TYPE], LOW_CONFIDENCE)


def unlike_share(table: pd.DataFrame, model: JINDModel) -> float:
    """The share of cells with a label that are unlike their type; 0 where the model does not ask for the expression."""
    labelled = table[LABEL] != UNASSIGNED
    if model.profiles is None or not labelled.any():
        return 0.0
    return (table.loc[labelled, NOVELTY] > new_type(model).above).mean()


def label(query: Query, reference: Reference, aligned: JIND) -> Labelled:
    """Label every cell, in one pass over the file.

    Parameters
    ----------
    aligned
        The reference's model, aligned to this query.
    """
    n, model = len(query.cell_ids), reference.jind.model_
    tables, codes, sums, empty, above = [], None, {}, [], new_type(model).above
    for start, X in zip(range(0, n, BLOCK), query.cells.blocks(query.content.place), strict=True):
        block = reference.expression(X, query.match, query.cell_ids[start : start + BLOCK])
        table = aligned.predict(block)
        empty.append(~has_counts(X, query.match))
        table.loc[empty[-1], LABEL] = UNASSIGNED
        table[STATUS] = statuses(table, empty[-1], above)
        tables.append(table)
        found = aligned.latent_codes(block)
        codes = np.empty((n, found.shape[1]), dtype=np.float32) if codes is None else codes
        codes[start : start + len(found)] = found
        log_expression = transform(X, model.x_kind, log_base="e", cell_total=CELL_TOTAL)
        for group, rows in groups(table).groupby(groups(table)).indices.items():
            sums[group] = sums.get(group, 0) + np.asarray(log_expression[rows].sum(axis=0, dtype=np.float64)).ravel()
        if (start + len(table)) // SAID_EVERY > start // SAID_EVERY:
            log.info("labelled %s of %s cells", f"{start + len(table):,}", f"{n:,}")
    table, empty = pd.concat(tables, ignore_index=True), np.concatenate(empty)
    if unlike_share(table, model) > UNFIT:
        table.loc[table[STATUS] == ASSIGNED, STATUS] = DOUBTFUL
    sizes = groups(table).value_counts()
    expression = pd.DataFrame({group: total / sizes[group] for group, total in sums.items()}).T
    return Labelled(table, codes, empty, expression)


def groups(table: pd.DataFrame) -> pd.Series:
    """The label of each cell, or the status of a cell that has none."""
    return table[LABEL].where(table[LABEL] != UNASSIGNED, table[STATUS])


def top_genes(labelled: Labelled, symbols: pd.Index, n: int = 10) -> pd.DataFrame:
    """Genes that are expressed higher in a group than in all other cells, by the difference of mean log expression.

    Returns
    -------
    A row for each group: its name, cells, and up to `n` genes, the highest difference first.
    """
    sizes = groups(labelled.table).value_counts()
    totals = labelled.expression.mul(sizes, axis=0)
    everything, rows = totals.sum(), []
    for group in sizes.index:
        others = (everything - totals.loc[group]) / max(len(labelled.table) - sizes[group], 1)
        difference = (labelled.expression.loc[group] - others).to_numpy()
        best = np.argsort(-difference, kind="stable")[:n]
        names = ", ".join(symbols[best[difference[best] > 0]])
        rows.append({"label": group, "cells": sizes[group], "genes": names})
    return pd.DataFrame(rows)

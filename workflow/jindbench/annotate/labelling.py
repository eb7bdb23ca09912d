"""All cells of a query, labelled block by block: a million of them fit into memory by what is kept of each."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from jindbench.annotate.by_method import ByMethod, MethodModel
from jindbench.annotate.cells import Cells
from jindbench.annotate.columns import (
    BROAD_LABEL,
    CLUSTER_LABEL,
    CLUSTER_SHARE,
    DEPTH,
    PROBABILITY,
    SECOND_LABEL,
    SECOND_PROBABILITY,
    STATUS,
)
from jindbench.annotate.content import Content
from jindbench.annotate.reference import Reference
from jindbench.data.genes import Match
from jindbench.data.matrix import BLOCK
from jindbench.data.preprocess import CELL_TOTAL, transform
from jindbench.jind.estimator import JIND
from jindbench.jind.model import JINDModel
from jindbench.names import CONFIDENCE, LABEL, NOVELTY, RAW_LABEL, THRESHOLD, UNASSIGNED

if TYPE_CHECKING:
    from sklearn.decomposition import PCA

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
        The share of the cells whose type the reference has that are flagged so, each type left out of the reference in
        turn: by expression on 8 pairs of real batches (`consensus`, docs/forecast.md), by confidence on 38 (the paper's
        presets, docs/robust-alignment.md).
    """

    above: float
    mistaken: float


# With the types' mean expression in the novelty, 21 % of the cells of the type that was left out were flagged; by the
# confidence alone, as with the paper's presets, 17 %.
BY_EXPRESSION, BY_CONFIDENCE = NewType(0.9, 0.042), NewType(0.1, 0.027)

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
    samples, clusters
        The sample and the cluster of each cell, as text; None where no key was given.
    """

    cells: Cells
    content: Content
    match: Match
    samples: pd.Series | None = None
    clusters: pd.Series | None = None

    @property
    def cell_ids(self) -> pd.Index:
        """Names of the n cells."""
        return self.cells.cell_ids

    @property
    def genes(self) -> pd.DataFrame:
        """The table of the matrix's genes."""
        return self.cells.genes[self.content.place]

    @property
    def parts(self) -> pd.Series:
        """What each cell is aligned with: its sample, or all cells."""
        return pd.Series("", index=range(len(self.cell_ids))) if self.samples is None else self.samples


@dataclass(frozen=True)
class Labelled:
    """What is known of a query's n cells.

    Attributes
    ----------
    table
        n rows: the columns of `jindbench.predictions`, the second most probable type, `status`, the broad label and its
        depth, and the vote of the cell's cluster where clusters are known.
    probabilities
        n x K, float32, a column for each type; None where they were not asked for.
    codes
        Principal components of the latent codes, float32; None without an embedding.
    empty
        Which cells have no count in the genes in common.
    expression, expressing
        Groups of cells (labels, and the statuses of cells without one) x the query's genes: mean log expression, and
        the share of the cells that express the gene.
    """

    table: pd.DataFrame
    probabilities: pd.DataFrame | None
    codes: np.ndarray | None
    empty: np.ndarray
    expression: pd.DataFrame
    expressing: pd.DataFrame


def sample(n: int, most: int, seed: int) -> np.ndarray:
    """Positions of at most `most` of `n` cells, drawn without replacement, in order."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))


def has_counts(X: sparse.csr_matrix, match: Match) -> np.ndarray:
    """Which cells have any count in the genes in common; of the others nothing can be said."""
    return X[:, match.query].getnnz(axis=1) > 0


def new_type(model: JINDModel | MethodModel) -> NewType:
    """What holds for this model."""
    return BY_CONFIDENCE if model.profiles is None else BY_EXPRESSION


def statuses(table: pd.DataFrame, empty: np.ndarray, above: float) -> np.ndarray:
    """What became of each cell: a rejected one of novelty above that may be of a new type, unless it has no counts."""
    rejected = table[LABEL] == UNASSIGNED
    return np.select([~rejected, (table[NOVELTY] > above) & ~empty], [ASSIGNED, NEW_TYPE], LOW_CONFIDENCE)


def unlike_share(table: pd.DataFrame, model: JINDModel | MethodModel) -> float:
    """The share of cells with a label, of all where none has one, that are unlike their type.

    0 where the model does not ask for the expression.
    """
    if model.profiles is None:
        return 0.0
    labelled = table[LABEL] != UNASSIGNED
    return (table.loc[labelled if labelled.any() else table.index, NOVELTY] > new_type(model).above).mean()


def label(
    query: Query,
    reference: Reference,
    aligned: dict[str, JIND | ByMethod],
    components: "PCA | None" = None,
    limits: dict[str, float] | None = None,
    *,
    probabilities: bool = False,
) -> Labelled:
    """Label every cell, in one pass over the file.

    Parameters
    ----------
    aligned
        The reference's model, aligned to each part of this query.
    components
        Of the latent codes, to which these are reduced; None keeps none of them.
    limits
        The confidence that a label demands in each part; None: that of the model's thresholds.
    probabilities
        Keep those of all types.
    """
    n, model = len(query.cell_ids), reference.jind.model_
    types, parts = model.classes, query.parts.to_numpy()
    tables, codes, shares, empty, sums, counts = [], [], [], [], {}, {}
    for start, X in zip(range(0, n, BLOCK), query.cells.blocks(query.content.place), strict=True):
        block = reference.expression(X, query.match, query.cell_ids[start : start + BLOCK])
        found, coded = [], []
        of_part = pd.Series(parts[start : start + BLOCK]).groupby(parts[start : start + BLOCK]).indices
        for part, rows in of_part.items():
            cells = block[rows]
            if components is None:
                labels = aligned[part].predict(cells, probabilities=True)
            else:
                labels, of_cells = aligned[part].predict_and_code(cells, probabilities=True)
                coded.append(components.transform(of_cells).astype(np.float32))
            found.append((labels if limits is None else above(labels, limits[part], model)).set_index(rows))
        order = np.argsort(np.concatenate([*of_part.values()]), kind="stable")
        table = pd.concat(found).iloc[order]
        if coded:
            codes.append(np.concatenate(coded)[order])
        empty.append(~has_counts(X, query.match))
        table, of_types = completed(table, model, empty[-1])
        table = table.join(reference.hierarchy.label(table, of_types, empty[-1]))
        if probabilities:
            shares.append(of_types)
        tables.append(table)
        log_expression = transform(X, model.x_kind, log_base="e", cell_total=CELL_TOTAL)
        for group, rows in table.groupby(groups(table).to_numpy()).indices.items():
            of_group = log_expression[rows]
            sums[group] = sums.get(group, 0) + np.asarray(of_group.sum(axis=0, dtype=np.float64)).ravel()
            counts[group] = counts.get(group, 0) + of_group.getnnz(axis=0)
        if (start + len(table)) // SAID_EVERY > start // SAID_EVERY:
            log.info("labelled %s of %s cells", f"{start + len(table):,}", f"{n:,}")
    table, empty = pd.concat(tables, ignore_index=True), np.concatenate(empty)
    sizes = groups(table).value_counts()
    if unlike_share(table, model) > UNFIT:
        table.loc[table[STATUS] == ASSIGNED, STATUS] = DOUBTFUL
        table.loc[table[LABEL] == UNASSIGNED, [BROAD_LABEL, DEPTH]] = UNASSIGNED, 0
    if query.clusters is not None:
        table = table.join(vote(table, query.clusters))
    means, expressing = (pd.DataFrame({name: of[name] / sizes[name] for name in of}).T for of in (sums, counts))
    all_probabilities = pd.DataFrame(np.concatenate(shares), columns=types) if shares else None
    return Labelled(table, all_probabilities, np.concatenate(codes) if codes else None, empty, means, expressing)


def completed(
    table: pd.DataFrame, model: JINDModel | MethodModel, empty: np.ndarray
) -> tuple[pd.DataFrame, np.ndarray]:
    """Predictions with the second most probable type and the status of each cell, and the probabilities apart, n x K.

    Parameters
    ----------
    table
        As `JIND.predict` gives it, with probabilities.
    empty
        Which cells have no counts, and so no label.
    """
    names = [PROBABILITY + name for name in model.classes]
    of_types, table = table[names].to_numpy(dtype=np.float32), table.drop(columns=names)
    table[SECOND_LABEL], table[SECOND_PROBABILITY] = second(of_types, table[RAW_LABEL], model.classes)
    table[LABEL] = table[LABEL].mask(empty, UNASSIGNED)
    table[STATUS] = statuses(table, empty, new_type(model).above)
    return table, of_types


def above(table: pd.DataFrame, limit: float, model: JINDModel | MethodModel) -> pd.DataFrame:
    """The cells with another threshold, the same for all types: those above it have a label.

    Not those that their type's own threshold rejects and whose expression is unlike its cells: they may be new.
    """
    labelled = table[CONFIDENCE] > limit
    if model.profiles is not None:
        labelled &= (table[LABEL] != UNASSIGNED) | (table[NOVELTY] <= new_type(model).above)
    return table.assign(**{THRESHOLD: limit, LABEL: table[RAW_LABEL].where(labelled, UNASSIGNED)})


def second(probabilities: np.ndarray, raw_labels: pd.Series, types: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The second most probable type of each of n cells and its probability, by the probabilities, n x K."""
    others, rows = probabilities.copy(), np.arange(len(probabilities))
    others[rows, pd.Index(types).get_indexer(raw_labels)] = -1
    best = others.argmax(axis=1)
    return np.asarray(types, dtype=object)[best], others[rows, best].astype(np.float64)


def vote(table: pd.DataFrame, clusters: pd.Series) -> pd.DataFrame:
    """For each cell the most frequent label of its cluster, `unassigned` included, and that label's share there."""
    shares = pd.crosstab(clusters.to_numpy(), table[LABEL].to_numpy(), normalize="index")
    won = pd.DataFrame({CLUSTER_LABEL: shares.idxmax(axis=1), CLUSTER_SHARE: shares.max(axis=1)})
    return won.loc[clusters].set_index(table.index)


def groups(table: pd.DataFrame) -> pd.Series:
    """The label of each cell, or the status of a cell that has none."""
    return table[LABEL].where(table[LABEL] != UNASSIGNED, table[STATUS])


def top_genes(labelled: Labelled, n: int = 10) -> dict[str, np.ndarray]:
    """Genes that are expressed higher in a group than in all other cells, by the difference of mean log expression.

    Returns
    -------
    For each group, the largest first, positions of up to `n` genes, the highest difference first.
    """
    sizes = groups(labelled.table).value_counts()
    totals = labelled.expression.mul(sizes, axis=0)
    everything, found = totals.sum(), {}
    for group in sizes.index:
        others = (everything - totals.loc[group]) / max(len(labelled.table) - sizes[group], 1)
        difference = (labelled.expression.loc[group] - others).to_numpy()
        best = np.argsort(-difference, kind="stable")[:n]
        found[group] = best[difference[best] > 0]
    return found

"""A method's predictions: this file alone builds, checks, writes and reads them.

The table has one row for each target cell: `cell_id`, `raw_label` (the most probable type), `confidence` (its
probability), `threshold` (the cell is rejected if its confidence is below, for some methods also if it is equal; NA
where the method never rejects), `novelty` (the higher, the more likely the cell is of a type that the source lacks) and
`label` (the raw label, or "unassigned" for a rejected cell).

Novelty is how far the confidence lies below the threshold of the raw label, threshold - confidence; for a method that
never rejects it is 1 - confidence. A method may have a better measure: JIND after alignment, which draws new cells into
known types, takes that of its unaligned model, and its preset `robust` adds how unlike the mean expression of its type
a cell is (`jindbench.jind.profiles`). Novelty orders the cells of one run; labels do not depend on it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from jindbench import io
from jindbench.names import CELL_ID, CONFIDENCE, LABEL, NOVELTY, RAW_LABEL, THRESHOLD, UNASSIGNED

COLUMNS = [CELL_ID, RAW_LABEL, CONFIDENCE, THRESHOLD, NOVELTY, LABEL]


class InvalidPredictions(Exception):
    """A method returned something that is no valid set of predictions."""


@dataclass(frozen=True)
class Predictions:
    """What a method says of n target cells.

    Attributes
    ----------
    table
        n rows, as described above.
    probabilities
        n x K, one column for each type that the method knows; the index is the cell id. Rows sum to 1.
    """

    table: pd.DataFrame
    probabilities: pd.DataFrame


def from_probabilities(
    cell_ids: pd.Index,
    classes: np.ndarray,
    probabilities: np.ndarray,
    threshold: np.ndarray | float | None,
    *,
    reject_at_threshold: bool = False,
    scores: np.ndarray | None = None,
    novelty: np.ndarray | None = None,
) -> Predictions:
    """Turn class probabilities into predictions.

    Parameters
    ----------
    cell_ids
        The n target cells.
    classes
        The K cell types.
    probabilities
        n x K. Rows of a method with one model against the rest for each type do not sum to 1: the confidence is the
        highest of them as it is, and the probabilities are divided by their sum.
    threshold
        One for all classes, one for each (length K), or None for a method that does not reject.
    reject_at_threshold
        Reject also where the confidence equals the threshold.
    scores
        n x K, of which the probabilities are an increasing function; they order types that both have probability 1.
    novelty
        One for each cell, for a method with a better measure than the distance of the confidence from the threshold.
    """
    best = (probabilities if scores is None else scores).argmax(axis=1)
    confidence = probabilities[np.arange(len(best)), best].astype(np.float64)
    raw_label = np.asarray(classes, dtype=object)[best]
    if threshold is None:
        limit, rejected = np.full(len(best), np.nan), np.zeros(len(best), dtype=bool)
    else:
        limit = np.broadcast_to(np.asarray(threshold, dtype=np.float64), len(classes))[best]
        rejected = confidence <= limit if reject_at_threshold else confidence < limit
    if novelty is None:
        novelty = (1 if threshold is None else limit) - confidence
    table = pd.DataFrame(
        {
            CELL_ID: np.asarray(cell_ids, dtype=object),
            RAW_LABEL: raw_label,
            CONFIDENCE: confidence,
            THRESHOLD: limit,
            NOVELTY: novelty,
            LABEL: np.where(rejected, UNASSIGNED, raw_label),
        }
    )
    total = probabilities.sum(axis=1, keepdims=True, dtype=np.float64)
    shares = np.divide(probabilities, total, out=np.full(probabilities.shape, 1 / len(classes)), where=total != 0)
    return Predictions(table, pd.DataFrame(shares, index=pd.Index(cell_ids, dtype=object), columns=list(classes)))


def none() -> pd.DataFrame:
    """The predictions of a method that failed: no rows."""
    return pd.DataFrame(columns=COLUMNS)


def check(predictions: Predictions, cell_ids: pd.Index, types: set[str]) -> None:
    """Check predictions against the target's cells and the source's types.

    Raises
    ------
    InvalidPredictions
        Saying what is wrong.
    """
    if not isinstance(predictions, Predictions):
        raise InvalidPredictions(
            f"`run` returned {type(predictions).__name__}, expected Predictions, such as "
            "jindbench.predictions.from_probabilities gives"
        )
    predictions, probabilities = predictions.table, predictions.probabilities
    if list(predictions.columns) != COLUMNS:
        raise InvalidPredictions(f"columns are {list(predictions.columns)}, expected {COLUMNS}")
    ids = predictions[CELL_ID]
    if ids.duplicated().any():
        raise InvalidPredictions(f"cell '{ids[ids.duplicated()].iloc[0]}' is predicted twice")
    if missing := set(cell_ids) - set(ids):
        raise InvalidPredictions(f"{len(missing)} of {len(cell_ids)} target cells have no prediction")
    if extra := set(ids) - set(cell_ids):
        raise InvalidPredictions(f"{len(extra)} predicted cells are not in the target, such as '{min(extra)}'")
    if unknown := set(predictions[RAW_LABEL]) - types:
        raise InvalidPredictions(f"'{min(map(str, unknown))}' is not a type of the source")
    if not predictions[CONFIDENCE].between(0, 1 + 1e-6).all():
        raise InvalidPredictions("a confidence is NaN or not between 0 and 1")
    if not np.isfinite(predictions[NOVELTY]).all():
        raise InvalidPredictions("a novelty is NaN or infinite")
    rejected = predictions[LABEL] == UNASSIGNED
    if (predictions[LABEL][~rejected] != predictions[RAW_LABEL][~rejected]).any():
        raise InvalidPredictions(f"label is neither raw_label nor '{UNASSIGNED}'")
    if (predictions[CONFIDENCE][rejected] <= predictions[THRESHOLD][rejected]).sum() < rejected.sum():
        raise InvalidPredictions("a cell is rejected whose confidence is above its threshold")
    if (predictions[CONFIDENCE][~rejected] < predictions[THRESHOLD][~rejected]).any():
        raise InvalidPredictions("a cell is not rejected whose confidence is below its threshold")
    if list(probabilities.index) != list(ids):
        raise InvalidPredictions("the probabilities are not of the cells of the table, in its order")
    if unknown := set(probabilities.columns) - types:
        raise InvalidPredictions(f"there are probabilities of '{min(map(str, unknown))}', not a type of the source")
    values = probabilities.to_numpy()
    if not (np.isfinite(values).all() and (values >= 0).all() and np.allclose(values.sum(axis=1), 1, atol=1e-4)):
        raise InvalidPredictions("the probabilities of a cell are NaN or negative or do not sum to 1")
    own = values[np.arange(len(ids)), probabilities.columns.get_indexer(predictions[RAW_LABEL])]
    if (own < values.max(axis=1) - 1e-6).any():
        raise InvalidPredictions("a raw label is not the most probable type")


def write(predictions: pd.DataFrame, path: str | Path) -> None:
    """Write predictions (`.tsv.gz`)."""
    io.write_table(predictions, path)


def read(path: str | Path) -> pd.DataFrame:
    """Read predictions."""
    return io.read_table(path, text=[CELL_ID, RAW_LABEL, LABEL])

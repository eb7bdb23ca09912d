"""A method's predictions: built, checked, written and read here alone.

One row for each target cell: `cell_id`, `raw_label` (the most probable type), `confidence` (its probability),
`threshold` (the confidence below which, or for some methods at which, the cell is rejected; NA where the
method never rejects) and `label` (the raw
label, or "unassigned" for a rejected cell).
"""

from pathlib import Path

import numpy as np
import pandas as pd

from jindbench import io
from jindbench.names import CELL_ID, CONFIDENCE, LABEL, RAW_LABEL, THRESHOLD, UNASSIGNED

COLUMNS = [CELL_ID, RAW_LABEL, CONFIDENCE, THRESHOLD, LABEL]


class InvalidPredictions(Exception):
    """A method returned something that is no valid set of predictions."""


def from_probabilities(
    cell_ids: pd.Index,
    classes: np.ndarray,
    probabilities: np.ndarray,
    threshold: np.ndarray | float | None,
    *,
    reject_at_threshold: bool = False,
) -> pd.DataFrame:
    """Turn class probabilities into predictions.

    Parameters
    ----------
    cell_ids
        The n target cells.
    classes
        The K cell types.
    probabilities
        n x K.
    threshold
        One for all, one for each class (length K), or None for a method that does not reject.
    reject_at_threshold
        Reject also where the confidence equals the threshold.
    """
    best = probabilities.argmax(axis=1)
    confidence = probabilities[np.arange(len(best)), best].astype(np.float64)
    raw_label = np.asarray(classes, dtype=object)[best]
    if threshold is None:
        limit, rejected = np.full(len(best), np.nan), np.zeros(len(best), dtype=bool)
    else:
        limit = np.broadcast_to(np.asarray(threshold, dtype=np.float64), len(classes))[best]
        rejected = confidence <= limit if reject_at_threshold else confidence < limit
    return pd.DataFrame(
        {
            CELL_ID: np.asarray(cell_ids, dtype=object),
            RAW_LABEL: raw_label,
            CONFIDENCE: confidence,
            THRESHOLD: limit,
            LABEL: np.where(rejected, UNASSIGNED, raw_label),
        }
    )


def none() -> pd.DataFrame:
    """The predictions of a method that failed: no rows."""
    return pd.DataFrame(columns=COLUMNS)


def check(predictions: pd.DataFrame, cell_ids: pd.Index, types: set[str]) -> None:
    """Check predictions against the target's cells and the source's types.

    Raises
    ------
    InvalidPredictions
        Saying what is wrong.
    """
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
    rejected = predictions[LABEL] == UNASSIGNED
    if (predictions[LABEL][~rejected] != predictions[RAW_LABEL][~rejected]).any():
        raise InvalidPredictions(f"label is neither raw_label nor '{UNASSIGNED}'")
    if (predictions[CONFIDENCE][rejected] <= predictions[THRESHOLD][rejected]).sum() < rejected.sum():
        raise InvalidPredictions("a cell is rejected whose confidence is above its threshold")
    if (predictions[CONFIDENCE][~rejected] < predictions[THRESHOLD][~rejected]).any():
        raise InvalidPredictions("a cell is not rejected whose confidence is below its threshold")


def write(predictions: pd.DataFrame, path: str | Path) -> None:
    """Write predictions (`.tsv.gz`)."""
    io.write_table(predictions, path)


def read(path: str | Path) -> pd.DataFrame:
    """Read predictions."""
    return io.read_table(path, text=[CELL_ID, RAW_LABEL, LABEL])

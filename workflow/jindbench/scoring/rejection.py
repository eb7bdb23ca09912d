"""What rejection buys: accuracy against the share of cells kept, calibration of the confidence, results by type.

A threshold is one point on a curve: keep the cells that a method is most confident of, however many, and see how many
of those are right. The curve tells methods apart whose thresholds reject different shares of the cells, also methods
that have none. `metrics` defines when a cell is right and when it is kept.
"""

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from jindbench.names import CELL_ID, CONFIDENCE, LABEL, RAW_LABEL
from jindbench.scoring.metrics import correct_and_kept, rejects

BINS = 15  # of equal width, of the confidence


def _cells(predictions: pd.DataFrame, truth: pd.Series) -> pd.DataFrame:
    """Each cell's prediction beside its true `type`, `correct` and `kept`, in the order of `truth`."""
    return correct_and_kept(predictions, truth).assign(type=truth).join(predictions.set_index(CELL_ID))


def coverage_curve(predictions: pd.DataFrame, truth: pd.Series) -> pd.DataFrame:
    """Accuracy of the most confident cells, for each number of them.

    Cells enter by decreasing confidence, regardless of a method's thresholds (which may differ between types). Cells of
    equal confidence enter together, so the order of the rows does not matter.

    Returns
    -------
    A row for each distinct confidence: coverage (share of all cells that are at least as confident), accuracy (share
    of those whose raw label is right). The last row has coverage 1 and the raw accuracy.
    """
    cells = _cells(predictions, truth)
    entering = cells.groupby(CONFIDENCE)["correct"].agg(["size", "sum"]).sort_index(ascending=False)
    kept = entering.cumsum()
    return pd.DataFrame({"coverage": kept["size"] / len(cells), "accuracy": kept["sum"] / kept["size"]}).reset_index(
        drop=True
    )


def thin(curve: pd.DataFrame, points: int = 200) -> pd.DataFrame:
    """At most so many points of a `coverage_curve`, evenly along coverage, the first and the last included.

    A curve has up to one point for each cell; a figure cannot show them all.
    """
    coverage = curve["coverage"].to_numpy()
    chosen = np.searchsorted(coverage, np.linspace(coverage[0], coverage[-1], points))
    return curve.iloc[np.unique(chosen)].reset_index(drop=True)


def area(curve: pd.DataFrame) -> float:
    """Area under a `coverage_curve` from coverage 0 to 1, by the trapezoidal rule; 1 if every cell is right.

    Below the first point, the accuracy is that of the first point: what to expect of cells drawn from the most
    confident ones.
    """
    coverage = np.concatenate([[0], curve["coverage"]])
    accuracy = np.concatenate([curve["accuracy"].iloc[:1], curve["accuracy"]])
    return float(np.trapezoid(accuracy, coverage))


def accuracy_at(curve: pd.DataFrame, coverage: float) -> float:
    """Effective accuracy if this share of the cells were kept, such as the share that another method keeps.

    Between two points of a `coverage_curve`, within cells of equal confidence, accuracy is interpolated linearly;
    below its first point it is that of the first point. NaN at coverage 0: no cell is kept.

    Raises
    ------
    ValueError
        If the coverage is not between 0 and 1.
    """
    if not 0 <= coverage <= 1:
        raise ValueError(f"coverage {coverage} is not between 0 and 1")
    return float(np.interp(coverage, curve["coverage"], curve["accuracy"])) if coverage > 0 else np.nan


def beside_reference(curve: pd.DataFrame, seed: int, kept: Mapping[int, float]) -> dict[str, float]:
    """Accuracy of a run if it kept as many cells as another method.

    Parameters
    ----------
    curve
        `coverage_curve` of the run.
    seed
        Its seed.
    kept
        The share of cells that the other method keeps, by seed; empty if it has no result.

    Returns
    -------
    coverage_of_reference (the other method's share with this seed, or the mean over all if it has no such seed),
    accuracy_at_that_coverage (see `accuracy_at`; likewise); NaN without a result of the other method.
    """
    shares = [kept[seed]] if seed in kept else list(kept.values()) or [np.nan]
    at = [np.nan if np.isnan(share) else accuracy_at(curve, share) for share in shares]
    return {"coverage_of_reference": float(np.mean(shares)), "accuracy_at_that_coverage": float(np.mean(at))}


def reliability(predictions: pd.DataFrame, truth: pd.Series) -> pd.DataFrame:
    """How often the raw label is right, by confidence.

    Returns
    -------
    A row for each of the 15 bins: low, high (its bounds; the upper one belongs to it, and 0 to the first bin), n
    (cells), confidence and accuracy (their means; NaN in a bin without cells).
    """
    cells = _cells(predictions, truth)
    bounds = np.linspace(0, 1, BINS + 1)
    confidence = cells[CONFIDENCE].clip(upper=1)  # sums of rounded probabilities may pass 1
    in_bin = cells.groupby(pd.cut(confidence, bounds, labels=False, include_lowest=True))
    bins = in_bin.agg(n=("correct", "size"), confidence=(CONFIDENCE, "mean"), accuracy=("correct", "mean"))
    bins = bins.reindex(pd.RangeIndex(BINS)).fillna({"n": 0}).astype({"n": int})
    return pd.DataFrame({"low": bounds[:-1], "high": bounds[1:]}).join(bins)


def calibration_error(bins: pd.DataFrame) -> float:
    """Expected calibration error: the mean over cells of |accuracy - confidence| of their bin in `reliability`.

    The confidence of a method that scores each type by itself is no probability, and is taken as one.
    """
    gap = (bins["accuracy"] - bins["confidence"]).abs()
    return float((bins["n"] * gap).sum() / bins["n"].sum())  # no cells, no gap: NaN is left out of the sum


def quality(predictions: pd.DataFrame, truth: pd.Series) -> dict[str, float]:
    """Measures beyond raw, rej and eff, all of them before rejection.

    F1 and balanced accuracy (mean recall) go over the types of the target. One that the source lacks counts as 0. A
    type that is predicted but absent from the target is no class of its own; cells given to it are missed by theirs.

    Returns
    -------
    macro_f1, weighted_f1 (by cells of the type), balanced_accuracy, area_under_coverage (see `area`),
    calibration_error (see there).
    """
    from sklearn.metrics import precision_recall_fscore_support

    raw_label = predictions.set_index(CELL_ID)[RAW_LABEL].loc[truth.index]
    _, recall, f1, n_cells = precision_recall_fscore_support(
        truth, raw_label, labels=truth.unique(), average=None, zero_division=0
    )
    return {
        "macro_f1": float(f1.mean()),
        "weighted_f1": float(np.average(f1, weights=n_cells)),
        "balanced_accuracy": float(recall.mean()),
        "area_under_coverage": area(coverage_curve(predictions, truth)),
        "calibration_error": calibration_error(reliability(predictions, truth)),
    }


def per_type(predictions: pd.DataFrame, truth: pd.Series, source_types: Collection[str]) -> pd.DataFrame:
    """Accuracy and rejection of each type of the target.

    Parameters
    ----------
    source_types
        The types that a method can know.

    Returns
    -------
    A row for each true type, the most frequent first: type, known (whether the source has it), n (cells), raw (share
    whose raw label is right), rej (share rejected; NaN for a method that never rejects), eff (share right of those
    kept; NaN where none is kept, and for a method that never rejects), confused_with (the most frequent wrong raw
    label, first by name among equals; NaN if there is none) and n_confused (cells that have it).
    """
    cells = _cells(predictions, truth)
    by_type = cells.groupby("type")
    table = pd.DataFrame({"n": by_type.size(), "raw": by_type["correct"].mean()})
    table["rej"] = 1 - by_type["kept"].mean() if rejects(predictions) else np.nan
    table["eff"] = cells[cells["kept"]].groupby("type")["correct"].mean() if rejects(predictions) else np.nan

    wrong = cells[~cells["correct"]].groupby(["type", RAW_LABEL]).size().reset_index(name="n_confused")
    wrong = wrong.sort_values(["n_confused", RAW_LABEL], ascending=[False, True]).drop_duplicates("type")
    table = table.join(wrong.set_index("type").rename(columns={RAW_LABEL: "confused_with"}))
    table["n_confused"] = table["n_confused"].fillna(0).astype(int)

    table = table.sort_values("n", ascending=False, kind="stable").reset_index()
    table.insert(1, "known", table["type"].isin(source_types))
    return table


def confusion(predictions: pd.DataFrame, truth: pd.Series) -> pd.DataFrame:
    """How many cells of each true type got each label, "unassigned" being one: columns type, label, n.

    Pairs that no cell has are left out.
    """
    return _cells(predictions, truth).groupby(["type", LABEL]).size().reset_index(name="n")

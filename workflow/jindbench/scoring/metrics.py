"""Accuracy and rejection, as the paper defines them ('Evaluation Metrics'), with their uncertainty.

raw  share of all target cells whose label before rejection is right
rej  share of all target cells that are rejected
eff  share of the cells not rejected whose label is right; not defined where all are rejected

A cell whose true type the source lacks counts as wrong in `raw`.
"""

import numpy as np
import pandas as pd

from jindbench.names import CELL_ID, LABEL, RAW_LABEL, THRESHOLD, UNASSIGNED

METRICS = ("raw", "rej", "eff")
RESAMPLES = 2000
INTERVAL = 0.95


def correct_and_kept(predictions: pd.DataFrame, truth: pd.Series) -> pd.DataFrame:
    """For each target cell, by cell_id in the order of `truth`: is its raw label `correct`, is it `kept`?

    Raises
    ------
    KeyError
        If a cell of `truth` has no prediction.
    """
    predictions = predictions.set_index(CELL_ID).loc[truth.index]
    return pd.DataFrame(
        {"correct": predictions[RAW_LABEL] == truth, "kept": predictions[LABEL] != UNASSIGNED}, index=truth.index
    )


def rejects(predictions: pd.DataFrame) -> bool:
    """Whether the method has a threshold at all; without one, `rej` and `eff` do not apply."""
    return bool(predictions[THRESHOLD].notna().any())


def metrics(correct: np.ndarray, kept: np.ndarray, counts: np.ndarray) -> dict[str, np.ndarray]:
    """raw, rej and eff of cells that occur in kinds.

    Parameters
    ----------
    correct, kept
        Boolean, of the P kinds of cell.
    counts
        How many cells are of each kind; ... x P.

    Returns
    -------
    One value (... shaped) for each metric; eff is NaN where no cell is kept.
    """
    total, n_kept = counts.sum(axis=-1), (counts * kept).sum(axis=-1)
    with np.errstate(invalid="ignore"):
        eff = (counts * (kept & correct)).sum(axis=-1) / n_kept
    return {"raw": (counts * correct).sum(axis=-1) / total, "rej": 1 - n_kept / total, "eff": eff}


def score(runs: list[pd.DataFrame], seed: int = 0) -> dict[str, dict[str, float]]:
    """Metrics of one or several runs (seeds) on the same cells, averaged over the runs, with bootstrap intervals.

    The interval comes from resampling cells, the same draw for all runs. A draw depends only on how often each pattern
    of `correct` and `kept` occurs in it, so patterns are drawn instead of cells: the same distribution, at a cost that
    does not grow with the number of cells. Where a metric is 0 or 1 with every run, all draws are the same, and the
    interval is Wilson's.

    Parameters
    ----------
    runs
        `correct_and_kept` of each run, all in the same order of cells.
    seed
        Seed of the resampling.

    Returns
    -------
    For each metric: value (mean over runs), sd (over runs, NaN for one), low, high (95 % interval), n (cells
    that the value is a share of; the mean over runs for `eff`).
    """
    from scipy.stats import norm

    pattern_of_cell = np.column_stack([run[["correct", "kept"]].to_numpy() for run in runs])
    patterns, counts = np.unique(pattern_of_cell, axis=0, return_counts=True)
    n_cells = counts.sum()
    draws = np.random.default_rng(seed).multinomial(n_cells, counts / n_cells, size=RESAMPLES)

    values = {metric: [] for metric in METRICS}
    resampled = {metric: [] for metric in METRICS}
    for run in range(len(runs)):
        correct, kept = patterns[:, 2 * run], patterns[:, 2 * run + 1]
        for metric, value in metrics(correct, kept, counts).items():
            values[metric].append(float(value))
        for metric, value in metrics(correct, kept, draws).items():
            resampled[metric].append(value)

    tail = (1 - INTERVAL) / 2
    z = norm.isf(tail)
    scores = {}
    for metric in METRICS:
        over_runs = np.array(values[metric])
        drawn = np.mean(resampled[metric], axis=0)
        drawn = drawn[np.isfinite(drawn)]
        low, high = np.quantile(drawn, [tail, 1 - tail]) if len(drawn) else (np.nan, np.nan)
        n, value = n_cells if metric != "eff" else float(np.mean([run["kept"].sum() for run in runs])), over_runs.mean()
        if value in (0, 1):
            low, high = value * n / (n + z**2), 1 - (1 - value) * n / (n + z**2)
        scores[metric] = {
            "value": float(value),
            "sd": float(over_runs.std(ddof=1)) if len(runs) > 1 else np.nan,
            "low": float(low),
            "high": float(high),
            "n": n,
        }
    return scores


def rows(truth: pd.Series, runs: list[pd.DataFrame], reason: str = "") -> list[dict]:
    """Rows of a metrics table for one or several runs (seeds) of one method on one task.

    Parameters
    ----------
    truth
        True labels of the target, by cell_id.
    runs
        Predictions of each run.
    reason
        Why there are no scores, such as "failed: out of memory": one failed run leaves no average over seeds, or it
        would pass for one over all.

    Returns
    -------
    A row for each metric, with `status` "ok", "not applicable" or the reason.
    """
    if reason:
        return [{"metric": metric, "n_target": len(truth), "status": reason} for metric in METRICS]
    applicable = {"raw": True} | dict.fromkeys(("rej", "eff"), all(rejects(run) for run in runs))
    scores = score([correct_and_kept(run, truth) for run in runs])
    return [
        {"metric": metric, "n_target": len(truth)}
        | (scores[metric] | {"status": "ok"} if applicable[metric] else {"status": "not applicable"})
        for metric in METRICS
    ]

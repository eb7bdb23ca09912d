"""Who wins: the mean rank of every method over the tasks, with its interval over tasks and cells."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jindbench import io, predictions
from jindbench.plots import Drawn, grid, palette
from jindbench.scoring.metrics import INTERVAL, RESAMPLES, correct_and_kept

TITLE = "Who wins: mean ranks"
CAPTION = (
    "Mean over the tasks of each method's rank by raw accuracy (1 is best; equal methods share a rank), with its 95 % "
    "bootstrap interval over tasks and cells: how it might differ on other tasks of this kind. With few tasks the "
    "interval is too narrow (with 3 tasks it held the true mean in about nine of ten simulated benchmarks). Intervals "
    "of two methods do not compare them; the share of draws in which one is ahead of the other does. Column `first` "
    "of `ranks.tsv` has the share in which no other method is ahead. Right: mean raw accuracy."
)


def draw(predicted, outcomes, solutions, tasks, methods):
    """The ranks by raw accuracy of the methods of Table 2, and their table."""
    truths = {task: io.read_solution(path) for task, path in zip(tasks, solutions, strict=True)}
    runs, failed = {}, set()  # one failed seed leaves no average, as in the tables
    for path, outcome in zip(predicted, map(io.read_json, outcomes), strict=True):
        if outcome["status"] == "ok":
            run = correct_and_kept(predictions.read(path), truths[outcome["task"]])
            runs.setdefault((outcome["task"], outcome["method"]), []).append(run["correct"])
        else:
            failed.add((outcome["task"], outcome["method"]))
    runs = {run: seeds for run, seeds in runs.items() if run not in failed}
    correct = {
        task: pd.DataFrame(
            {method: np.mean(runs[task, method], axis=0) for method in methods if (task, method) in runs}
        )
        for task in tasks
        if any((task, method) in runs for method in methods)  # else its data are not available
    }
    table = mean_ranks(correct)
    left_out = [title for method, title in methods.items() if method not in set(table["method"])]
    missing = [f"Not ranked, since they lack a task: {', '.join(left_out)}."] if left_out else []
    if table.empty:
        return Drawn(None, TITLE, [], missing, {"table": table})
    picture = points(table.assign(method=table["method"].replace(methods)))
    return Drawn(picture, TITLE, [CAPTION, *missing], missing, {"table": table})


def mean_ranks(correct: Mapping[str, pd.DataFrame], seed: int = 0) -> pd.DataFrame:
    """Mean rank by raw accuracy over the tasks, of the methods that have run on all of them.

    The interval is of a percentile bootstrap that draws tasks, and in each task cells: how the ranks might differ on
    other tasks of this kind. As in `metrics.score`, patterns of right and wrong are drawn instead of cells.

    Parameters
    ----------
    correct
        For each task its target's cells x methods: the share of the seeds with which the cell's raw label is right.
    seed
        Of the resampling.

    Returns
    -------
    Columns method, raw (mean over tasks), rank (mean over tasks; 1 is the best, equals share theirs), low, high, first
    (share of the draws in which no method has a lower mean rank); the best first.
    """
    from scipy.stats import rankdata

    rng = np.random.default_rng(seed)
    tables = list(correct.values())
    names = [name for name in tables[0] if all(name in table for table in tables)] if tables else []
    if not names:
        return pd.DataFrame(columns=["method", "raw", "rank", "low", "high", "first"])
    accuracies = np.array([table[names].mean() for table in tables])  # tasks x methods
    of_cells = []  # tasks x draws x methods
    for table in tables:
        patterns, counts = np.unique(table[names].to_numpy(), axis=0, return_counts=True)
        drawn = rng.multinomial(len(table), counts / len(table), size=RESAMPLES)
        of_cells.append(rankdata(-(drawn @ patterns) / len(table), axis=1))
    chosen = rng.integers(len(tables), size=(RESAMPLES, len(tables)))
    ranks = np.array(of_cells)[chosen, np.arange(RESAMPLES)[:, None]].mean(axis=1)  # draws x methods
    low, high = np.quantile(ranks, [(1 - INTERVAL) / 2, (1 + INTERVAL) / 2], axis=0)
    table = pd.DataFrame(
        {
            "method": names,
            "raw": accuracies.mean(axis=0),
            "rank": rankdata(-accuracies, axis=1).mean(axis=0),
            "low": low,
            "high": high,
            "first": (ranks == ranks.min(axis=1, keepdims=True)).mean(axis=0),
        }
    )
    return table.sort_values("rank", kind="stable", ignore_index=True)


def points(ranks: pd.DataFrame) -> Figure:
    """Mean ranks with their intervals, the best on top.

    Parameters
    ----------
    ranks
        As `mean_ranks` gives it, `method` as a title.
    """
    figure, panels = grid(1, 1, 6.5, 1.5 + 0.3 * len(ranks))
    panel = panels[0, 0]
    places = np.arange(len(ranks))
    # The interval of the draws need not hold the rank itself: draws of cells break ties.
    panel.hlines(places, ranks["low"], ranks["high"], color=palette.BLUE, linewidth=2)
    panel.plot(ranks["rank"], places, "o", color=palette.BLACK)
    for place, row in zip(places, ranks.itertuples(), strict=True):
        panel.text(1.01, place, f"{row.raw:.3f}", va="center", fontsize=8, transform=panel.get_yaxis_transform())
    panel.text(1.01, 1.01, "raw", fontsize=8, transform=panel.transAxes)
    panel.set_yticks(places, ranks["method"])
    panel.set_ylim(len(ranks) - 0.5, -0.5)
    panel.grid(axis="x", color=palette.GRID)
    panel.set_axisbelow(True)
    panel.set_xlabel("mean rank by raw accuracy (1: the best on every task)")
    return figure

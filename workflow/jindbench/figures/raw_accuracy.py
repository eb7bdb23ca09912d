"""Raw accuracy of every method on every task, with its interval."""

import textwrap
from collections.abc import Collection

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jindbench import io
from jindbench.plots import Drawn, grid, lettered, palette
from jindbench.tables import titles

TITLE = "Raw accuracy"
CAPTION = (
    "Raw accuracy (before rejection) of every method on every task: the mean over seeds, with the bootstrap 95 % "
    "interval over target cells. Majority gives every cell the source's most frequent type: a method close to it has "
    "learned nothing. JIND unaligned against JIND (both blue) shows the effect of alignment. Overlapping "
    "intervals do not mean that two methods are equal: the tests of the summary compare them on the same cells."
)


def draw(scores, tasks, methods, jind):
    """The points of the methods of Table 2."""
    table = io.read_table(scores, text=["task", "method", "status"])
    return Drawn(points(titles.titled(table, tasks, methods), jind), TITLE, [CAPTION])


def points(scores: pd.DataFrame, jind: Collection[str]) -> Figure:
    """Points with bootstrap 95 % intervals, one panel for each task, methods from top to bottom; one scale for all.

    Parameters
    ----------
    scores
        Columns task, method (titles, in the order to be shown), metric, value, low, high, n_target, status.
    jind
        Titles of JIND's methods.
    """
    raw = scores[scores["metric"] == "raw"]
    tasks, methods = raw["task"].unique(), raw["method"].unique()
    height = 0.9 + 0.22 * len(methods)
    figure, panels = grid(len(tasks), 3, 2.6, height, more=(1.8, 0), sharex=True, sharey=True)
    for panel, task in zip(panels.flat, tasks, strict=False):
        of_task = raw[raw["task"] == task].set_index("method")
        for position, method in enumerate(methods):
            score = of_task.loc[method]
            if score["status"] == "ok":
                error = [[max(score["value"] - score["low"], 0)], [max(score["high"] - score["value"], 0)]]
                colour = palette.BLUE if method in jind else palette.TEXT
                panel.errorbar(score["value"], position, xerr=error, fmt="o", markersize=4, color=colour, linewidth=1.2)
            else:
                why = score["status"].partition(":")[0]  # failed, not run, not applicable
                panel.text(0.02, position, why, va="center", transform=panel.get_yaxis_transform(), fontsize=7)
        panel.set_title(f"{textwrap.fill(task, 38)}\n({int(of_task['n_target'].iloc[0])} cells)", fontsize=9)
        panel.set_yticks(range(len(methods)), methods, fontsize=8)
        panel.grid(axis="x", color=palette.GRID)
        panel.set_axisbelow(True)
        panel.set_xlabel("raw accuracy", fontsize=9)
    panels[0, 0].invert_yaxis()  # shared: once turns all panels
    panels[0, 0].set_xlim(0 if raw["low"].isna().all() else np.floor(10 * raw["low"].min()) / 10, 1.01)
    lettered(panels.flat[: len(tasks)])
    return figure

"""How many cells each method rejects (paper, Figure 3c)."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from jindbench.plots import words
from jindbench.plots.raw_accuracy import COLOURS
from jindbench.tables.table2 import HIGH_REJECTION

MOST_COLUMNS = 4


def draw(scores: pd.DataFrame) -> Figure:
    """A panel for each task, a bar for each method that rejects, with its bootstrap 95 % interval.

    Parameters
    ----------
    scores
        Columns task, method (titles, in the order to be shown), metric, value, low, high, status. Methods that never
        reject have no bar; those that did not run say so.
    """
    rates = scores[scores["metric"] == "rej"]
    rejecting = rates.loc[rates["status"] == "ok", "method"]
    rates = rates[rates["method"].isin(rejecting)]
    if rates.empty:
        return words("No method of this run rejects cells.")
    tasks, methods = rates["task"].unique(), rates["method"].unique()
    columns = min(len(tasks), MOST_COLUMNS)
    rows = -(-len(tasks) // columns)
    figure, panels = plt.subplots(
        rows,
        columns,
        figsize=(2 + 2.8 * columns, rows * (0.9 + 0.27 * len(methods))),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for panel, task in zip(panels.flat, tasks, strict=False):
        of_task = rates[rates["task"] == task].set_index("method")
        for position, method in enumerate(methods):
            score = of_task.loc[method]
            if score["status"] != "ok":
                why = score["status"].partition(":")[0]
                panel.text(0.01, position, why, va="center", fontsize=7, transform=panel.get_yaxis_transform())
                continue
            error = [[max(score["value"] - score["low"], 0)], [max(score["high"] - score["value"], 0)]]
            colour = COLOURS[5] if method.startswith("JIND") else COLOURS[2]
            panel.barh(position, score["value"], xerr=error, color=colour, error_kw={"linewidth": 1}, height=0.7)
        panel.axvline(HIGH_REJECTION, color=COLOURS[4], linewidth=1, linestyle="--")
        panel.set_title(task, fontsize=9)
        panel.set_yticks(range(len(methods)), methods, fontsize=8)
        panel.spines[["top", "right"]].set_visible(False)
        panel.set_xlabel("rejection rate", fontsize=8)
    panels[0, 0].invert_yaxis()  # shared: once turns all panels
    panels[0, 0].set_xlim(0, 1)
    for panel in panels.flat[len(tasks) :]:
        panel.set_visible(False)
    return figure

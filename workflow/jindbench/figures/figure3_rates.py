"""Figure 3 of the paper, panel c: how many cells each method rejects."""

import textwrap
from collections.abc import Collection

import pandas as pd
from matplotlib.figure import Figure

from jindbench import io
from jindbench.plots import Drawn, grid, lettered, palette
from jindbench.tables import titles
from jindbench.tables.table2 import HIGH_REJECTION

TITLE = "Figure 3 c: how many cells each method rejects"
CAPTION = (
    "Share of the target's cells that each method rejects. Means over seeds, with the bootstrap 95 % interval. To "
    "the right of the dashed line are the rates that the paper's Table 2 prints in red. Dark: JIND."
)


def draw(scores, tasks, methods, jind):
    """The bars of the methods of Table 2."""
    table = titles.titled(io.read_table(scores, text=["task", "method", "status"]), tasks, methods)
    rates = table[table["metric"] == "rej"]
    if (rates["status"] != "ok").all():
        return Drawn(None, TITLE, [], ["No method of this run rejects cells."])
    return Drawn(bars(table, jind), TITLE, [CAPTION])


def bars(scores: pd.DataFrame, jind: Collection[str]) -> Figure:
    """A panel for each task, a bar for each method that rejects, with its bootstrap 95 % interval.

    Parameters
    ----------
    scores
        Columns task, method (titles, in the order to be shown), metric, value, low, high, status. Methods that never
        reject have no bar; the row of a method that did not run says so.
    jind
        Titles of JIND's methods.
    """
    rates = scores[scores["metric"] == "rej"]
    rejecting = rates.loc[rates["status"] == "ok", "method"]
    rates = rates[rates["method"].isin(rejecting)]
    tasks, methods = rates["task"].unique(), rates["method"].unique()
    figure, panels = grid(len(tasks), 4, 2.8, 0.9 + 0.27 * len(methods), more=(2, 0), sharex=True, sharey=True)
    for panel, task in zip(panels.flat, tasks, strict=False):
        of_task = rates[rates["task"] == task].set_index("method")
        for position, method in enumerate(methods):
            score = of_task.loc[method]
            if score["status"] != "ok":
                why = score["status"].partition(":")[0]
                panel.text(0.01, position, why, va="center", fontsize=7, transform=panel.get_yaxis_transform())
                continue
            error = [[max(score["value"] - score["low"], 0)], [max(score["high"] - score["value"], 0)]]
            colour = palette.BLUE if method in jind else palette.SKY
            panel.barh(position, score["value"], xerr=error, color=colour, error_kw={"linewidth": 1}, height=0.7)
        panel.axvline(HIGH_REJECTION, color=palette.VERMILION, linewidth=1, linestyle="--")
        panel.set_title(textwrap.fill(task, 38), fontsize=9)
        panel.set_yticks(range(len(methods)), methods, fontsize=8)
        panel.set_xlabel("rejection rate", fontsize=8)
    panels[0, 0].invert_yaxis()  # shared: once turns all panels
    panels[0, 0].set_xlim(0, 1)
    lettered(panels.flat[: len(tasks)])
    return figure

"""Raw accuracy of every method on every task, with its interval."""

import pandas as pd
from matplotlib.figure import Figure

from jindbench import io
from jindbench.plots import grid, palette
from jindbench.tables import titles


def draw(scores, tasks, methods):
    """The points of the methods of Table 2."""
    table = io.read_table(scores, text=["task", "method", "status"])
    return points(titles.titled(table, tasks, methods)), {}


def points(scores: pd.DataFrame) -> Figure:
    """Points with bootstrap 95 % intervals, one panel for each task, methods from top to bottom.

    Parameters
    ----------
    scores
        Columns task, method (titles, in the order to be shown), metric, value, low, high, n_target, status.
    """
    raw = scores[scores["metric"] == "raw"]
    tasks, methods = raw["task"].unique(), raw["method"].unique()
    figure, panels = grid(len(tasks), 3, 3.4, 1.1 + 0.36 * len(methods), more=(1.2, 0), sharey=True)
    for panel, task in zip(panels.flat, tasks, strict=False):
        of_task = raw[raw["task"] == task].set_index("method")
        for position, method in enumerate(methods):
            score = of_task.loc[method]
            if score["status"] == "ok":
                error = [[max(score["value"] - score["low"], 0)], [max(score["high"] - score["value"], 0)]]
                style = palette.of_method(position)
                panel.errorbar(score["value"], position, xerr=error, capsize=3, linewidth=1.5, **style)
            else:
                why = score["status"].partition(":")[0]  # failed, not run, not applicable
                panel.text(0.02, position, why, va="center", transform=panel.get_yaxis_transform(), fontsize=8)
        panel.set_title(f"{task}\n({int(of_task['n_target'].iloc[0])} cells)", fontsize=10)
        panel.set_yticks(range(len(methods)), methods)
        panel.grid(axis="x", color=palette.GRID)
        panel.set_axisbelow(True)
        panel.set_xlabel("raw accuracy")
    panels[0, 0].invert_yaxis()  # shared: once turns all panels
    return figure

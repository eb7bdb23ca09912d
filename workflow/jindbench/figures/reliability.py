"""Reliability of the confidence of every method on every task."""

import textwrap

import pandas as pd
from matplotlib.figure import Figure

from jindbench import io
from jindbench.plots import Drawn, grid, palette
from jindbench.scoring import rejection

NO_SCORES = "No method of this run has scores."
LARGEST_POINT = 90  # points squared: a bin that holds all cells

TITLE = "Reliability of the confidence"
CAPTION = (
    "Is a confidence of .9 right nine times out of ten? Accuracy of the cells in bins of confidence: on the diagonal "
    "the confidence is right, below it the method is overconfident. The area of a point is its share of the cells, "
    "the number the calibration error. First seed of each method."
)


def draw(bins, tasks, methods, seed):
    """The bins of the run with the first seed of each method."""
    table = io.read_table(bins, text=["task", "method"])
    table = table[table["seed"] == seed].replace({"task": tasks, "method": methods})
    return Drawn(matrix(table), TITLE, [CAPTION]) if len(table) else Drawn(None, TITLE, [], [NO_SCORES])


def matrix(bins: pd.DataFrame) -> Figure:
    """Accuracy over confidence, a row for each method, a column for each task; on the diagonal, confidence is right.

    The area of a point is the share of the cells in its bin. The number is the calibration error.

    Parameters
    ----------
    bins
        Columns task, method (titles, in the order to be shown), then those of `rejection.reliability`.
    """
    tasks, methods = bins["task"].drop_duplicates().tolist(), bins["method"].drop_duplicates().tolist()
    n_panels = len(methods) * len(tasks)
    figure, panels = grid(n_panels, len(tasks), 1.5, 1.15, more=(1.6, 0.7), sharex=True, sharey=True)
    for row, method in enumerate(methods):
        for column, task in enumerate(tasks):
            panel = panels[row, column]
            chosen = bins[(bins["method"] == method) & (bins["task"] == task)]
            panel.plot([0, 1], [0, 1], color=palette.DIAGONAL, linewidth=0.8)
            if len(chosen):
                filled = chosen[chosen["n"] > 0]
                area = LARGEST_POINT * filled["n"] / filled["n"].sum()
                panel.plot(filled["confidence"], filled["accuracy"], color=palette.BLUE, linewidth=0.8, alpha=0.4)
                panel.scatter(filled["confidence"], filled["accuracy"], s=area, color=palette.BLUE, linewidth=0)
                error = f"{rejection.calibration_error(chosen):.3f}"
            else:
                error = "no scores"
            box = {"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 1}
            panel.text(0.97, 0.07, error, transform=panel.transAxes, fontsize=8, ha="right", bbox=box)
            panel.tick_params(labelsize=7)
            if row == 0:
                panel.set_title(textwrap.fill(task, 18), fontsize=9)
        panels[row, 0].set_ylabel(method, fontsize=8, rotation=0, ha="right", va="center")
    panels[0, 0].set(xlim=(-0.04, 1.04), ylim=(-0.04, 1.08), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    figure.supxlabel("confidence\n(area: share of the cells; number: calibration error)", fontsize=9)
    figure.supylabel("accuracy before rejection", fontsize=9)
    return figure

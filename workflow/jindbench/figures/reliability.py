"""Reliability of the confidence of every method on every task."""

import math
import textwrap
from collections.abc import Collection

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from jindbench import io
from jindbench.figures.held_out_scores import matrix
from jindbench.plots import Drawn, lettered, palette
from jindbench.scoring import rejection

NO_SCORES = "No method of this run has scores."
BEST = 3  # so many methods beside JIND have lines
FEWEST = 10  # cells of a bin that is drawn: of fewer, the accuracy says little

TITLE = "Reliability of the confidence"
CAPTION = (
    "Is a confidence of .9 right nine times out of ten? a: calibration error, the mean distance of confidence and "
    "accuracy over all cells; 0 is best. Other panels: accuracy before rejection of the cells in bins of confidence, "
    f"of JIND and the {BEST} other methods with the smallest errors. On the diagonal the confidence is right, below it "
    f"the method is overconfident. Bins of fewer than {FEWEST} cells are not drawn. First seed of each method."
)


def draw(bins, tasks, methods, seed, jind):
    """The bins of the run with the first seed of each method."""
    table = io.read_table(bins, text=["task", "method"])
    table = table[table["seed"] == seed].replace({"task": tasks, "method": methods})
    return Drawn(panels(table, jind), TITLE, [CAPTION]) if len(table) else Drawn(None, TITLE, [], [NO_SCORES])


def panels(bins: pd.DataFrame, jind: Collection[str]) -> Figure:
    """The calibration error of all methods on all tasks as a matrix; accuracy over confidence, a panel for each task.

    Parameters
    ----------
    bins
        Columns task, method (titles, in the order to be shown), then those of `rejection.reliability`.
    jind
        Titles of JIND's methods.
    """
    tasks, methods = bins["task"].unique(), bins["method"].unique()
    errors = bins.groupby(["method", "task"]).apply(rejection.calibration_error, include_groups=False).unstack("task")
    errors = errors.reindex(index=methods, columns=tasks)
    behind = (errors - errors.min()).mean(axis="columns")  # of what lacks a task too
    best = behind[~errors.index.isin(jind)].nsmallest(BEST).index
    shown = [method for method in methods if method in jind or method in best]
    style = palette.lines_of_methods(shown)

    columns = math.ceil(len(tasks) ** 0.5)
    rows = -(-len(tasks) // columns)
    sizes = 2.6 + 0.45 * len(tasks), 2.7 * columns + 2
    height = max(2 + 0.2 * len(methods), 2.8 * rows)
    left, right = plt.figure(figsize=(sum(sizes), height), layout="constrained").subfigures(1, 2, width_ratios=sizes)
    first = left.subplots()
    matrix(first, errors, palette.SHARES, lambda error: f"{error:.2f}".removeprefix("0"))
    first.set_title("calibration error", fontsize=9)
    first.set_xticks(range(len(tasks)), [textwrap.fill(task, 24) for task in tasks], fontsize=8)
    drawn = right.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for panel in drawn.flat[len(tasks) :]:
        panel.set_visible(False)
    for panel, task in zip(drawn.flat, tasks, strict=False):
        panel.plot([0, 1], [0, 1], color=palette.DIAGONAL, linewidth=0.8)
        for method in shown:
            chosen = bins[(bins["task"] == task) & (bins["method"] == method) & (bins["n"] >= FEWEST)]
            panel.plot(chosen["confidence"], chosen["accuracy"], label=method, markersize=5, **style[method])
        panel.set_title(textwrap.fill(task, 28), fontsize=9)
        panel.set_box_aspect(1)
        panel.tick_params(labelbottom=True)  # also where no panel is below it
    drawn[0, 0].set(xlim=(-0.04, 1.04), ylim=(-0.04, 1.08), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    right.supxlabel("confidence", fontsize=9)
    right.supylabel("accuracy before rejection", fontsize=9)
    right.legend(*drawn[0, 0].get_legend_handles_labels(), loc="outside right center", frameon=False, fontsize=8)
    lettered([first, *drawn.flat[: len(tasks)]])
    return left.figure

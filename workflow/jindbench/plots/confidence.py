"""Accuracy against coverage, and reliability of the confidence, of every method on every task."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jindbench.plots import words
from jindbench.plots.raw_accuracy import COLOURS, MARKERS
from jindbench.scoring import rejection

LINE_COLOURS = COLOURS[:-1]  # a yellow line is lost on white
DASHES = ["-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5))]  # 28 lines with the colours
MARK = {"markersize": 8, "markeredgecolor": "white", "markeredgewidth": 0.5}
LARGEST_POINT = 90  # points squared: a bin that holds all cells


def thin(curve: pd.DataFrame, points: int = 200) -> pd.DataFrame:
    """At most so many points of a `rejection.coverage_curve`, evenly along coverage, the first and the last included.

    A curve has up to one point for each cell; a page cannot show them.
    """
    coverage = curve["coverage"].to_numpy()
    chosen = np.searchsorted(coverage, np.linspace(coverage[0], coverage[-1], points))
    return curve.iloc[np.unique(chosen)].reset_index(drop=True)


def lowest_accuracy(curves: pd.DataFrame) -> float:
    """Where the axis of accuracy begins, a multiple of .05: at most at the lowest raw accuracy that is no outlier.

    One method that guesses would press all others into the top of the panels. Outliers are what lies below the lower
    quartile by more than 1.5 times the distance of the quartiles (Tukey).
    """
    raw = curves.groupby(["task", "method"])["accuracy"].last()
    lower, upper = raw.quantile([0.25, 0.75])
    lowest = raw[raw >= lower - 1.5 * (upper - lower)].min()
    return max(0.0, np.floor(lowest / 0.05 - 0.5) * 0.05)


def styles(methods: list[str]) -> dict[str, dict]:
    """Colour, dash and marker of each method, no two alike for up to 28 methods."""
    return {
        method: {
            "color": LINE_COLOURS[position % len(LINE_COLOURS)],
            "linestyle": DASHES[position // len(LINE_COLOURS) % len(DASHES)],
            "marker": MARKERS[position % len(MARKERS)],
        }
        for position, method in enumerate(methods)
    }


def draw_coverage(curves: pd.DataFrame, points: pd.DataFrame) -> Figure:
    """Accuracy of the most confident cells over the share kept, one panel for each task, one line for each method.

    The marker on a line is the method's own threshold. Methods whose accuracy on all cells is below the axis are named
    in the panel, with that accuracy.

    Parameters
    ----------
    curves
        Columns task, method (titles, in the order to be shown), coverage, accuracy: the curve of one run of each, as
        `thin` leaves it.
    points
        Columns task, method, coverage (1 - rej), accuracy (eff): a row for each method that rejects.
    """
    if curves.empty:
        return words("No method of this run has scores.")
    tasks, methods = curves["task"].drop_duplicates().tolist(), curves["method"].drop_duplicates().tolist()
    style, lowest = styles(methods), lowest_accuracy(curves)
    columns = min(len(tasks), 2)
    rows = int(np.ceil(len(tasks) / columns))
    figure, panels = plt.subplots(
        rows,
        columns,
        figsize=(2.2 + 3.4 * columns, max(0.4 + 3 * rows, 1 + 0.2 * len(methods))),  # room for the legend
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for panel, task in zip(panels.flat, tasks, strict=False):
        below = []
        for method, curve in curves[curves["task"] == task].groupby("method", sort=False):
            own = points[(points["task"] == task) & (points["method"] == method)]
            colour, dash, marker = style[method].values()
            # The accuracy of the most confident cells holds for any share of them.
            coverage = np.concatenate([[0], curve["coverage"]])
            accuracy = np.concatenate([curve["accuracy"].iloc[:1], curve["accuracy"]])
            panel.plot(coverage, accuracy, color=colour, linestyle=dash, linewidth=1.4)
            panel.plot(own["coverage"], own["accuracy"], marker, color=colour, **MARK)
            if curve["accuracy"].iloc[-1] < lowest:
                below.append(f"{method} {curve['accuracy'].iloc[-1]:.2f}")
        if below:
            panel.text(0.02, 0.02, "\n".join(["below:", *below]), transform=panel.transAxes, fontsize=7, va="bottom")
        panel.set_title(task, fontsize=10)
        panel.grid(color="#dddddd")
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
    for panel in panels.flat[len(tasks) :]:
        panel.set_visible(False)
        panels[-2, -1].tick_params(labelbottom=True)  # now the lowest of its column
    panels[0, 0].set_xlim(0, 1.02)
    panels[0, 0].set_ylim(lowest, 1 + (1 - lowest) / 50)
    figure.supxlabel("coverage (share of cells kept, the most confident first)", fontsize=10)
    figure.supylabel("accuracy of the cells kept", fontsize=10)
    for method in set(methods) - set(points["method"]):
        style[method]["marker"] = ""
    handles = [plt.Line2D([], [], label=method, linewidth=1.4, **MARK, **style[method]) for method in methods]
    figure.legend(
        handles=handles,
        title="marker: own threshold",
        loc="outside right center",
        frameon=False,
        fontsize=8,
        title_fontsize=8,
        handlelength=4.5,
    )
    return figure


def draw_reliability(bins: pd.DataFrame) -> Figure:
    """Accuracy over confidence, a row for each method, a column for each task; on the diagonal, confidence is right.

    The area of a point is the share of the cells in its bin. The number is the calibration error.

    Parameters
    ----------
    bins
        Columns task, method (titles, in the order to be shown), then those of `rejection.reliability`.
    """
    if bins.empty:
        return words("No method of this run has scores.")
    tasks, methods = bins["task"].drop_duplicates().tolist(), bins["method"].drop_duplicates().tolist()
    figure, panels = plt.subplots(
        len(methods),
        len(tasks),
        figsize=(1.6 + 1.5 * len(tasks), 0.7 + 1.15 * len(methods)),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for row, method in enumerate(methods):
        for column, task in enumerate(tasks):
            panel = panels[row, column]
            chosen = bins[(bins["method"] == method) & (bins["task"] == task)]
            panel.plot([0, 1], [0, 1], color="#999999", linewidth=0.8)
            if len(chosen):
                filled = chosen[chosen["n"] > 0]
                area = LARGEST_POINT * filled["n"] / filled["n"].sum()
                panel.plot(filled["confidence"], filled["accuracy"], color="#0072B2", linewidth=0.8, alpha=0.4)
                panel.scatter(filled["confidence"], filled["accuracy"], s=area, color="#0072B2", linewidth=0)
                error = f"{rejection.calibration_error(chosen):.3f}"
            else:
                error = "no scores"
            box = {"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 1}
            panel.text(0.97, 0.07, error, transform=panel.transAxes, fontsize=8, ha="right", bbox=box)
            panel.tick_params(labelsize=7)
            panel.spines[["top", "right"]].set_visible(False)
            if row == 0:
                panel.set_title(textwrap.fill(task, 18), fontsize=9)
        panels[row, 0].set_ylabel(method, fontsize=8, rotation=0, ha="right", va="center")
    panels[0, 0].set(xlim=(-0.04, 1.04), ylim=(-0.04, 1.08), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    figure.supxlabel("confidence\n(area: share of the cells; number: calibration error)", fontsize=9)
    figure.supylabel("accuracy before rejection", fontsize=9)
    return figure

"""Accuracy against coverage of every method on every task: rejection compared at every threshold."""

import textwrap
from collections.abc import Collection

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jindbench import io
from jindbench.plots import Drawn, grid, lettered, palette
from jindbench.scoring import rejection

MARK = {"markersize": 8, "markeredgecolor": "white", "markeredgewidth": 0.5}
BEST = 3  # so many methods beside JIND are told apart
OFF = 0.005  # a marker this far from its line is named

TITLE = "Accuracy at every rejection rate"
CAPTION = (
    "Rejection compared at every threshold. Cells enter by decreasing confidence, so each point gives the accuracy of "
    "the most confident cells when that share of the target is kept. Of two lines, the higher one rejects better at "
    "that coverage, whatever thresholds the methods chose. In colour: JIND and the three other methods with the "
    "largest area under their lines. The marker shows the method's own thresholds. First seed of each method."
)


def draw(curves, scores, tasks, methods, seed, jind):
    """The curves of the run with the first seed of each method."""
    titles = {"task": tasks, "method": methods}
    table = io.read_table(curves, text=["task", "method"])
    own = io.read_table(scores, text=["task", "method", "status", "metric"])
    own = own[(own["seed"] == seed) & (own["status"] == "ok")]
    own = own.pivot(index=["task", "method"], columns="metric", values="value").reindex(columns=["rej", "eff"])
    own = own.dropna().reset_index()
    own = own.assign(coverage=1 - own["rej"], accuracy=own["eff"])
    table, own = table[table["seed"] == seed].replace(titles), own.replace(titles)
    if table.empty:
        return Drawn(None, TITLE, [], ["No method of this run has scores."])
    return Drawn(lines(table, own, jind), TITLE, [CAPTION, *off_the_line(table, own)])


def highlighted(curves: pd.DataFrame, jind: Collection[str]) -> list[str]:
    """JIND's methods, and the others with the largest area under their lines, in the order of the run."""
    methods = curves["method"].drop_duplicates()
    areas = curves.groupby(["task", "method"]).apply(rejection.area, include_groups=False).unstack("task")
    behind = (areas - areas.max()).mean(axis="columns")  # of what lacks a task too
    best = sorted(methods[~methods.isin(jind)], key=behind.get, reverse=True)[:BEST]
    return [method for method in methods if method in jind or method in best]


def off_the_line(curves: pd.DataFrame, points: pd.DataFrame) -> list[str]:
    """Why some markers do not lie on their lines."""
    off = []
    for (task, method), curve in curves.groupby(["task", "method"], sort=False):
        own = points[(points["task"] == task) & (points["method"] == method)]
        for row in own.itertuples():
            if abs(row.accuracy - rejection.accuracy_at(curve, row.coverage)) > OFF and method not in off:
                off.append(method)
    names, have = ", ".join(off), "has" if len(off) == 1 else "have"
    return [f"Beside its line: {names} {have} a threshold for each type, the line has one for all cells."] * bool(off)


def lowest_accuracy(curves: pd.DataFrame) -> float:
    """Where the axis of accuracy begins, a multiple of .05: at most at the lowest raw accuracy that is no outlier.

    One method that guesses would press all others into the top of the panels. Outliers are what lies below the lower
    quartile by more than 1.5 times the distance of the quartiles (Tukey).
    """
    raw = curves.groupby(["task", "method"])["accuracy"].last()
    lower, upper = raw.quantile([0.25, 0.75])
    lowest = raw[raw >= lower - 1.5 * (upper - lower)].min()
    return max(0.0, np.floor(lowest / 0.05 - 0.5) * 0.05)


def lines(curves: pd.DataFrame, points: pd.DataFrame, jind: Collection[str]) -> Figure:
    """Accuracy of the most confident cells over the share kept, one panel for each task, one line for each method.

    The marker on a line is the method's own threshold. A method whose accuracy on all cells is below the axis is named
    in the panel, with that accuracy.

    Parameters
    ----------
    curves
        Columns task, method (titles, in the order to be shown), coverage, accuracy: the curve of one run of each, as
        `rejection.thin` leaves it.
    points
        Columns task, method, coverage (1 - rej), accuracy (eff): a row for each method that rejects.
    jind
        Titles of JIND's methods.
    """
    tasks, methods = curves["task"].drop_duplicates().tolist(), curves["method"].drop_duplicates().tolist()
    shown = highlighted(curves, jind)
    style, lowest = palette.lines_of_methods(shown), lowest_accuracy(curves)
    figure, panels = grid(len(tasks), 2, 3.4, 3, more=(2.2, 0.4), sharex=True, sharey=True)
    figure.set_figheight(max(figure.get_figheight(), 1 + 0.2 * len(shown)))  # room for the legend
    for panel, task in zip(panels.flat, tasks, strict=False):
        below = []
        for method, curve in curves[curves["task"] == task].groupby("method", sort=False):
            own = points[(points["task"] == task) & (points["method"] == method)]
            # The accuracy of the most confident cells holds for any share of them.
            coverage = np.concatenate([[0], curve["coverage"]])
            accuracy = np.concatenate([curve["accuracy"].iloc[:1], curve["accuracy"]])
            if method in shown:
                colour, dash, marker = style[method].values()
                panel.plot(coverage, accuracy, color=colour, linestyle=dash, linewidth=1.4, zorder=3)
                panel.plot(own["coverage"], own["accuracy"], marker, color=colour, zorder=4, **MARK)
            else:
                panel.plot(coverage, accuracy, color=palette.OTHERS, linewidth=1)
            if curve["accuracy"].iloc[-1] < lowest:
                below.append(f"{method} {curve['accuracy'].iloc[-1]:.2f}")
        if below:
            panel.text(0.02, 0.02, "\n".join(["below:", *below]), transform=panel.transAxes, fontsize=7, va="bottom")
        panel.set_title(textwrap.fill(task, 38), fontsize=10)
        panel.grid(color=palette.GRID)
        panel.set_axisbelow(True)
    if len(tasks) < panels.size:
        panels[-2, -1].tick_params(labelbottom=True)  # now the lowest of its column
    panels[0, 0].set_xlim(0, 1.02)
    panels[0, 0].set_ylim(lowest, 1 + (1 - lowest) / 50)
    figure.supxlabel("coverage (share of cells kept, the most confident first)", fontsize=10)
    figure.supylabel("accuracy of the cells kept", fontsize=10)
    for method in set(shown) - set(points["method"]):
        style[method]["marker"] = ""
    handles = [plt.Line2D([], [], label=method, linewidth=1.4, **MARK, **style[method]) for method in shown]
    if len(shown) < len(methods):
        handles.append(plt.Line2D([], [], label="other methods", color=palette.OTHERS))
    lettered(panels.flat[: len(tasks)])
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

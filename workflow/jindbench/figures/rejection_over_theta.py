"""How far a user controls the share of rejected cells: JIND's rejection rate against theta (paper, 'Filtering')."""

import textwrap

import pandas as pd
from matplotlib.figure import Figure

from jindbench import io
from jindbench.plots import Drawn, grid, lettered, palette

TITLE = "How far a user controls rejection"
CAPTION = (
    "Rejection rate of JIND and JIND+ at outlier fractions theta from .01 to .3, from the stored models; means over "
    "seeds. On the dashed line it equals theta, as it does for cells like the source's; where batches or types "
    "differ, more cells are rejected at every theta."
)


def draw(rates, tasks, methods):
    """The rates of the stored models."""
    table = io.read_table(rates, text=["task", "method"])
    if table.empty:
        return Drawn(None, TITLE, [], ["No model of JIND has a result."])
    return Drawn(lines(table.replace({"task": tasks, "method": methods})), TITLE, [CAPTION])


def lines(rates: pd.DataFrame) -> Figure:
    """One panel for each task, one line for each method: means over seeds. On the dashed line the rate is theta.

    Parameters
    ----------
    rates
        Columns task, method (titles, in the order to be shown), seed, theta, rej.
    """
    tasks, style = rates["task"].unique(), palette.lines_of_methods(rates["method"].unique().tolist())
    figure, panels = grid(len(tasks), 3, 3.2, 2.8, more=(1.8, 0), sharex=True, sharey=True)
    for panel, task in zip(panels.flat, tasks, strict=False):
        for method, of_method in rates[rates["task"] == task].groupby("method", sort=False):
            panel.plot(of_method.groupby("theta")["rej"].mean(), label=method, markersize=5, **style[method])
        panel.axline((0, 0), slope=1, color=palette.DIAGONAL, linestyle="--", linewidth=1)
        panel.set_title(textwrap.fill(task, 38), fontsize=10)
        panel.set_xlabel("theta")
        panel.set_ylim(0, max(rates["rej"].max(), rates["theta"].max()) * 1.05)
    lettered(panels.flat[: len(tasks)])
    panels[0, 0].set_ylabel("share of cells rejected")
    handles = {
        label: line for panel in panels.flat for line, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside right upper", fontsize=8, frameon=False)
    return figure

"""Raw accuracy of every method on every task, with its interval."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

# Okabe and Ito's colours can be told apart by people with any common form of colour blindness.
COLOURS = ["#000000", "#E69F00", "#56B4E9", "#009E73", "#D55E00", "#0072B2", "#CC79A7", "#F0E442"]
MARKERS = "osD^vP*X"


def draw(scores: pd.DataFrame) -> Figure:
    """Points with bootstrap 95 % intervals, one panel for each task, methods from top to bottom.

    Parameters
    ----------
    scores
        Columns task, method (titles, in the order to be shown), metric, value, low, high, n_target, status.
    """
    raw = scores[scores["metric"] == "raw"]
    tasks, methods = raw["task"].unique(), raw["method"].unique()
    columns = min(len(tasks), 3)
    rows = int(np.ceil(len(tasks) / columns))
    figure, panels = plt.subplots(
        rows,
        columns,
        figsize=(1.2 + 3.4 * columns, rows * (1.1 + 0.36 * len(methods))),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for panel, task in zip(panels.flat, tasks, strict=False):
        of_task = raw[raw["task"] == task].set_index("method")
        for position, method in enumerate(methods):
            score = of_task.loc[method]
            style = {"color": COLOURS[position % len(COLOURS)], "marker": MARKERS[position % len(MARKERS)]}
            if score["status"] == "ok":
                error = [[max(score["value"] - score["low"], 0)], [max(score["high"] - score["value"], 0)]]
                panel.errorbar(score["value"], position, xerr=error, capsize=3, linewidth=1.5, **style)
            else:
                why = score["status"].partition(":")[0]  # failed, not run, not applicable
                panel.text(0.02, position, why, va="center", transform=panel.get_yaxis_transform(), fontsize=8)
        panel.set_title(f"{task}\n({int(of_task['n_target'].iloc[0])} cells)", fontsize=10)
        panel.set_yticks(range(len(methods)), methods)
        panel.grid(axis="x", color="#dddddd")
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
        panel.set_xlabel("raw accuracy")
    panels[0, 0].invert_yaxis()  # shared: once turns all panels
    for panel in panels.flat[len(tasks) :]:
        panel.set_visible(False)
    return figure

"""Figure 3 of the paper, panels a and b: the cells that are rejected."""

import matplotlib

matplotlib.use("Agg")  # no display is needed

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from jindbench.plots import embedding, words
from jindbench.plots.palette import colours


def draw(tasks: dict[str, pd.DataFrame]) -> Figure:
    """A panel for each task.

    Parameters
    ----------
    tasks
        By title, the target's cells: columns tsne_1, tsne_2, type (true), raw_label, correct and kept.
    """
    if not tasks:
        return words("Figure 3 shows the method of `figures: method`; this run has no task with it.")
    columns = min(2, len(tasks))
    rows = -(-len(tasks) // columns)
    figure, panels = plt.subplots(rows, columns, figsize=(9 * columns, 6.5 * rows), squeeze=False, layout="constrained")
    for panel, (title, points) in zip(panels.flat, tasks.items(), strict=False):
        of_types = colours(pd.concat([points["type"], points["raw_label"]]))
        embedding.rejected(panel, points, of_types, title)
    for panel in panels.flat[len(tasks) :]:
        panel.set_visible(False)
    return figure

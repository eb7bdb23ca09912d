"""Figure 3 of the paper, panels a and b: the cells that are rejected."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from jindbench.plots import not_drawn, tsne_panels, words
from jindbench.plots.palette import colours


def draw(tasks: dict[str, pd.DataFrame], types: dict[str, list[str]], missing: Mapping[str, str]) -> Figure:
    """A panel for each task.

    Parameters
    ----------
    tasks
        By title, the target's cells: columns tsne_1, tsne_2, raw_label, correct and kept.
    types
        By title, all types of the task.
    missing
        See `not_drawn`.
    """
    if not tasks:
        return words(not_drawn(missing))
    columns = min(2, len(tasks))
    rows = -(-len(tasks) // columns)
    figure, panels = plt.subplots(rows, columns, figsize=(9 * columns, 6.5 * rows), squeeze=False, layout="constrained")
    for panel, (title, points) in zip(panels.flat, tasks.items(), strict=False):
        tsne_panels.rejected(panel, points, colours(types[title]), title)
    for panel in panels.flat[len(tasks) :]:
        panel.set_visible(False)
    figure.supxlabel(not_drawn(missing), fontsize=8)
    return figure

"""How many genes differ between random groups of cells of one type, and how many between the groups compared."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from jindbench.plots import words
from jindbench.plots.raw_accuracy import COLOURS

MOST_BINS = 40
WIDEST = 90  # letters in a line of a title


def draw(controls: dict[str, pd.DataFrame], observed: dict[str, int], alpha: float) -> Figure:
    """A histogram for each comparison, from top to bottom; a line marks the number of genes of the comparison itself.

    Parameters
    ----------
    controls
        By title, what `differential_expression.negative_control` returns; none where no groups can be compared.
    observed
        By the same titles, the number of significant genes between the groups compared.
    alpha
        A gene is significant if its adjusted p is below.
    """
    if not controls:
        return words("No groups of cells are large enough to be compared.")
    figure, panels = plt.subplots(
        len(controls), figsize=(7, 0.6 + 2.6 * len(controls)), squeeze=False, layout="constrained"
    )
    for panel, (title, control) in zip(panels.flat, controls.items(), strict=True):
        drawn, found, sizes = control["n_significant"], observed[title], control.iloc[0]
        counts, edges = histogram(drawn, found)
        bars = panel.stairs(counts, edges, fill=True, color=COLOURS[2])
        line = panel.axvline(found, color=COLOURS[4], linewidth=2)
        outcome = (
            f"Random groups of {sizes['n_first']} and {sizes['n_second']} cells: none in "
            f"{(drawn == 0).sum()} of {len(drawn)} draws, median {drawn.median():g}, at most {drawn.max()}"
        )
        panel.set_title("\n".join([*textwrap.wrap(f"{title}: {found} genes", WIDEST), outcome]), fontsize=9)
        panel.set_ylabel("draws")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.yaxis.set_major_locator(MaxNLocator(integer=True))
        panel.spines[["top", "right"]].set_visible(False)
    panels[-1, 0].set_xlabel(f"genes with adjusted p < {alpha:g}")
    figure.legend(
        [bars, line], ["random groups", "groups compared"], loc="outside upper center", ncols=2, frameon=False
    )
    return figure


def histogram(drawn: pd.Series, observed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws in bins of a whole number of genes that reach from no gene to the observed number, and their edges."""
    most = max(int(drawn.max()), observed, 5)
    width = -(-(most + 1) // MOST_BINS)
    edges = np.arange(0, most + width + 1, width) - 0.5
    return np.histogram(drawn, edges)

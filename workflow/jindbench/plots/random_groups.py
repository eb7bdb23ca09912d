"""The negative control: how many genes differ between random groups of cells of one type."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from jindbench.plots import palette

MOST_BINS = 40
WIDEST = 90  # letters in a line of a title


def draw(control: pd.DataFrame, found: int, title: str, alpha: float) -> Figure:
    """A histogram of the random draws; a line marks the number of genes of the comparison itself.

    Parameters
    ----------
    control
        What `differential_expression.negative_control` returns.
    found
        Number of significant genes between the groups compared.
    alpha
        A gene is significant if its adjusted p is below.
    """
    figure, panel = plt.subplots(figsize=(7, 3.2), layout="constrained")
    drawn, sizes = control["n_significant"], control.iloc[0]
    bars = panel.stairs(*histogram(drawn, found), fill=True, color=palette.SKY)
    line = panel.axvline(found, color=palette.VERMILION, linewidth=2)
    outcome = (
        f"Random groups of {sizes['n_first']} and {sizes['n_second']} cells: none in "
        f"{(drawn == 0).sum()} of {len(drawn)} draws, median {drawn.median():g}, at most {drawn.max()}"
    )
    panel.set_title("\n".join([*textwrap.wrap(f"{title}: {found} genes", WIDEST), outcome]), fontsize=9)
    panel.set(xlabel=f"genes with adjusted p < {alpha:g}", ylabel="draws")
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.yaxis.set_major_locator(MaxNLocator(integer=True))
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

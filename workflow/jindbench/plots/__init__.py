"""What figures are drawn with: kinds of panels, and the colours (`palette`)."""

import builtins
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import matplotlib

if not hasattr(builtins, "__IPYTHON__"):  # a notebook shows pictures in its own way
    matplotlib.use("Agg")  # no display is needed

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

plt.rcParams["text.parse_math"] = False  # "$" in the name of a type is a "$", not TeX
plt.rcParams["axes.spines.top"] = plt.rcParams["axes.spines.right"] = False


@dataclass
class Drawn:
    """A figure of a run, as the report shows it.

    Attributes
    ----------
    picture
        None where there is nothing to draw.
    title
        Above the picture.
    caption
        Paragraphs below it: how to read it, then what it shows, computed from what is drawn.
    missing
        What is not drawn, and why: one sentence each.
    tables
        What is drawn, by the name of the output.
    """

    picture: Figure | None
    title: str
    caption: Sequence[str]
    missing: Sequence[str] = ()
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)


def grid(n: int, columns: int, width: float, height: float, more: tuple[float, float] = (0, 0), **options: Any):
    """A figure with `n` panels, in rows of at most `columns`.

    Parameters
    ----------
    width, height
        Of a panel, in inches.
    more
        Inches that the figure is wider and higher than its panels.
    options
        Of `matplotlib.pyplot.subplots`.

    Returns
    -------
    The figure, and all its panels, rows x columns. Those beyond `n` are hidden.
    """
    columns = min(n, columns)
    rows = -(-n // columns)
    size = more[0] + width * columns, more[1] + height * rows
    figure, panels = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained", **options)
    for panel in panels.flat[n:]:
        panel.set_visible(False)
    return figure, panels


def empty() -> Figure:
    """A picture of nothing."""
    return Figure(figsize=(0.1, 0.1))


def lettered(panels: Iterable[Axes]) -> None:
    """Letters beside the upper left corners, where no title is, for the text to refer to; none for a single panel."""
    panels = list(panels)
    for letter, panel in zip(string.ascii_lowercase, panels if len(panels) > 1 else [], strict=False):
        panel.set_title(letter, loc="left", x=-0.02, ha="right", fontweight="bold", fontsize=12)

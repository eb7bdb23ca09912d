"""What figures are drawn with: kinds of panels, the colours (`palette`), and the coordinates of cells (`tsne`)."""

import builtins
import textwrap
from collections.abc import Mapping
from typing import Any

import matplotlib

if not hasattr(builtins, "__IPYTHON__"):  # a notebook shows pictures in its own way
    matplotlib.use("Agg")  # no display is needed

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

plt.rcParams["text.parse_math"] = False  # "$" in the name of a type is a "$", not TeX
plt.rcParams["axes.spines.top"] = plt.rcParams["axes.spines.right"] = False


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


def not_drawn(missing: Mapping[str, str]) -> str:
    """What a figure says about tasks that it cannot show; `missing` has the reasons by title."""
    return "\n".join(f"Not drawn: {title}. {reason}" for title, reason in missing.items())


def words(text: str) -> Figure:
    """A figure that says why there is nothing to draw."""
    lines = [line for paragraph in text.split("\n") for line in textwrap.wrap(paragraph, 90)]
    figure = plt.figure(figsize=(7, 0.8 + 0.25 * len(lines)))
    figure.text(0.5, 0.5, "\n".join(lines), ha="center", va="center")
    return figure

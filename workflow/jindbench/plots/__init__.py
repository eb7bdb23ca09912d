"""Figures: each file turns a table into a matplotlib figure."""

import textwrap
from collections.abc import Mapping

import matplotlib

matplotlib.use("Agg")  # no display is needed

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

plt.rcParams["text.parse_math"] = False  # "$" in the name of a type is a "$", not TeX


def not_drawn(missing: Mapping[str, str]) -> str:
    """What a figure says of tasks that it cannot show, by title, with the reasons."""
    return "\n".join(f"Not drawn: {title}. {reason}" for title, reason in missing.items())


def words(text: str) -> Figure:
    """A figure that says why there is nothing to draw."""
    lines = [line for paragraph in text.split("\n") for line in textwrap.wrap(paragraph, 90)]
    figure = plt.figure(figsize=(7, 0.8 + 0.25 * len(lines)))
    figure.text(0.5, 0.5, "\n".join(lines), ha="center", va="center")
    return figure

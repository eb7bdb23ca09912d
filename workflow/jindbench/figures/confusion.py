"""Confusion matrix, on one task, of the method that the figures show."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jindbench import io
from jindbench.names import LABEL, UNASSIGNED
from jindbench.plots import Drawn, palette

COUNTED = 15  # up to so many types, counts fit into the cells of the matrix


def draw(confusions, tasks, methods, method, seed, task):
    """The matrix of the run with the first seed."""
    title = f"{methods[method]} on {tasks[task]}"
    table = io.read_table(confusions, text=["task", "method", "type", LABEL])
    table = table[(table["method"] == method) & (table["task"] == task) & (table["seed"] == seed)]
    heading = f"Confusions of {title}"
    if table.empty:
        return Drawn(None, heading, [], [f"{title} has no result."])
    return Drawn(image(table, title), heading, _caption(matrix(table)))


def _caption(counts: pd.DataFrame) -> list[str]:
    numbers = "cells" if len(counts) <= COUNTED else "percent of the true type, from 1 on"
    how = (
        "True types (rows) and labels after rejection (columns), first seed. Numbers are "
        + numbers
        + "; the darker a field, "
        "the larger its share of the true type."
    )
    wrong = counts.drop(columns=UNASSIGNED, errors="ignore").stack()
    wrong = wrong[[name != label for name, label in wrong.index]].sort_values(ascending=False, kind="stable")
    if wrong.empty or wrong.iloc[0] == 0:
        return [how, "No type is confused with another."]
    (name, label), n = wrong.index[0], wrong.iloc[0]
    return [how, f"The most frequent confusion: {n} of {counts.loc[name].sum()} cells of {name} are labelled {label}."]


def matrix(table: pd.DataFrame) -> pd.DataFrame:
    """Counts, true types (rows) by labels (columns).

    Both begin with the true types, the most frequent first. Then come labels that no cell truly has, by name, and last
    "unassigned" where a cell is rejected.

    Parameters
    ----------
    table
        As `rejection.confusion` gives it.
    """
    counts = table.pivot(index="type", columns=LABEL, values="n").fillna(0).astype(int)
    types = counts.sum(axis=1).sort_values(ascending=False, kind="stable").index
    others = counts.columns.difference(types)
    rejected = others.intersection([UNASSIGNED])
    return counts.reindex(index=types, columns=[*types, *others.difference(rejected), *rejected], fill_value=0)


def image(table: pd.DataFrame, title: str) -> Figure:
    """Labels after rejection by true type, each row coloured by its shares.

    The numbers are cells; above 15 types they are percent of the true type, from 1 on.

    Parameters
    ----------
    table
        As `rejection.confusion` gives it.
    title
        Such as the method and the task.
    """
    counts = matrix(table)
    cells_of_type = counts.sum(axis=1)
    shares = counts.div(cells_of_type, axis=0).to_numpy()
    rows, columns = counts.shape
    side = 0.42 if rows <= COUNTED else 0.27
    figure, panel = plt.subplots(figsize=(3.4 + side * columns, 2.2 + side * rows), layout="constrained")
    colours = panel.imshow(shares, cmap=palette.SHARES, vmin=0, vmax=1)
    panel.spines[:].set_visible(True)
    numbers = counts.to_numpy() if rows <= COUNTED else np.rint(100 * shares).astype(int)
    for row, column in zip(*numbers.nonzero(), strict=True):
        colour = "white" if shares[row, column] > 0.5 else "black"
        panel.text(column, row, numbers[row, column], ha="center", va="center", fontsize=6.5, color=colour)
    panel.set_xticks(range(columns), counts.columns, rotation=90, fontsize=8)
    panel.set_yticks(range(rows), [f"{name} ({n})" for name, n in cells_of_type.items()], fontsize=8)
    panel.set_xticks([column - 0.5 for column in range(columns)], minor=True)
    panel.set_yticks([row - 0.5 for row in range(rows)], minor=True)
    panel.grid(which="minor", color=palette.GRID, linewidth=0.5)
    panel.tick_params(which="minor", length=0)
    if counts.columns[-1] == UNASSIGNED:
        panel.axvline(columns - 1.5, color="black", linewidth=1.2)
    panel.set_xlabel(f"label after rejection (numbers: {'cells' if rows <= COUNTED else 'percent of the true type'})")
    panel.set_ylabel("true type (cells)")
    panel.set_title(title, fontsize=10)
    figure.colorbar(colours, ax=panel, label="share of the true type", shrink=0.6)
    return figure

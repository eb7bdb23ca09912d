"""Figure 4 of the paper: the two types that are confused most often, and the genes that tell their cells apart."""

from collections.abc import Mapping
from dataclasses import dataclass

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from jindbench.plots import alluvial, heatmap, not_drawn, tsne_panels, words
from jindbench.plots.palette import colours


@dataclass(frozen=True)
class Column:
    """What is shown of one task.

    Attributes
    ----------
    title
        Of the task.
    types
        All types of the task.
    points
        Target cells: columns tsne_1, tsne_2 and type (true).
    flows
        As `alluvial.flows` gives them.
    comparison
        Record of the comparison (`differential_expression`): type_a and type_b, sizes, number of genes, status.
    top
        The heatmap of the top genes, as `heatmap.order` gives it.
    """

    title: str
    types: list[str]
    points: pd.DataFrame
    flows: pd.DataFrame
    comparison: dict
    top: pd.DataFrame


def draw(columns: list[Column], missing: Mapping[str, str]) -> Figure:
    """A column for each task: alluvial plot, tSNE with the two types, top genes; `missing`: see `not_drawn`."""
    if not columns:
        return words(not_drawn(missing))
    figure = plt.figure(figsize=(9 * len(columns), 17), layout="constrained")
    parts = figure.subfigures(3, len(columns), squeeze=False, height_ratios=[1, 0.9, 0.9])
    for (top, middle, bottom), column in zip(parts.T, columns, strict=True):
        of_types = colours(column.types)
        alluvial.draw(top.subplots(), column.flows, of_types, f"{column.title}: true to predicted type")
        pair = [column.comparison[key] for key in ("type_a", "type_b") if key in column.comparison]
        title = f"{column.title}: target, {' and '.join(pair)}" if pair else f"{column.title}: no type is confused"
        tsne_panels.by_category(middle.subplots(), column.points, "type", of_types, title, emphasise=pair)
        _genes(bottom, column)
    figure.supxlabel(not_drawn(missing), fontsize=8)
    return figure


def _genes(figure, column: Column) -> None:
    record = column.comparison
    if record["status"] != "ok":
        figure.text(0.5, 0.5, record["status"], ha="center", va="center", wrap=True)
        return
    a, b = record["type_a"], record["type_b"]
    if record["n_significant"] == 0:
        groups = f"{a} as {a} ({record['n_first']} cells) and {a} as {b} ({record['n_second']} cells)"
        found = f"No gene differs (adjusted p < {record['alpha']:g}, {record['model']}) between\n{groups}."
        figure.text(0.5, 0.5, found, ha="center", va="center")
        return
    shown = len(column.top.columns) - 2
    title = f"{shown} of {record['n_significant']} genes with adjusted p < {record['alpha']:g} ({record['model']})"
    heatmap.draw_on(figure, column.top, {f"{a} as {a}": record["n_first"], f"{a} as {b}": record["n_second"]}, title)

"""Figure 2 of the paper: what alignment does to the latent codes, and to the labels."""

from collections.abc import Mapping
from dataclasses import dataclass

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from jindbench.plots import alluvial, not_drawn, tsne_panels, words
from jindbench.plots.palette import SIDES, colours


@dataclass(frozen=True)
class Stage:
    """One stage on one task.

    Attributes
    ----------
    title
        Of the row.
    points
        Columns tsne_1, tsne_2, side (source or target) and type (true), a row for each cell of both sides.
    flows
        As `alluvial.flows` gives them.
    """

    title: str
    points: pd.DataFrame
    flows: pd.DataFrame


def draw(stages: list[Stage], missing: Mapping[str, str]) -> Figure:
    """A row for each stage: tSNE by batch, by type, and an alluvial plot; `missing`: see `not_drawn`."""
    if not stages:
        return words(not_drawn(missing))
    figure, panels = plt.subplots(
        len(stages),
        3,
        figsize=(17, 5.2 * len(stages)),
        width_ratios=[1, 1, 1.1],
        squeeze=False,
        layout="constrained",
    )
    for row, stage in zip(panels, stages, strict=True):
        of_types = colours(stage.points["type"])
        tsne_panels.by_category(row[0], stage.points, "side", SIDES, f"{stage.title}: latent codes by batch")
        tsne_panels.by_category(row[1], stage.points, "type", of_types, f"{stage.title}: by true type")
        alluvial.draw(row[2], stage.flows, of_types, f"{stage.title}: true to predicted type")
    figure.supxlabel(not_drawn(missing), fontsize=8)
    return figure

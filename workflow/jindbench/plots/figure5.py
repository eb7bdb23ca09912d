"""Figure 5 of the paper: a target with a type that the source lacks."""

from collections.abc import Mapping
from dataclasses import dataclass

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from jindbench.plots import alluvial, not_drawn, tsne_panels, words
from jindbench.plots.palette import SIDES, colours


@dataclass(frozen=True)
class NovelTypes:
    """What is shown of one task.

    Attributes
    ----------
    title
        Of the task.
    before, after
        Cells of both sides: columns tsne_1, tsne_2, side, type (true); in `after` also cluster, of target cells.
    flows
        As `alluvial.flows` gives them, after alignment.
    clusters
        A row for each cluster of the target, as `novel_types` gives them.
    new
        Types of the target that the source lacks.
    """

    title: str
    before: pd.DataFrame
    after: pd.DataFrame
    flows: pd.DataFrame
    clusters: pd.DataFrame
    new: list[str]


def draw(tasks: list[NovelTypes], missing: Mapping[str, str]) -> Figure:
    """For each task: tSNE before alignment, alluvial plot; below tSNE after alignment, and the clusters' distances.

    `missing`: see `not_drawn`.
    """
    if not tasks:
        return words(not_drawn(missing))
    figure = plt.figure(figsize=(17, 11 * len(tasks)), layout="constrained")
    for part, task in zip(figure.subfigures(len(tasks), 1, squeeze=False).flat, tasks, strict=True):
        new = ", ".join(task.new) or "none: this task lacks what the figure is about"
        part.suptitle(f"{task.title}. New types in the target: {new}")
        panels = part.subplots(2, 3)
        of_types = colours(task.before["type"])
        tsne_panels.by_category(panels[0, 0], task.before, "side", SIDES, "before alignment, by batch")
        tsne_panels.by_category(panels[0, 1], task.before, "type", of_types, "before alignment, by true type")
        alluvial.draw(panels[0, 2], task.flows, of_types, "after alignment, true to predicted type")
        tsne_panels.by_category(panels[1, 0], task.after, "side", SIDES, "after alignment, by batch")
        tsne_panels.by_category(panels[1, 1], task.after, "type", of_types, "after alignment, by true type")
        tsne_panels.distances(panels[1, 2], task.clusters, "clusters of the target: distance to the source's types")
    figure.supxlabel(not_drawn(missing), fontsize=8)
    return figure

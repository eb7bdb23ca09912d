"""Pictures of annotated cells: how many of each type, where they lie, how sure the labels are."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from jindbench.names import CONFIDENCE, NOVELTY, RAW_LABEL, THRESHOLD
from jindbench.plots import grid, palette, tsne_panels

IN_A_ROW = 4  # panels
SHOWN = (0.01, 0.99)  # quantiles of the novelty that the colours reach from and to


def composition(shares: pd.DataFrame) -> Figure:
    """Share of each type on both sides, as bars.

    Parameters
    ----------
    shares
        Index: types; columns `reference` (may be missing) and `query`, in per cent.
    """
    figure, panel = plt.subplots(figsize=(7.5, 0.9 + 0.32 * len(shares)), layout="constrained")
    height = 0.8 / shares.shape[1]
    colours = {"reference": palette.SIDES["source"], "query": palette.SIDES["target"]}
    for position, (side, values) in enumerate(shares.items()):
        places = [row + (position - (shares.shape[1] - 1) / 2) * height for row in range(len(shares))]
        panel.barh(places, values, height=height, color=colours[side], label=side)
    panel.set_yticks(range(len(shares)), shares.index, fontsize=9)
    panel.invert_yaxis()
    panel.set_xlabel("% of the cells with a label")
    panel.legend(frameon=False, fontsize=9, loc="lower right")
    return figure


def on_the_map(points: pd.DataFrame, types: list[str]) -> Figure:
    """Cells on a tSNE in the colours of their labels, rejected cells in grey.

    Parameters
    ----------
    points
        Columns tsne_1, tsne_2 and label.
    types
        All that the reference knows: what a type's colour follows from.
    """
    figure, panel = plt.subplots(figsize=(9, 5.2), layout="constrained")
    tsne_panels.by_category(panel, points, "label", palette.of_types(types), "labels")
    return figure


def statuses(points: pd.DataFrame, names: tuple[str, ...]) -> Figure:
    """The same cells by what became of them: the rejected ones on top.

    Parameters
    ----------
    points
        Columns tsne_1, tsne_2 and status.
    names
        The statuses: assigned first.
    """
    figure, panel = plt.subplots(figsize=(9.6, 5.2), layout="constrained")
    colours = dict(zip(names, palette.STATUSES, strict=True))
    ordered = points.iloc[points["status"].map(names.index).argsort(kind="stable")]
    panel.scatter(
        ordered["tsne_1"],
        ordered["tsne_2"],
        c=ordered["status"].map(colours),
        s=tsne_panels.point_area(len(points)),
        linewidths=0,
        rasterized=True,
    )
    for name, colour in colours.items():
        panel.scatter([], [], c=colour, s=30, label=f"{name} ({(points['status'] == name).sum():,})")
    panel.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1, 1))
    tsne_panels.frame(panel, "rejected cells")
    return figure


def novelty(points: pd.DataFrame) -> Figure:
    """The same cells by their novelty, the highest on top.

    Parameters
    ----------
    points
        Columns tsne_1, tsne_2 and novelty.
    """
    figure, panel = plt.subplots(figsize=(7.5, 5.2), layout="constrained")
    ordered = points.sort_values(NOVELTY, kind="stable")
    low, high = ordered[NOVELTY].quantile(SHOWN)
    drawn = panel.scatter(
        ordered["tsne_1"],
        ordered["tsne_2"],
        c=ordered[NOVELTY],
        cmap=palette.NOVELTY,
        vmin=low,
        vmax=high,
        s=tsne_panels.point_area(len(points)),
        linewidths=0,
        rasterized=True,
    )
    figure.colorbar(drawn, ax=panel, label="novelty", extend="both", shrink=0.7)
    tsne_panels.frame(panel, "novelty")
    return figure


def epochs(history: pd.DataFrame) -> Figure:
    """How a stage went: a panel for each number that it recorded, a dot at the epoch that was kept.

    Parameters
    ----------
    history
        Columns epoch and kept, and any others.
    """
    quantities = [*history.drop(columns=["epoch", "kept"]).select_dtypes("number")]
    figure, panels = grid(len(quantities), IN_A_ROW, 2.5, 2.2)
    kept = history[history["kept"].astype(bool)]
    for panel, quantity in zip(panels.flat, quantities, strict=False):
        panel.plot(history["epoch"], history[quantity], color=palette.BLUE, linewidth=1)
        panel.plot(kept["epoch"], kept[quantity], "o", color=palette.VERMILION, markersize=4)
        panel.set_title(quantity.replace("_", " "), fontsize=9)
        panel.set_xlabel("epoch", fontsize=8)
        panel.tick_params(labelsize=7)
    return figure


def confidence(table: pd.DataFrame) -> Figure:
    """Confidence of the cells by their most probable type, with each type's threshold.

    Parameters
    ----------
    table
        Columns raw_label, confidence and threshold.
    """
    types = table.groupby(RAW_LABEL)[CONFIDENCE].median().sort_values().index
    figure, panel = plt.subplots(figsize=(7.5, 0.9 + 0.36 * len(types)), layout="constrained")
    rows = [table[table[RAW_LABEL] == name] for name in types]
    panel.boxplot(
        [row[CONFIDENCE] for row in rows],
        orientation="horizontal",
        positions=range(len(types)),
        widths=0.6,
        whis=(5, 95),
        showfliers=False,
        patch_artist=True,
        boxprops={"facecolor": palette.PALE_BLUE, "edgecolor": palette.TEXT},
        medianprops={"color": palette.TEXT},
    )
    limits = [row[THRESHOLD].median() for row in rows]
    mark = {"color": palette.VERMILION, "markersize": 16, "markeredgewidth": 2}
    panel.plot(limits, range(len(types)), "|", label="threshold", **mark)
    panel.set_yticks(range(len(types)), [f"{name} ({len(row):,})" for name, row in zip(types, rows, strict=True)])
    panel.tick_params(labelsize=9)
    panel.set(xlabel="confidence (box: middle half of the cells; whiskers: 5 % to 95 %)", xlim=(0, 1.02))
    panel.legend(frameon=False, fontsize=9, loc="lower left")
    return figure

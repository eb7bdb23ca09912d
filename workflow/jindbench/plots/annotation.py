"""Pictures of annotated cells: how many of each type, where they lie, how sure the labels are."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jindbench.names import CONFIDENCE, NOVELTY, RAW_LABEL, THRESHOLD, UNASSIGNED
from jindbench.plots import grid, palette, tsne_panels

IN_A_ROW = 4  # panels
LINE = 0.035  # height of a name on a map, as a share of the map's
FULL_DOT = 60  # area of the dot of a gene that all cells express
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
    panel.legend(frameon=False, fontsize=9, ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
    return figure


def on_the_map(points: pd.DataFrame, types: list[str]) -> Figure:
    """Cells on a tSNE in the colours of their labels, rejected cells in grey; each label's name in the midst of it.

    Parameters
    ----------
    points
        Columns tsne_1, tsne_2 and label.
    types
        All that the reference knows: what a type's colour follows from.
    """
    figure, panel = plt.subplots(figsize=(9, 5.2), layout="constrained")
    tsne_panels.by_category(panel, points, "label", palette.of_types(types), "labels")
    _write_names(panel, points[points["label"] != UNASSIGNED])
    return figure


def _write_names(panel: Axes, points: pd.DataFrame) -> None:
    """Each label at its cell that lies nearest to the median of all of them; names that would meet are moved apart."""
    places = []
    for name, cells in points.groupby("label"):
        xy = cells[["tsne_1", "tsne_2"]].to_numpy()
        places.append((*xy[np.linalg.norm(xy - np.median(xy, axis=0), axis=1).argmin()], name))
    (left, right), (bottom, top) = panel.get_xlim(), panel.get_ylim()
    written: list[tuple[float, float, float]] = []
    for x, y, name in sorted(places, key=lambda place: place[1]):
        half = 0.008 * len(name) * (right - left)  # of the name's width, about
        while any(abs(x - x2) < half + half2 and abs(y - y2) < LINE * (top - bottom) for x2, y2, half2 in written):
            y += LINE * (top - bottom) / 4
        written.append((x, y, half))
        outline = [patheffects.withStroke(linewidth=2.5, foreground="white")]
        panel.text(x, y, name, ha="center", va="center", fontsize=9, color=palette.TEXT, path_effects=outline)


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


def novelty(points: pd.DataFrame, above: float) -> Figure:
    """The same cells by their novelty, the highest on top; the scale shows from where on a cell may be new.

    Parameters
    ----------
    points
        Columns tsne_1, tsne_2 and novelty.
    """
    figure, panel = plt.subplots(figsize=(7.5, 5.2), layout="constrained")
    ordered = points.sort_values(NOVELTY, kind="stable")
    low, high = ordered[NOVELTY].quantile(SHOWN)
    high = max(high, above)
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
    label = f"novelty (line: a rejected cell above {above:g} may be new)"
    scale = figure.colorbar(drawn, ax=panel, label=label, extend="both", shrink=0.7)
    scale.ax.axhline(above, color=palette.VERMILION, linewidth=2)
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
    panel.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1))
    return figure


def dots(expression: pd.DataFrame, expressing: pd.DataFrame) -> Figure:
    """Genes by group: the larger the dot, the more cells express the gene; the darker, the higher it is.

    Parameters
    ----------
    expression, expressing
        Groups x genes: mean log expression, and the share of cells that express the gene, 0 to 1.
    """
    rows, columns = expression.shape
    figure, panel = plt.subplots(figsize=(2.8 + 0.2 * columns, 1.3 + 0.26 * rows), layout="constrained")
    y, x = np.indices(expression.shape)
    relative = (expression / expression.max().clip(lower=1e-9)).to_numpy()
    drawn = panel.scatter(
        x.ravel(),
        y.ravel(),
        s=FULL_DOT * expressing.to_numpy().ravel(),
        c=relative.ravel(),
        cmap=palette.EXPRESSION,
        vmin=0,
        vmax=1,
    )
    panel.set_xticks(range(columns), expression.columns, rotation=90, fontsize=8)
    panel.set_yticks(range(rows), expression.index, fontsize=9)
    panel.set(xlim=(-0.7, columns - 0.3), ylim=(rows - 0.4, -0.6))
    figure.colorbar(drawn, ax=panel, label="mean, of the highest", aspect=12)
    for share in (0.2, 0.6, 1):
        panel.scatter([], [], s=FULL_DOT * share, c=palette.TEXT, label=f"{share:.0%} of cells")
    panel.legend(frameon=False, fontsize=8, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return figure

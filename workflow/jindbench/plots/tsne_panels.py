"""Cells on a tSNE, panel by panel."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from jindbench.names import RAW_LABEL
from jindbench.plots import palette

MOST_IN_COLUMN = 16  # entries of a legend, one below the other
REJECTED_SIZE = 6  # times the area of the others


def by_category(
    panel: Axes,
    points: pd.DataFrame,
    column: str,
    colours: dict[str, str],
    title: str,
    emphasise: Sequence[str] = (),
) -> None:
    """Cells in the colours of a column.

    Parameters
    ----------
    points
        Columns tsne_1, tsne_2 and `column`.
    emphasise
        Categories that are drawn in their colours, on top; all others in grey.
    """
    order = np.random.default_rng(0).permutation(len(points))  # no batch or type lies on top of all others
    shuffled = points.iloc[order]
    shown = [name for name in colours if (points[column] == name).any()]
    of_point = shuffled[column].map(colours)
    if emphasise:
        of_point = of_point.where(shuffled[column].isin(emphasise), palette.OTHERS)
        top = np.argsort(shuffled[column].isin(emphasise).to_numpy(), kind="stable")
        shuffled, of_point, shown = shuffled.iloc[top], of_point.iloc[top], [n for n in shown if n in emphasise]
    _scatter(panel, shuffled, of_point, point_area(len(points)), "o")
    handles = [_handle(colours[name], name) for name in shown]
    if emphasise:
        handles.append(_handle(palette.OTHERS, "other types"))
    _legend(panel, handles)
    frame(panel, title)


def names(panel: Axes, points: pd.DataFrame, column: str = "type") -> None:
    """The name of each category amid its cells, the most frequent first, where it covers no other name."""
    width, height = (points[axis].max() - points[axis].min() for axis in ("tsne_1", "tsne_2"))
    taken: list[tuple[float, float, float]] = []
    for name in points[column].value_counts().index:
        x, y = points.loc[points[column] == name, ["tsne_1", "tsne_2"]].median()
        half = 0.012 * width * len(name)
        if any(
            abs(x - other_x) < half + other and abs(y - other_y) < 0.05 * height for other_x, other_y, other in taken
        ):
            continue
        taken.append((x, y, half))
        text = panel.text(x, y, name, ha="center", va="center", fontsize=8, color=palette.TEXT)
        text.set_path_effects([patheffects.withStroke(linewidth=2.5, foreground="white", alpha=0.85)])


def rejected(panel: Axes, points: pd.DataFrame, colours: dict[str, str], title: str) -> None:
    """Labels before rejection as colours, errors as crosses, rejected cells larger (paper, Figure 3).

    Parameters
    ----------
    points
        Columns tsne_1, tsne_2, raw_label, correct and kept.
    """
    size = point_area(len(points))
    for kept in (True, False):  # rejected cells on top
        for correct, marker in ((True, "o"), (False, "x")):
            chosen = points[(points["kept"] == kept) & (points["correct"] == correct)]
            area = size * (1 if kept else REJECTED_SIZE) * (1 if correct else 2)
            _scatter(panel, chosen, chosen[RAW_LABEL].map(colours), area, marker)
    handles = [_handle(colour, name) for name, colour in colours.items() if (points[RAW_LABEL] == name).any()]
    dark = palette.TEXT
    n_rejected, n_wrong = int((~points["kept"]).sum()), int((~points["kept"] & ~points["correct"]).sum())
    handles += [
        _handle(dark, "right, kept", size=4),
        _handle(dark, "wrong, kept", marker="x", size=5),
        _handle(dark, f"right, rejected ({n_rejected - n_wrong})", size=8),
        _handle(dark, f"wrong, rejected ({n_wrong})", marker="x", size=9),
    ]
    _legend(panel, handles)
    frame(panel, f"{title}: {n_rejected} of {len(points)} cells rejected")


def distances(panel: Axes, clusters: pd.DataFrame, title: str) -> None:
    """Distances of the target's clusters to the source's types; a frame marks the mapping (paper, Figure 5).

    Parameters
    ----------
    clusters
        As `novel_types.mapping`, `matches` and `describe` give them.
    """
    panel.set_title(title, fontsize=10)
    columns = [column for column in clusters if column.startswith("distance_")]
    types, values = [column.removeprefix("distance_") for column in columns], clusters[columns].to_numpy()
    panel.spines[:].set_visible(True)
    panel.imshow(values, cmap=palette.DISTANCES, aspect="auto")
    middle = (values.min() + values.max()) / 2
    for row, assigned in enumerate(clusters["assigned_source_type"]):
        for column, name in enumerate(types):
            light = values[row, column] < middle
            mark = " *" if assigned == name else ""
            text = f"{values[row, column]:.1f}{mark}"
            panel.text(column, row, text, ha="center", va="center", color="white" if light else "black", fontsize=8)
    names = [
        f"cluster {row.cluster}: {row.n_cells} cells{', novel' if row.novel else ''},\n"
        f"{row.majority_share:.0%} {row.majority_type}"
        for row in clusters.itertuples()
    ]
    panel.set_yticks(range(len(names)), names, fontsize=8)
    panel.set_xticks(range(len(types)), types, fontsize=8, rotation=45, ha="right")
    panel.set_xlabel("source type (* mapped to; novel: before alignment, far from all)")


def _scatter(panel: Axes, points: pd.DataFrame, colours: pd.Series, size: float, marker: str) -> None:
    """Rasterised: a drawing of 15,000 circles is a large file that opens slowly."""
    edge = {"linewidths": 0} if marker == "o" else {"linewidths": 1}
    panel.scatter(
        points["tsne_1"], points["tsne_2"], c=list(colours), s=size, marker=marker, rasterized=True, alpha=0.85, **edge
    )


def point_area(n: int) -> float:
    """Area of a point, in points squared."""
    return float(np.clip(12_000 / max(n, 1), 2, 18))


def _handle(colour: str, label: str, marker: str = "o", size: float = 6) -> Line2D:
    return Line2D([], [], color=colour, marker=marker, linestyle="", markersize=size, label=label)


def _legend(panel: Axes, handles: list[Line2D]) -> None:
    panel.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(1, 1),
        ncols=-(-len(handles) // MOST_IN_COLUMN),
        fontsize=8,
        frameon=False,
        handletextpad=0.2,
        columnspacing=0.8,
    )


def frame(panel: Axes, title: str) -> None:
    """Title and axes of a panel with a tSNE."""
    panel.set_title(title, fontsize=10)
    panel.set(xlabel="tSNE 1", ylabel="tSNE 2", xticks=[], yticks=[])

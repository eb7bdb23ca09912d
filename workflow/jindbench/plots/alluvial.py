"""Alluvial plot: from true types, on the left, to predicted ones, on the right."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from jindbench.names import CELL_ID, LABEL, UNASSIGNED
from jindbench.plots import palette

GAPS = 0.12  # of the height, all gaps between strata together
WIDTH = 0.04  # of a stratum
LETTER = 0.034  # least distance of two names, as a share of the height
LONGEST = 30  # letters of a name


def flows(truth: pd.Series, predictions: pd.DataFrame) -> pd.DataFrame:
    """How many cells of each true type got each label (after rejection).

    Returns
    -------
    Columns type, label, n: a row for each pair that occurs. Types are ordered by their number of cells, the most
    frequent first; labels in the same order, "unassigned" last.
    """
    labels = predictions.set_index(CELL_ID)[LABEL].loc[truth.index]
    counts = pd.DataFrame({"type": truth, "label": labels}).value_counts(["type", "label"]).rename("n").reset_index()
    order = _order(counts)
    place = {name: position for position, name in enumerate(order)}
    return counts.sort_values(["type", "label"], key=lambda column: column.map(place)).reset_index(drop=True)


def _order(flows: pd.DataFrame) -> list[str]:
    """True types by their number of cells, then labels that no cell truly has, then "unassigned"."""
    cells = flows.groupby("type")["n"].sum().reset_index().sort_values(["n", "type"], ascending=[False, True])
    others = sorted(set(flows["label"]) - set(cells["type"]) - {UNASSIGNED})
    return [*cells["type"], *others, UNASSIGNED]


def strata(sizes: pd.Series) -> pd.DataFrame:
    """Bottom and height of strata piled up from the top of the interval [0, 1], with gaps between them."""
    gap = GAPS / max(len(sizes) - 1, 1) if len(sizes) > 1 else 0
    heights = sizes / sizes.sum() * (1 - gap * (len(sizes) - 1))
    bottoms = 1 - heights.cumsum() - gap * np.arange(len(sizes))
    return pd.DataFrame({"bottom": bottoms, "height": heights})


def spread(positions: np.ndarray, least: float) -> np.ndarray:
    """Move positions in [0, 1], given from high to low, apart until neighbours are `least` from each other.

    Each is moved as little as the order allows. Where there are too many, all are evenly spaced.
    """
    n = len(positions)
    if n * least > 1 + least:
        return np.linspace(1, 0, n)
    moved = np.array(positions, dtype=float)
    for i in range(1, n):
        moved[i] = min(moved[i], moved[i - 1] - least)
    moved[-1:] = np.maximum(moved[-1:], 0)
    for i in range(n - 2, -1, -1):
        moved[i] = max(moved[i], moved[i + 1] + least)
    return moved


def draw(panel: Axes, flows: pd.DataFrame, colours: dict[str, str], title: str) -> None:
    """Draw flows on a panel; bands have the colour of the true type.

    Parameters
    ----------
    flows
        As `flows` gives them.
    colours
        Of types, and of "unassigned".
    """
    colours = palette.of_types([*flows["type"], *flows["label"]]) | colours
    order = _order(flows)
    left = strata(flows.groupby("type")["n"].sum().reindex([name for name in order if name in set(flows["type"])]))
    right = strata(flows.groupby("label")["n"].sum().reindex([name for name in order if name in set(flows["label"])]))
    total = flows["n"].sum()
    # Within a stratum, bands lie in the order of the other side, so that they cross as little as they can.
    free_left, free_right = (side["bottom"] + side["height"] for side in (left, right))
    scale_left = left["height"].sum() / total
    scale_right = right["height"].sum() / total
    for row in flows.itertuples():
        tops = free_left[row.type], free_right[row.label]
        free_left[row.type] -= row.n * scale_left
        free_right[row.label] -= row.n * scale_right
        band = _band(tops, (free_left[row.type], free_right[row.label]))
        wrong = row.type != row.label
        panel.add_patch(PathPatch(band, color=colours[row.type], alpha=0.75 if wrong else 0.4, linewidth=0))
    for x, side in ((0, left), (1 - WIDTH, right)):
        for name, stratum in side.iterrows():
            panel.add_patch(
                Rectangle((x, stratum["bottom"]), WIDTH, stratum["height"], color=colours[name], linewidth=0)
            )
    _names(panel, left, flows.groupby("type")["n"].sum(), 0, -1)
    _names(panel, right, flows.groupby("label")["n"].sum(), 1, 1)
    panel.set(xlim=(-0.62, 1.62), ylim=(-0.03, 1.06))
    panel.text(0, 1.03, "true", ha="left", fontsize=9, style="italic")
    panel.text(1, 1.03, "predicted", ha="right", fontsize=9, style="italic")
    panel.set_axis_off()
    panel.set_title(title, fontsize=10)


def _band(tops: tuple[float, float], bottoms: tuple[float, float]) -> Path:
    start, end, middle = WIDTH, 1 - WIDTH, 0.5
    points = [(start, tops[0]), (middle, tops[0]), (middle, tops[1]), (end, tops[1])]
    points += [(end, bottoms[1]), (middle, bottoms[1]), (middle, bottoms[0]), (start, bottoms[0])]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3]
    return Path([*points, points[0]], [*codes, Path.CLOSEPOLY])


def _names(panel: Axes, side: pd.DataFrame, counts: pd.Series, x: float, direction: int) -> None:
    """Names and numbers of cells beside the strata, with a line where a name had to move away from its own."""
    middles = (side["bottom"] + side["height"] / 2).to_numpy()
    for name, middle, place in zip(side.index, middles, spread(middles, LETTER), strict=True):
        panel.plot([x, x + 0.06 * direction], [middle, place], color=palette.LEADER, linewidth=0.6)
        shown = "Unassigned" if name == UNASSIGNED else name
        shown = shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"
        text = f"{shown} ({counts[name]})"
        panel.text(x + 0.07 * direction, place, text, va="center", ha="left" if direction > 0 else "right", fontsize=8)

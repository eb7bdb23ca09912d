"""All colours and markers of the figures."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import product

import numpy as np
from matplotlib.colors import to_hex, to_rgb

from jindbench.names import UNASSIGNED

# Okabe and Ito's colours can be told apart by people with any common form of colour blindness.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
VERMILION, BLUE, PURPLE, YELLOW = "#D55E00", "#0072B2", "#CC79A7", "#F0E442"
METHODS = [BLACK, ORANGE, SKY, GREEN, VERMILION, BLUE, PURPLE, YELLOW]
LINES = METHODS[:-1]  # a yellow line is lost on white
TYPES = [*METHODS[1:], BLACK]  # black last: it reads as text
MARKERS = "osD^vP*X"
DASHES = ["-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5))]

SIDES = {"source": "#4A4A4A", "target": "#8BC34A"}  # no type has these
GROUPS = [SKY, BLACK]  # of cells that are compared; `DIVERGING` has neither
STATUSES = ["#D5D5D5", ORANGE, VERMILION, PURPLE]  # of a cell: assigned, the ways to be rejected, doubtful
UNASSIGNED_COLOUR = "#9A9A9A"
OTHERS = "#D5D5D5"  # what a panel does not emphasise
TEXT, LEADER, DIAGONAL = "#333333", "#888888", "#999999"
GRID = MISSING = "#DDDDDD"
PALE_BLUE = "#CCE3F0"

# matplotlib's colour maps
SHARES, DISTANCES, NOVELTY, EXPRESSION = "Blues", "cividis", "viridis_r", "Reds"
DIVERGING = "PuOr_r"  # purple to orange: told apart by people with any common form of colour blindness


def of_types(types: Iterable[str]) -> dict[str, str]:
    """A colour for each type, by its place among all types by name; "unassigned" is always the same grey.

    The first 8 have Okabe and Ito's colours. No larger set suits everybody: each further colour is the one that is the
    least like all before it, and figures print the names of types next to them.
    """
    names = sorted(set(types) - {UNASSIGNED})
    return dict(zip(names, _apart(len(names)), strict=True)) | {UNASSIGNED: UNASSIGNED_COLOUR}


@lru_cache
def _apart(n: int) -> list[str]:
    """`n` colours: `TYPES`, then each the farthest from those before, white and the grey, by the distance in CIELAB."""
    chosen, levels = [*TYPES], np.linspace(0, 1, 9)
    candidates = np.array([*product(levels, levels, levels)])
    light = _lab(candidates)[:, 0]
    grey = candidates.max(axis=1) - candidates.min(axis=1) < 0.3
    candidates = candidates[~grey & (light > 20) & (light < 80)]
    taken = _lab(np.array([to_rgb(colour) for colour in (*TYPES, UNASSIGNED_COLOUR, "#FFFFFF")]))
    distance = np.linalg.norm(_lab(candidates)[:, None] - taken, axis=2).min(axis=1)
    while len(chosen) < n:
        farthest = candidates[distance.argmax()]
        chosen.append(to_hex(farthest))
        distance = np.minimum(distance, np.linalg.norm(_lab(candidates) - _lab(farthest[None]), axis=1))
    return chosen[:n]


def _lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB of sRGB colours, n x 3, from 0 to 1: distances there are about those that are seen (CIE 1976, D65)."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    ratio = linear @ to_xyz.T / to_xyz.sum(axis=1)
    x, y, z = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def lines_of_methods(methods: Sequence[str]) -> dict[str, dict]:
    """Colour, dash and marker of each method's line; no two are alike among up to 28 methods."""
    return {
        method: {
            "color": LINES[position % len(LINES)],
            "linestyle": DASHES[position // len(LINES) % len(DASHES)],
            "marker": MARKERS[position % len(MARKERS)],
        }
        for position, method in enumerate(methods)
    }

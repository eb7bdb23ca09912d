"""All colours and markers of the figures."""

import colorsys
from collections.abc import Iterable, Sequence

from jindbench.names import UNASSIGNED

# Okabe and Ito's colours can be told apart by people with any common form of colour blindness.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
VERMILION, BLUE, PURPLE, YELLOW = "#D55E00", "#0072B2", "#CC79A7", "#F0E442"
METHODS = [BLACK, ORANGE, SKY, GREEN, VERMILION, BLUE, PURPLE, YELLOW]
LINES = METHODS[:-1]  # a yellow line is lost on white
TYPES = [*METHODS[1:], BLACK]  # black last: it reads as text
MARKERS = "osD^vP*X"
DASHES = ["-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5))]

SIDES = {"source": VERMILION, "target": BLUE}
GROUPS = [SKY, BLACK]  # of cells that are compared; `DIVERGING` has neither
STATUSES = ["#D5D5D5", ORANGE, VERMILION, PURPLE]  # of a cell: assigned, the ways to be rejected, doubtful
UNASSIGNED_COLOUR = "#9A9A9A"
OTHERS = "#D5D5D5"  # what a panel does not emphasise
TEXT, LEADER, DIAGONAL = "#333333", "#888888", "#999999"
GRID = MISSING = "#DDDDDD"
PALE_BLUE = "#CCE3F0"

# matplotlib's colour maps
SHARES, DISTANCES, NOVELTY = "Blues", "cividis", "viridis_r"
DIVERGING = "PuOr_r"  # purple to orange: told apart by people with any common form of colour blindness


def of_types(types: Iterable[str]) -> dict[str, str]:
    """A colour for each type, by its place among all types by name; "unassigned" is always the same grey.

    Up to 8 types have Okabe and Ito's colours. No larger set of colours suits everybody: beyond 8, hues alternate in
    lightness, and figures print the names of types next to them.
    """
    names = sorted(set(types) - {UNASSIGNED})
    if len(names) <= len(TYPES):
        chosen = TYPES
    else:
        levels = (0.38, 0.62, 0.78)  # neighbours in hue differ in lightness
        chosen = [
            _hex(colorsys.hls_to_rgb(place / len(names), levels[place % 3], 0.75 if place % 2 else 0.55))
            for place in range(len(names))
        ]
    return dict(zip(names, chosen, strict=False)) | {UNASSIGNED: UNASSIGNED_COLOUR}


def of_method(position: int) -> dict[str, str]:
    """Colour and marker of the points of one method."""
    return {"color": METHODS[position % len(METHODS)], "marker": MARKERS[position % len(MARKERS)]}


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


def _hex(rgb: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(255 * channel):02X}" for channel in rgb)

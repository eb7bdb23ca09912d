"""Colours of cell types, one for each in all figures of a task, and of batches."""

import colorsys
from collections.abc import Iterable

from jindbench.names import UNASSIGNED
from jindbench.plots.raw_accuracy import COLOURS

SIDES = {"source": COLOURS[4], "target": COLOURS[5]}
UNASSIGNED_COLOUR = "#9A9A9A"
# Okabe and Ito's colours, black last: it reads as text.
FEW = [*COLOURS[1:], COLOURS[0]]


def colours(types: Iterable[str]) -> dict[str, str]:
    """A colour for each type, by its place among all types by name; "unassigned" is always the same grey.

    Up to 8 types have colours that can be told apart by people with any common form of colour blindness. More than that
    no set of colours offers: beyond, hues alternate in lightness, and figures name the types beside.
    """
    names = sorted(set(types) - {UNASSIGNED})
    if len(names) <= len(FEW):
        chosen = FEW
    else:
        levels = (0.38, 0.62, 0.78)  # neighbours in hue differ in lightness
        chosen = [
            _hex(colorsys.hls_to_rgb(place / len(names), levels[place % 3], 0.75 if place % 2 else 0.55))
            for place in range(len(names))
        ]
    return dict(zip(names, chosen, strict=False)) | {UNASSIGNED: UNASSIGNED_COLOUR}


def _hex(rgb: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(255 * channel):02X}" for channel in rgb)

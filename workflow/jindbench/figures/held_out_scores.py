"""Types removed from the source: how well each method tells their cells from the others."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jindbench import io
from jindbench.execution.hold_out import HELD_OUT
from jindbench.names import LABEL
from jindbench.plots import Drawn, grid, lettered, palette
from jindbench.scoring.held_out_types import over_seeds
from jindbench.tables import titles
from jindbench.tables.held_out_types import NOTHING

# AUROC: white where it is no better than chance, orange above, purple below.
PANELS = {
    "auroc": ("AUROC of novelty", palette.DIVERGING),
    "rejected_new": ("share of the new cells rejected", palette.SHARES),
}
LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue (ITU-R BT.601)

TITLE = "Types held out of the source: are their cells noticed?"
CAPTION = (
    "Each type in turn was removed from the source, not from the target: does a method tell its cells from the "
    "others? Left: AUROC of novelty, .5 is chance. Right: the share of these cells that the method's own thresholds "
    "reject. Means over seeds."
)


def draw(scores, tasks, methods):
    """The mean of the seeds."""
    table = over_seeds(read(scores, tasks, methods))
    if not drawable(table).any():
        return Drawn(None, TITLE, [], [NOTHING])
    return Drawn(matrices(table), TITLE, [CAPTION])


def read(path: str, tasks: dict[str, str], methods: dict[str, str]) -> pd.DataFrame:
    """Read a table of held-out types, with titles for names."""
    table = io.read_table(path, text=["task", "method", HELD_OUT, LABEL, "status"])
    return titles.titled(table, tasks, methods)


def matrices(scores: pd.DataFrame) -> Figure:
    """For each task methods x types: AUROC of detection, and share rejected.

    Parameters
    ----------
    scores
        As `held_out_types.over_seeds` gives them; task and method are titles, in the order to be shown. A cell without
        a value says why; types that no method has a value for, because their cells are too few, are left out.
    """
    scores = scores[drawable(scores)]
    tasks, most = scores["task"].unique(), scores.groupby("task")[["method", HELD_OUT]].nunique().max()
    width, height = 0.5 + 0.5 * most[HELD_OUT], 1.9 + 0.28 * most["method"]
    figure, panels = grid(len(tasks) * len(PANELS), len(PANELS), width, height, more=(3, 0))
    for row, task in zip(panels, tasks, strict=True):
        of_task = scores[scores["task"] == task]
        methods, types = of_task["method"].unique(), sorted(of_task[HELD_OUT].unique())
        status = of_task.pivot(index="method", columns=HELD_OUT, values="status").reindex(methods, columns=types)
        for panel, (measure, (title, colours)) in zip(row, PANELS.items(), strict=True):
            values = of_task.pivot(index="method", columns=HELD_OUT, values=measure).reindex(methods, columns=types)
            matrix(panel, values, colours, lambda share: f"{share:.2f}".removeprefix("0"))
            for y, x in zip(*values.isna().to_numpy().nonzero(), strict=True):
                panel.text(x, y, word(status.iloc[y, x]), ha="center", va="center", fontsize=6.5)
            panel.set_title(f"{task}\n{title}", fontsize=9)
            panel.set_xlabel("type removed from the source", fontsize=8)
        row[1].set_yticks(range(len(methods)), [])
    lettered(panels.flat)
    return figure


def drawable(scores: pd.DataFrame) -> pd.Series:
    """Rows of the types that some method has a value for, or should have."""
    applies = ~scores["status"].str.startswith("not applicable")
    return applies.groupby([scores["task"], scores[HELD_OUT]]).transform("any").astype(bool)


def word(status: str) -> str:
    """What a cell without a value says: failed, not run, not available; a dash where there can be none."""
    return status.partition(":")[0] if status.startswith(("failed", "not run", "not available")) else "-"


def matrix(panel: Axes, values: pd.DataFrame, colours: str, text: Callable[[float], str]) -> None:
    """Values from 0 to 1 as colours and as text; those that are missing stay grey."""
    panel.set_facecolor(palette.MISSING)
    panel.spines[:].set_visible(True)
    panel.imshow(values.to_numpy(dtype=float), cmap=colours, vmin=0, vmax=1, aspect="auto")
    for y, x in np.argwhere(values.notna().to_numpy()):
        value = values.iloc[y, x]
        light = np.dot(colormaps[colours](value)[:3], LUMINANCE) > 0.5
        panel.text(x, y, text(value), ha="center", va="center", fontsize=7, color="black" if light else "white")
    panel.set_xticks(range(values.shape[1]), values.columns, rotation=90, fontsize=8)
    panel.set_yticks(range(len(values)), values.index, fontsize=8)

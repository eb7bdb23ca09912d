"""Types removed from the source: how well each method tells their cells, and what it takes them for."""

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jindbench.execution.hold_out import HELD_OUT
from jindbench.names import LABEL, UNASSIGNED
from jindbench.plots import not_drawn, words
from jindbench.tables.held_out_types import NOTHING

# AUROC: white where it is no better than chance, orange above, purple below.
PANELS = {"auroc": ("AUROC of novelty", "PuOr_r"), "rejected_new": ("share of the new cells rejected", "Blues")}
MOST_COLUMNS = 3
LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue (ITU-R BT.601)


def draw(scores: pd.DataFrame) -> Figure:
    """For each task methods x types: AUROC of detection, and share rejected.

    Parameters
    ----------
    scores
        As `held_out_types.over_seeds` gives them; task and method are titles, in the order to be shown. A cell without
        a value says why; types that no method has a value for, because their cells are too few, are left out.
    """
    scores = scores[_drawable(scores)]
    if scores.empty:
        return words(NOTHING)
    tasks, most = scores["task"].unique(), scores.groupby("task")[["method", HELD_OUT]].nunique().max()
    figure, panels = plt.subplots(
        len(tasks),
        len(PANELS),
        figsize=(3 + len(PANELS) * (0.5 + 0.5 * most[HELD_OUT]), len(tasks) * (1.9 + 0.28 * most["method"])),
        squeeze=False,
        layout="constrained",
    )
    for row, task in zip(panels, tasks, strict=True):
        of_task = scores[scores["task"] == task]
        methods, types = of_task["method"].unique(), sorted(of_task[HELD_OUT].unique())
        status = of_task.pivot(index="method", columns=HELD_OUT, values="status").reindex(methods, columns=types)
        for panel, (measure, (title, colours)) in zip(row, PANELS.items(), strict=True):
            values = of_task.pivot(index="method", columns=HELD_OUT, values=measure).reindex(methods, columns=types)
            _matrix(panel, values, colours, lambda share: f"{share:.2f}".removeprefix("0"))
            for y, x in zip(*values.isna().to_numpy().nonzero(), strict=True):
                panel.text(x, y, _word(status.iloc[y, x]), ha="center", va="center", fontsize=6.5)
            panel.set_title(f"{task}\n{title}", fontsize=9)
            panel.set_xlabel("type removed from the source", fontsize=8)
        row[1].set_yticks(range(len(methods)), [])
    return figure


def draw_labels(shares: pd.DataFrame, scores: pd.DataFrame) -> Figure:
    """A panel for each task and method: types that were removed x what their cells are labelled, in percent.

    Parameters
    ----------
    shares
        As `held_out_types.shares_over_seeds` gives them, titled like `scores`.
    scores
        See `draw`.
    """
    measured = scores[scores["status"] == "ok"]
    drawn = list(measured[["task", "method"]].drop_duplicates().itertuples(index=False, name=None))
    without = scores[_drawable(scores)].drop_duplicates(["task", "method"], keep="first")
    missing = {
        f"{row.method} on {row.task}": row.status for row in without.itertuples() if (row.task, row.method) not in drawn
    }
    if not drawn:
        return words(not_drawn(missing) or NOTHING)
    n_rows = measured.groupby("task")[HELD_OUT].nunique().max()
    n_labels = scores.groupby("task")[HELD_OUT].nunique().max() + 1
    columns = min(len(drawn), MOST_COLUMNS)
    rows = -(-len(drawn) // columns)
    figure, panels = plt.subplots(
        rows,
        columns,
        figsize=(columns * (1.6 + 0.3 * n_labels), rows * (1.8 + 0.28 * n_rows)),
        squeeze=False,
        layout="constrained",
    )
    for panel, (task, method) in zip(panels.flat, drawn, strict=False):
        of_task = scores[scores["task"] == task]
        removed = sorted(measured.loc[measured["task"] == task, HELD_OUT].unique())
        labels = [*sorted(of_task[HELD_OUT].unique()), UNASSIGNED]
        of_method = shares[(shares["task"] == task) & (shares["method"] == method)]
        values = of_method.pivot(index=HELD_OUT, columns=LABEL, values="share").reindex(columns=labels).fillna(0)
        values = values.reindex(removed).mask(np.array(removed)[:, None] == labels)  # of a type itself there is none
        _matrix(panel, values, "Blues", lambda share: f"{100 * share:.0f}" if share >= 0.005 else "")
        status = of_task[of_task["method"] == method].set_index(HELD_OUT)["status"]
        for y, name in enumerate(removed):
            if status[name] != "ok":
                panel.text(len(labels) / 2 - 0.5, y, _word(status[name]), ha="center", va="center", fontsize=7)
        panel.axvline(len(labels) - 1.5, color="black", linewidth=1.2)
        panel.set_title(f"{task}\n{method}", fontsize=9)
    for panel in panels.flat[len(drawn) :]:
        panel.set_visible(False)
    figure.supylabel("type removed from the source", fontsize=9)
    figure.supxlabel("\n".join(["label of its cells, percent", not_drawn(missing)]).strip(), fontsize=9)
    return figure


def _drawable(scores: pd.DataFrame) -> pd.Series:
    """Rows of the types that some method has a value for, or should have."""
    applies = ~scores["status"].str.startswith("not applicable")
    return applies.groupby([scores["task"], scores[HELD_OUT]]).transform("any").astype(bool)


def _word(status: str) -> str:
    """What a cell without a value says: failed, not run; a dash where there can be none."""
    return status.partition(":")[0] if status.startswith(("failed", "not run")) else "-"


def _matrix(panel: Axes, values: pd.DataFrame, colours: str, text: Callable[[float], str]) -> None:
    """Values from 0 to 1 as colours and as text; those that are missing stay grey."""
    panel.set_facecolor("#dddddd")
    panel.imshow(values.to_numpy(dtype=float), cmap=colours, vmin=0, vmax=1, aspect="auto")
    for y, x in np.argwhere(values.notna().to_numpy()):
        value = values.iloc[y, x]
        light = np.dot(colormaps[colours](value)[:3], LUMINANCE) > 0.5
        panel.text(x, y, text(value), ha="center", va="center", fontsize=7, color="black" if light else "white")
    panel.set_xticks(range(values.shape[1]), values.columns, rotation=90, fontsize=8)
    panel.set_yticks(range(len(values)), values.index, fontsize=8)

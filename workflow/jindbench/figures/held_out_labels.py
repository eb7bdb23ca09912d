"""Types removed from the source: what each method takes their cells for."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jindbench.execution.hold_out import HELD_OUT
from jindbench.figures.held_out_scores import drawable, matrix, read, word
from jindbench.names import LABEL, UNASSIGNED
from jindbench.plots import Drawn, grid, lettered, palette
from jindbench.scoring.held_out_types import over_seeds, shares_over_seeds
from jindbench.tables.held_out_types import NOTHING

TITLE = "Types held out of the source: what their cells are labelled"
CAPTION = (
    "Each type in turn was removed from the source, not from the target: which labels do its cells get? Percent of "
    "the cells, means over seeds. Alignment draws new cells into known types: compare JIND with JIND unaligned."
)


def draw(scores, labels, tasks, methods):
    """The mean of the seeds."""
    table = over_seeds(read(scores, tasks, methods))
    drawn = _measured(table)
    without = table[drawable(table)].drop_duplicates(["task", "method"], keep="first")
    missing = [
        f"{row.method} on {row.task}: {row.status}"
        for row in without.itertuples()
        if (row.task, row.method) not in drawn
    ]
    if not drawn:
        return Drawn(None, TITLE, [], missing or [NOTHING])
    return Drawn(matrices(shares_over_seeds(read(labels, tasks, methods)), table), TITLE, [CAPTION], missing)


def _measured(scores: pd.DataFrame) -> list[tuple[str, str]]:
    """(task, method) that have a value for some type."""
    measured = scores.loc[scores["status"] == "ok", ["task", "method"]].drop_duplicates()
    return list(measured.itertuples(index=False, name=None))


def matrices(shares: pd.DataFrame, scores: pd.DataFrame) -> Figure:
    """A panel for each task and method: types that were removed x what their cells are labelled, in percent.

    Parameters
    ----------
    shares
        As `held_out_types.shares_over_seeds` gives them, titled like `scores`.
    scores
        See `held_out_scores.matrices`.
    """
    measured = scores[scores["status"] == "ok"]
    drawn = _measured(scores)
    n_rows = measured.groupby("task")[HELD_OUT].nunique().max()
    n_labels = scores.groupby("task")[HELD_OUT].nunique().max() + 1
    figure, panels = grid(len(drawn), 3, 1.6 + 0.3 * n_labels, 1.8 + 0.28 * n_rows)
    for panel, (task, method) in zip(panels.flat, drawn, strict=False):
        of_task = scores[scores["task"] == task]
        removed = sorted(measured.loc[measured["task"] == task, HELD_OUT].unique())
        labels = [*sorted(of_task[HELD_OUT].unique()), UNASSIGNED]
        of_method = shares[(shares["task"] == task) & (shares["method"] == method)]
        values = of_method.pivot(index=HELD_OUT, columns=LABEL, values="share").reindex(columns=labels).fillna(0)
        values = values.reindex(removed).mask(np.array(removed)[:, None] == labels)  # of a type itself there is none
        matrix(panel, values, palette.SHARES, lambda share: f"{100 * share:.0f}" if share >= 0.005 else "")
        status = of_task[of_task["method"] == method].set_index(HELD_OUT)["status"]
        for y, name in enumerate(removed):
            if status[name] != "ok":
                panel.text(len(labels) / 2 - 0.5, y, word(status[name]), ha="center", va="center", fontsize=7)
        panel.axvline(len(labels) - 1.5, color="black", linewidth=1.2)
        panel.set_title(f"{task}\n{method}", fontsize=9)
    figure.supylabel("type removed from the source", fontsize=9)
    figure.supxlabel("label of its cells, percent", fontsize=9)
    lettered(panels.flat[: len(drawn)])
    return figure

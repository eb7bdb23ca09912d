"""What the paper's Figures 2 to 5 read: cells on a tSNE, with their true types."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from jindbench import io
from jindbench.names import CELL_ID
from jindbench.plots import palette


def of_each_task(
    tasks: Mapping[str, str],
    without: Mapping[str, str],
    outcomes: Sequence[str],
    methods: Mapping[str, str],
    *files: Sequence[str],
) -> tuple[list[tuple], list[str]]:
    """The files of each task that can be drawn, and why the others cannot.

    Parameters
    ----------
    tasks
        Titles, by task.
    without
        Tasks that the method of the figures is not run on: reasons, by title.
    outcomes
        Records of the methods that are drawn.
    methods
        Titles, by method.
    files
        Of each kind equally many for each task, in the order of the tasks.

    Returns
    -------
    For each task that can be drawn its name, then a list of its files of each kind; and a sentence for each other
    task. A task cannot be drawn if one of its methods has no result.
    """
    missing = dict(without)
    for outcome in map(io.read_json, outcomes):
        if outcome["status"] != "ok":
            reason = f"{methods[outcome['method']]} {outcome['status']}: {outcome['reason']}"
            missing.setdefault(tasks[outcome["task"]], reason)
    shown = []
    for position, (task, title) in enumerate(tasks.items()):
        if title not in missing:
            shown.append((task, *(_part(paths, position, len(tasks)) for paths in files)))
    return shown, [f"{title}: {reason}" for title, reason in missing.items()]


def _part(paths: Sequence[str], position: int, n: int) -> list[str]:
    """One of `n` equal parts."""
    size = len(paths) // n
    return list(paths[position * size : (position + 1) * size])


def read_points(path: str | Path) -> pd.DataFrame:
    """Read a tSNE: cell_id, tsne_1, tsne_2, and the side (source or target) if it is one of latent codes."""
    return io.read_table(path, text=[CELL_ID, "side"])


def typed(points: pd.DataFrame, labels: pd.Series, truth: pd.Series) -> pd.DataFrame:
    """Add each cell's true type: `io.read_source_labels` for the source, the solution for the target."""
    of_source = points[CELL_ID].map(labels)
    return points.assign(type=np.where(points["side"] == "source", of_source, points[CELL_ID].map(truth)))


def of_target(points: pd.DataFrame, truth: pd.Series) -> pd.DataFrame:
    """Add the true type of each of the target's cells."""
    return points.assign(type=points[CELL_ID].map(truth))


def colours(all_sources: Iterable[str], all_solutions: Iterable[str]) -> dict[str, str]:
    """A colour for each type of a run, the same in all its tasks.

    Types that never occur in one task with each other, nor with a third, may share a colour, such as those of two
    tissues. So there are enough colours that are easily told apart.
    """
    groups: list[set[str]] = []
    for source, solution in zip(all_sources, all_solutions, strict=True):
        types = set(io.read_source_labels(source)) | set(io.read_solution(solution))
        joined_with = [group for group in groups if group & types]
        groups = [group for group in groups if not group & types] + [types.union(*joined_with)]
    return {name: colour for types in groups for name, colour in palette.of_types(types).items()}


def joined(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """One table of those behind a figure; without any, one with no rows."""
    tables = list(tables)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["task"])

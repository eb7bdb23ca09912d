"""What the scripts of several figures share: cells on a tSNE, with their true types."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from jindbench import io
from jindbench.names import CELL_ID, LABEL


def missing(without: Mapping[str, str], outcomes: Iterable[str | Path], titles: Mapping[str, str]) -> dict[str, str]:
    """Why tasks cannot be drawn, by task: the first stage without a result, and its reason.

    Parameters
    ----------
    without
        Tasks that the method of the figures is not run on, with the reasons.
    outcomes
        Paths of the records of the stages.
    titles
        Of methods.
    """
    reasons = dict(without)
    for outcome in map(io.read_json, outcomes):
        if outcome["status"] != "ok":
            reason = f"{titles[outcome['method']]} {outcome['status']}: {outcome['reason']}"
            reasons.setdefault(outcome["task"], reason)
    return reasons


def titled(missing: Mapping[str, str], titles: Mapping[str, str]) -> dict[str, str]:
    """The same by the tasks' titles."""
    return {titles[task]: reason for task, reason in missing.items()}


def read_points(path: str | Path) -> pd.DataFrame:
    """Read a tSNE: cell_id, tsne_1, tsne_2, and of latent codes the side (source or target)."""
    return io.read_table(path, text=[CELL_ID, "side"])


def source_labels(path: str | Path) -> pd.Series:
    """Labels of a task's source by cell_id; expression stays on disk."""
    source = io.read_h5ad(path, backed=True)
    try:
        return source.obs[LABEL].astype(str)
    finally:
        source.file.close()


def typed(points: pd.DataFrame, labels: pd.Series, truth: pd.Series) -> pd.DataFrame:
    """Add each cell's true type: of `source_labels`, and for the target the solution's."""
    of_source = points[CELL_ID].map(labels)
    return points.assign(type=np.where(points["side"] == "source", of_source, points[CELL_ID].map(truth)))


def of_target(points: pd.DataFrame, truth: pd.Series) -> pd.DataFrame:
    """Add the true type of each of the target's cells."""
    return points.assign(type=points[CELL_ID].map(truth))


def types_of(source_path: str | Path, truth: pd.Series) -> list[str]:
    """All types of a task, the source's and the target's: what a type's colour follows from."""
    return sorted(set(source_labels(source_path)) | set(truth))


def joined(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """One table of those behind a figure; without any, one with no rows."""
    tables = list(tables)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["task"])

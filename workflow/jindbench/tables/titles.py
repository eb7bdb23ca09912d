"""The rows of some tasks and methods, in the order of the run and under their titles."""

from collections.abc import Iterable

import pandas as pd


def selected(scores: pd.DataFrame, tasks: Iterable[str], methods: Iterable[str]) -> pd.DataFrame:
    """The rows of these tasks and methods, in this order."""
    order = pd.MultiIndex.from_product([tasks, methods])
    position = order.get_indexer(pd.MultiIndex.from_frame(scores[["task", "method"]]))
    return (
        scores.assign(position=position)[position >= 0].sort_values("position", kind="stable").drop(columns="position")
    )


def titled(scores: pd.DataFrame, tasks: dict[str, str], methods: dict[str, str]) -> pd.DataFrame:
    """As `selected`, with titles in place of names."""
    return selected(scores, tasks, methods).replace({"task": tasks, "method": methods})

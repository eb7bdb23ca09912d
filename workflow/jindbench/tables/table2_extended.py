"""Table 2 with the paper's number beside each of ours, and a verdict."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from jindbench import render
from jindbench.tables import published as papers
from jindbench.tables import table2
from jindbench.tables.verdicts import NOT_REPRODUCED, NOT_TESTED, REPRODUCED, Quantity, verdict, widened
from jindbench.tables.verdicts import NOTE as VERDICTS_NOTE

COLUMNS = ["task", "method", "metric", "ours", "sd", "low", "high", "seeds"]
COLUMNS += ["paper", "printed", "difference", "inside", "verdict", "status"]
NOT_RUN = "not run"  # by the authors, as `printed` has it
STAND_IN = "cells of the same studies from another file, with other genes"

NOTE = (
    "Each number of the paper's Table 2 beside ours. inside: the paper's number lies in our bootstrap 95 % interval "
    "over target cells, which says nothing of what another split, another version of the data or another seed would "
    f"change. {VERDICTS_NOTE} Tolerances: "
    + ", ".join(f"{metric} {papers.TOLERANCES[metric]}" for metric in ("raw", "rej", "eff"))
    + "."
)
NOTHING = "The paper has no numbers for the tasks of this run."


def table2_extended(
    scores: pd.DataFrame,
    published: pd.DataFrame,
    names: Mapping[str, Sequence[str]],
    stand_ins: Mapping[str, str],
) -> pd.DataFrame:
    """Table 2, one row for each number: ours, the paper's, the difference and the verdict.

    Parameters
    ----------
    scores
        See `table2.table2`; task and method are names.
    published
        See `jindbench.tables.published`.
    names
        For each method the name and the input under which the paper's table has it, if it has.
    stand_ins
        For tasks that stand in for one of the paper's, that one: its numbers, no verdicts.

    Returns
    -------
    Columns task, method, metric, ours, sd, low, high, seeds, paper (the number) and printed (the text), difference
    (ours minus the paper's), inside (whether the paper's value lies between low and high), verdict (see
    `jindbench.tables.verdicts`), status. The rows are those of `scores`; paper, difference and inside are missing where
    one of both has no number, printed and verdict where the paper does not have this task and method.
    """
    printed = published[published["table"] == 2].set_index(["name", "method", "input", "metric"])
    table = scores.rename(columns={"value": "ours"}).reset_index(drop=True)
    keys = [(stand_ins.get(row.task, row.task), *names[row.method], row.metric) for row in table.itertuples()]
    table["paper"], table["printed"] = (printed[column].reindex(keys).to_numpy() for column in ("value", "printed"))
    table["difference"] = (table["ours"] - table["paper"]).round(4)
    inside = table["paper"].round(3).between(table["low"].round(3), table["high"].round(3))
    table["inside"] = inside.map({True: "yes", False: "no"}).where(table["difference"].notna())
    table["verdict"] = [_verdict(row) if isinstance(row.printed, str) else np.nan for row in table.itertuples()]
    table.loc[table["task"].isin(stand_ins) & table["verdict"].notna(), "verdict"] = f"{NOT_TESTED}: {STAND_IN}"
    return table[COLUMNS]


def _verdict(row) -> str:
    """The verdict on one number of the paper, or on the words that stand in its place."""
    if row.printed == NOT_RUN:
        return f"{NOT_TESTED}: the paper has no value"
    if row.status not in ("ok", "not applicable"):
        return f"{NOT_TESTED}: {row.status}"
    if np.isnan(row.paper):  # the metric does not apply, or is not defined ("NA")
        ours = row.status if row.status != "ok" else "NA" if np.isnan(row.ours) else "a number"
        return REPRODUCED if ours == row.printed else NOT_REPRODUCED
    if np.isnan(row.ours):
        return f"{NOT_TESTED}: {row.status if row.status != 'ok' else 'not defined, all cells are rejected'}"
    ours = Quantity(row.ours, *widened(row.ours, row.low, row.high, row.sd))
    return verdict(ours, row.paper, row.paper, papers.TOLERANCES[row.metric])


def _ours(row) -> str:
    return table2.cell(row._asdict() | {"value": row.ours})


def shown(table: pd.DataFrame) -> render.Table:
    """The table for readers: only what the paper has."""
    rows = [
        [row.task, row.method, row.metric, _ours(row), row.printed]
        + (["-", "-"] if pd.isna(row.difference) else [f"{row.difference:+.3f}", row.inside])
        + [row.verdict]
        for row in table[table["verdict"].notna()].itertuples(index=False)
    ]
    head = ["task", "method", "metric", "ours", "paper", "difference", "inside", "verdict"]
    return render.Table(head, rows, [NOTE], nothing=NOTHING)


def verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each number of the paper: columns what, ours, paper and verdict."""
    rows = [
        (f"Table 2, {row.task}, {row.method}: {row.metric}", _ours(row), row.printed, row.verdict)
        for row in table[table["verdict"].notna()].itertuples(index=False)
    ]
    return pd.DataFrame(rows, columns=["what", "ours", "paper", "verdict"])

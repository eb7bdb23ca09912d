"""The authors' own runs on their PBMC file beside ours: the quickest check of all of JIND.

Two notebooks with outputs in the authors' repository (github.com/mohit1997/JIND at 61e2616) ran the published code on
that file, one from the h5ad, one from pickles of the same cells. `workflow/resources/authors_runs.tsv` has the range of
what they printed: `low` to `high`, or one value twice where only one printed it.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from jindbench import io
from jindbench.render import Table
from jindbench.tables import verdicts

COLUMNS = ["stage", "quantity", "epoch", "theirs", "tolerance", "ours", "verdict"]
NOTE = (
    "Theirs: two runs of the authors' code with seed 0. Ours: the preset published, one run. raw, eff and rej are of "
    "the target, the others of an epoch (kept: the one whose networks are kept). Reproduced: within the tolerance of "
    "their range. The tolerances are our choice: raw .005 before alignment and .002 at the end, which is what seeds "
    "change, losses .02."
)


def read(path: str | Path) -> pd.DataFrame:
    """Read the authors' numbers: columns stage, quantity, epoch (number, "kept" or missing), low, high, tolerance."""
    return io.read_table(path, text=["stage", "quantity", "epoch"])


def check(
    theirs: pd.DataFrame, scores: Mapping[str, Mapping[str, float]], histories: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Compare a run with the authors'.

    Parameters
    ----------
    theirs
        See `read`.
    scores
        Of each stage: raw, eff and rej.
    histories
        Of each stage: what its training recorded, a row for each epoch, with the column `kept`.

    Returns
    -------
    A row for each number, with columns `COLUMNS`.
    """
    rows = []
    for row in theirs.to_dict("records"):
        ours = _ours(row, scores[row["stage"]], histories[row["stage"]])
        if ours is None:
            verdict = f"{verdicts.NOT_TESTED}: there was no such epoch"
        else:
            verdict = verdicts.verdict(verdicts.Quantity(ours, ours, ours), row["low"], row["high"], row["tolerance"])
        printed = f"{row['low']:g}" if row["low"] == row["high"] else f"{row['low']:g} to {row['high']:g}"
        rows.append(row | {"theirs": printed, "ours": ours, "verdict": verdict})
    return pd.DataFrame(rows)[COLUMNS].astype({"ours": float})


def _ours(row: Mapping, scores: Mapping[str, float], history: pd.DataFrame) -> float | None:
    if not row["epoch"]:
        return scores[row["quantity"]]
    found = history[history["kept"] if row["epoch"] == "kept" else history["epoch"] == int(row["epoch"])]
    return None if found.empty else float(found[row["quantity"]].iloc[0])


def shown(table: pd.DataFrame) -> Table:
    """The table for readers."""
    values = table.assign(ours=table["ours"].round(4))
    return Table.of(values, bold="verdict", lead=f"{verdicts.count(table['verdict'])}.", notes=[NOTE])

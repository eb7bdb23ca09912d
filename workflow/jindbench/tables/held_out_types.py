"""How each method handles cells of a type that its source lacks, as means over the types."""

import pandas as pd

from jindbench import render
from jindbench.execution.hold_out import FEWEST_CELLS, HELD_OUT
from jindbench.names import LABEL
from jindbench.scoring.held_out_types import shares_over_seeds, worst

COLUMNS = ["task", "method", "types", "AUROC", "lowest", "new cells rejected", "known cells rejected"]
COLUMNS += ["raw accuracy of known cells"]

NOTE = (
    "Each type in turn was removed from the source, not from the target: its cells are new, those of the other types "
    "known. Means over the types, with the standard deviation of these means over seeds. AUROC: probability that the "
    "novelty of a new cell is above that of a known one (.5 is chance); lowest: that of the hardest type, and the "
    "label that most of its cells get. Rejected: share of the cells (- for methods that do not reject). Types with "
    f"fewer than {FEWEST_CELLS} cells on either side are left out, and so are methods that read integrated cells, "
    "because the integration has seen the type."
)
NOTHING = "No type is held out in this run: see `held_out_types` in the configuration."


def means(scores: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """A row for each task and method, as text.

    Parameters
    ----------
    scores, labels
        Rows of `scoring.held_out_types.score_run`, with columns task, method and seed.
    """
    rows, shares = [], shares_over_seeds(labels).set_index(["task", "method", HELD_OUT])
    for (task, method), of_method in scores.groupby(["task", "method"], sort=False):
        measured = of_method[of_method["status"] == "ok"]
        wanting = of_method[~of_method["status"].str.match("ok$|not applicable")]
        row = {"task": task, "method": method, "types": f"{measured[HELD_OUT].nunique()}"}
        if measured.empty:
            row["AUROC"] = worst(wanting["status"] if len(wanting) else of_method["status"])
        elif len(wanting):
            first = wanting.iloc[0]
            row["AUROC"] = f"{first['status']} (without {first[HELD_OUT]}, seed {first['seed']})"
        else:
            by_type = measured.groupby(HELD_OUT)["auroc"].mean()
            hardest = by_type.idxmin()
            most = shares.loc[[(task, method, hardest)]].sort_values(["share", LABEL], ascending=[False, True]).iloc[0]
            row |= {
                "AUROC": _over_seeds(measured, "auroc"),
                "lowest": f"{by_type[hardest]:.3f} {hardest}: {most['share']:.0%} {most[LABEL]}",
                "new cells rejected": _over_seeds(measured, "rejected_new"),
                "known cells rejected": _over_seeds(measured, "rejected_known"),
                "raw accuracy of known cells": _over_seeds(measured, "raw_known"),
            }
        rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS).fillna("-")


def _over_seeds(measured: pd.DataFrame, measure: str) -> str:
    """Mean over types and seeds, and the standard deviation of the seeds' means."""
    by_seed = measured.groupby("seed")[measure].mean()
    if by_seed.isna().any():
        return "-"
    return f"{by_seed.mean():.3f}" + (f" ± {by_seed.std(ddof=1):.3f}" if len(by_seed) > 1 else "")


def shown(scores: pd.DataFrame, labels: pd.DataFrame) -> render.Table:
    """The `means` for readers; task and method are titles."""
    return render.Table(COLUMNS, means(scores, labels).to_numpy().tolist(), [NOTE], nothing=NOTHING)

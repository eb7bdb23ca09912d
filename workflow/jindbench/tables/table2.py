"""Table 2 of the paper, and other tables of its form: accuracy and rejection of every method on every task."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from jindbench import render
from jindbench.methods import true_labels
from jindbench.scoring.metrics import METRICS

HIGH_REJECTION = 0.1  # above this, the paper's Table 2 prints a rejection rate in red

NOTE = (
    "raw: accuracy before rejection; rej: share of rejected cells; eff: accuracy of the cells not rejected "
    "(NA where all are rejected, - for methods that do not reject, and where a single batch leaves nothing to "
    "integrate). Mean ± standard deviation over seeds (one seed where nothing is random), in brackets the bootstrap "
    "95 % interval over the n target cells (eff is a share of those kept). Best raw accuracy in bold, rejection above "
    ".1 marked (!)."
)


def table2(scores: pd.DataFrame) -> pd.DataFrame:
    """Table 2 of the paper, one row for each task and metric, one column for each method.

    Parameters
    ----------
    scores
        `metrics_by_method.tsv`: columns task, method, seeds, metric, value, sd, low, high, n, status; task and method
        are titles, in the order to be shown.

    Returns
    -------
    Text cells, see `cell`.
    """
    methods = scores["method"].drop_duplicates()
    rows = []
    for task, of_task in scores.groupby("task", sort=False):
        for metric in METRICS:
            of_metric = of_task[of_task["metric"] == metric].set_index("method")
            # All methods label the same cells; a run that failed has no n.
            row = {"task": task, "n": f"{of_task['n_target'].iloc[0]:.0f}", "metric": metric}
            rows.append(row | {method: cell(of_metric.loc[method]) for method in methods})
    return pd.DataFrame(rows)


def cell(score: Mapping[str, Any]) -> str:
    """A score as text, such as "0.971 ± 0.003 [0.965, 0.977]".

    That is mean and standard deviation over seeds, and the bootstrap 95 % interval over cells. "-" where the metric
    does not apply, "NA" where it is not defined, and the reason where there is no score.
    """
    if score["status"] == "not applicable":
        return "-"
    if score["status"] != "ok":
        return score["status"]
    if np.isnan(score["value"]):
        return "NA"
    spread = "" if np.isnan(score["sd"]) else f" ± {score['sd']:.3f}"
    return f"{score['value']:.3f}{spread} [{score['low']:.3f}, {score['high']:.3f}]"


def best_raw(scores: pd.DataFrame) -> set[tuple[str, str]]:
    """(task, method) of the highest raw accuracy of each task, as printed, ties included; true labels do not count."""
    of_methods = scores[scores["method"] != true_labels.TITLE]
    raw = of_methods[(of_methods["metric"] == "raw") & (of_methods["status"] == "ok")].copy()
    raw["value"] = raw["value"].round(3)
    best = raw[raw["value"] == raw.groupby("task")["value"].transform("max")]
    return set(zip(best["task"], best["method"], strict=True))


def high_rejection(scores: pd.DataFrame) -> set[tuple[str, str]]:
    """(task, method) with a rejection rate above .1."""
    high = scores[(scores["metric"] == "rej") & (scores["value"] > HIGH_REJECTION)]
    return set(zip(high["task"], high["method"], strict=True))


def shown(scores: pd.DataFrame, notes: Sequence[str] = ()) -> render.Table:
    """Table 2 for readers; `notes` are those of its methods."""
    table = table2(scores)
    marks = {"raw": (render.Bold, best_raw(scores)), "rej": (render.High, high_rejection(scores))}
    rows = []
    for row in table.to_dict("records"):
        mark, marked = marks.get(row["metric"], (str, set()))
        rows.append([mark(text) if (row["task"], column) in marked else text for column, text in row.items()])
    return render.Table(list(table), rows, [NOTE, *notes])

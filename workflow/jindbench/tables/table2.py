"""Table 2 of the paper, and other tables of its form: accuracy and rejection of every method on every task."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from jindbench import render
from jindbench.scoring.metrics import METRICS
from jindbench.scoring.paired_tests import ALIGNMENT, SIGNIFICANT

HIGH_REJECTION = 0.1  # above this, the paper's Table 2 prints a rejection rate in red

WIDTH = 100  # columns of a terminal that the overview may take
BEST, AS_GOOD, HELPED, HARMED = "*", "=", "▲", "▼"

NOTE = (
    "raw: accuracy before rejection; rej: share of rejected cells; eff: accuracy of the cells not rejected (NA: all "
    "are rejected; -: the method does not reject, or a single batch leaves nothing to integrate). Mean ± standard "
    "deviation over seeds (one seed where nothing is random), in brackets the bootstrap 95 % interval over the target "
    "cells (Wilson's where all or none count). Rejection above .1 is marked (!)."
)
MARKS = (
    f"Marks: {BEST} best raw accuracy of the task; {AS_GOOD} not distinguishable from the best (paired test on the "
    f"same cells, p of at least {SIGNIFICANT} when corrected for all pairs of methods); {HARMED} worse than its own "
    f"unaligned model, so alignment did harm; {HELPED} better than it (p below {SIGNIFICANT} when corrected for all "
    "aligned methods)."
)


def table2(scores: pd.DataFrame) -> pd.DataFrame:
    """Table 2 as the paper prints it, one row for each task and metric, one column for each method.

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


def best_raw(scores: pd.DataFrame, competing: Collection[str]) -> set[tuple[str, str]]:
    """(task, method) of the highest raw accuracy of each task among some methods, as printed, ties included."""
    of_methods = scores[scores["method"].isin(competing)]
    raw = of_methods[(of_methods["metric"] == "raw") & (of_methods["status"] == "ok")].copy()
    raw["value"] = raw["value"].round(3)
    best = raw[raw["value"] == raw.groupby("task")["value"].transform("max")]
    return set(zip(best["task"], best["method"], strict=True))


def high_rejection(scores: pd.DataFrame) -> set[tuple[str, str]]:
    """(task, method) with a rejection rate above .1."""
    high = scores[(scores["metric"] == "rej") & (scores["value"] > HIGH_REJECTION)]
    return set(zip(high["task"], high["method"], strict=True))


def marks(
    scores: pd.DataFrame, comparisons: pd.DataFrame, table: str, competing: Collection[str]
) -> dict[tuple[str, str], str]:
    """What stands beside each (task, method), see `MARKS`.

    Parameters
    ----------
    comparisons
        `comparisons.tsv`, with tasks and methods named as in `scores`.
    table
        Its name among the questions of `comparisons`.
    competing
        Titles of the methods that may be best; a control that is given the target's labels may not.
    """
    found = {(row.task, row.method): "" for row in scores.itertuples()}
    best = best_raw(scores, competing)
    not_worse = comparisons[(comparisons["question"] == table) & (comparisons["adjusted_p"] >= SIGNIFICANT)]
    equal = set(zip(not_worse["task"], not_worse["second"], strict=True)) - best
    aligned = comparisons[(comparisons["question"] == ALIGNMENT) & (comparisons["adjusted_p"] < SIGNIFICANT)]
    effects = dict(zip(zip(aligned["task"], aligned["first"], strict=True), aligned["difference"], strict=True))
    for key in found:
        effect = effects.get(key, 0)
        found[key] = (
            (BEST if key in best else AS_GOOD if key in equal else "")
            + (HELPED if effect > 0 else "")
            + (HARMED if effect < 0 else "")
        )
    return found


def overview(scores: pd.DataFrame, marked: Mapping[tuple[str, str], str]) -> render.Table:
    """Methods x tasks, raw accuracy with its marks; first what on average falls least behind the best of a task.

    A method without a score on a task that others have scores on comes last: it may lack the hard ones.
    """
    raw = scores[scores["metric"] == "raw"]
    best = raw.groupby("task")["value"].transform("max")
    behind = raw.assign(behind=raw["value"] - best, incomplete=raw["value"].isna() & best.notna())
    behind = behind.groupby("method", sort=False).agg({"incomplete": "any", "behind": "mean"})
    tasks = list(raw["task"].drop_duplicates())
    values = raw.set_index(["method", "task"])
    methods = behind.sort_values(["incomplete", "behind"], ascending=[True, False]).index
    rows = []
    for method in methods:
        cells = []
        for task in tasks:
            score = values.loc[(method, task)]
            known = score["status"] == "ok"
            # Of what has no value, the first word says why: failed, not run, not applicable.
            text = f"{score['value']:.3f}" if known else cell(score).partition(":")[0]
            cells.append(f"{text} {marked[task, method]}".strip())
        rows.append([method, *cells])
    return render.Table(["raw accuracy", *tasks], rows, [MARKS])


def shown(scores: pd.DataFrame, marked: Mapping[tuple[str, str], str], notes: Sequence[str] = ()) -> list[render.Table]:
    """The table for readers: the overview where there are several tasks; then the methods of each task by raw accuracy.

    `notes` are those of its methods.
    """
    high, shown_rows = high_rejection(scores), []
    for task, of_task in scores.groupby("task", sort=False):
        by_method = {method: rows.set_index("metric") for method, rows in of_task.groupby("method", sort=False)}
        # All methods label the same cells; a run that failed has no n.
        shown_rows.append([f"{task} ({of_task['n_target'].iloc[0]:.0f} cells)"])
        for method in sorted(by_method, key=lambda name: _descending(by_method[name].loc["raw", "value"])):
            raw, rej, eff = (by_method[method].loc[metric] for metric in METRICS)
            mark = marked[task, method]
            kind = render.Bold if BEST in mark else str
            texts = [cell(raw), "", ""] if cell(raw) == cell(rej) == cell(eff) else [*map(cell, (raw, rej, eff))]
            texts[1] = render.High(texts[1]) if (task, method) in high else texts[1]
            shown_rows.append([kind(method), mark, kind(texts[0]), *texts[1:]])
    table = render.Table(["method", "", "raw", "rej", "eff"], shown_rows, [NOTE, MARKS, *notes])
    first = overview(scores, marked)
    return [replace(first, notes=[]), table] if len(first.head) > 2 else [table]


def _descending(value: float) -> float:
    return np.inf if np.isnan(value) else -value

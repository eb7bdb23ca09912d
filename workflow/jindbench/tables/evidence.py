"""Numbers of a run that the paper's sentences are compared with, each with an interval.

Of a metric: the bootstrap 95 % interval over cells, widened to two standard deviations over seeds where these are more,
as min(low, value - 2 sd) to max(high, value + 2 sd). Of a difference with JIND+ in raw accuracy: the interval of the
paired test, widened the same way. Of other differences, of ratios and means: the terms at their extremes, which is
wider than sampling needs, so that no verdict rests on an independence that cells and methods do not have. Of numbers of
cells: two square roots (what a count varies by), or two standard deviations over seeds. Of rejection at other theta:
two standard deviations over seeds. Of run times: the shortest and the longest of the repeats. Numbers of genes,
distances and correlations have none.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from jindbench.names import UNASSIGNED
from jindbench.tables.verdicts import NotTested, Quantity, widened

# The tables: `results/{run}/tables/{name}.tsv`.
TABLES = (
    "metrics_by_method",
    "metrics",
    "paired_tests",
    "runtime",
    "differential_expression",
    "differential_expression_genes",
    "novel_types",
    "table1",
    "confusion",
    "rejection_by_theta",
)
# Their columns that are text, whatever it looks like.
TEXT = ("task", "method", "status", "gene", "type_a", "type_b", "majority_type", "type", "label", "dataset")
Tables = Mapping[str, pd.DataFrame]

PAIRED_WITH = "jind_plus"  # the method that `paired_tests.tsv` compares the others with
# Tables about the method that the figures show: where it is another one, they say nothing of the paper's sentences.
OF_SHOWN_METHOD = ("paired_tests", "differential_expression", "differential_expression_genes", "novel_types")


def rows_of(tables: Tables, name: str, **keys: str) -> pd.DataFrame:
    """The rows of a table with these values."""
    if name not in tables:
        raise NotTested(f"the run has no {name}.tsv{f' of {PAIRED_WITH}' if name in OF_SHOWN_METHOD else ''}")
    rows = tables[name]
    for column, wanted in keys.items():
        rows = rows[rows[column] == wanted]
        if rows.empty:
            # "the run has no task x", "the run has no method y on x"
            before = [value for key, value in keys.items() if key == "task" and column != "task"]
            raise NotTested(" on ".join([f"the run has no {column} {wanted}", *before]) + f" ({name}.tsv)")
    return rows


def ok_rows(tables: Tables, name: str, **keys: str) -> pd.DataFrame:
    """The rows of a table with these values, of which none failed."""
    rows = rows_of(tables, name, **keys)
    if not (failed := rows[rows["status"] != "ok"]).empty:
        raise NotTested(f"{' '.join(keys.values())}: {failed['status'].iloc[0]}")
    return rows


def _score_row(tables: Tables, task: str, method: str, metric: str) -> pd.Series:
    row = ok_rows(tables, "metrics_by_method", task=task, method=method, metric=metric).iloc[0]
    if np.isnan(row["value"]):
        raise NotTested(f"{metric} of {method} on {task} is not defined: all cells are rejected")
    return row


def score(tables: Tables, task: str, method: str, metric: str) -> Quantity:
    """raw, rej or eff of a method on a task."""
    row = _score_row(tables, task, method, metric)
    low, high = widened(row["value"], row["low"], row["high"], row["sd"])
    text = f"{method} {metric} on {task} {number(row['value'])} {interval(low, high)}, {_seeds(row['seeds'])}"
    return Quantity(float(row["value"]), float(low), float(high), (text,))


def difference(tables: Tables, task: str, method: str, other: str | None, metric: str) -> Quantity:
    """`method` minus `other`, by the paired test where there is one; without another, the `score` itself."""
    if other is None:
        return score(tables, task, method, metric)
    difference = score(tables, task, method, metric) - score(tables, task, other, metric)
    if metric == "raw" and PAIRED_WITH in (method, other) and "paired_tests" in tables:
        compared = other if method == PAIRED_WITH else method
        paired = tables["paired_tests"].query("task == @task and method == @compared and measure == 'raw'")
        if not paired.empty and np.isfinite(paired["difference"].iloc[0]):
            test = paired.iloc[0]
            low, high = (test["low"], test["high"]) if method == PAIRED_WITH else (-test["high"], -test["low"])
            sds = [_score_row(tables, task, name, metric)["sd"] for name in (method, other)]
            low, high = widened(difference.value, low, high, float(np.hypot(*np.nan_to_num(sds))))
            text = f"paired {PAIRED_WITH} - {compared} raw on {task} {number(test['difference'])} "
            text += f"{interval(test['low'], test['high'])}, adjusted p {test['adjusted_p']:.2g}"
            return Quantity(difference.value, float(low), float(high), (*difference.rests_on, text))
    return difference


def mean(tables: Tables, tasks: list[str], method: str, other: str | None, metric: str) -> Quantity:
    """The mean over tasks of a `difference`."""
    return _over(np.mean, [difference(tables, task, method, other, metric) for task in tasks])


def _over(function: Callable, quantities: list[Quantity]) -> Quantity:
    """The mean or the sum of some numbers."""
    numbers = function([[item.value, item.low, item.high] for item in quantities], axis=0)
    return Quantity(*map(float, numbers), tuple(text for item in quantities for text in item.rests_on))


def seconds(tables: Tables, task: str, stages: list[str]) -> Quantity:
    """Seconds of work of all stages together; each is the mean of its repeats."""
    parts = []
    for stage in stages:
        rows = ok_rows(tables, "runtime", task=task, method=stage)
        repeats, threads = rows["work_seconds"], "/".join(f"{n:.0f}" for n in rows["threads"].unique())
        text = f"{stage} on {task} {repeats.mean():.1f} s ({threads} threads)"
        parts.append(Quantity(repeats.mean(), repeats.min(), repeats.max(), (text,)))
    return _over(np.sum, parts)


def counted(values: pd.Series, text: str) -> Quantity:
    """A number of cells, one value for each seed."""
    value = float(values.mean())
    low, high = widened(value, value - 2 * value**0.5, value + 2 * value**0.5, values.std(ddof=1))
    text = f"{text}: {', '.join(f'{n:.0f}' for n in values)} ({_seeds(len(values))})"
    return Quantity(value, max(low, 0.0), high, (text,))


def rejected(tables: Tables, task: str, method: str, what: str) -> Quantity:
    """Rejected `cells`, those of them whose raw label is wrong (`misclassified`), or the `share` of these."""
    rows = ok_rows(tables, "metrics", task=task, method=method)
    shares = rows.pivot(index="seed", columns="metric", values="value")
    n_cells = rows["n_target"].iloc[0]
    n_rejected = (shares["rej"] * n_cells).round()
    wrong_and_kept = ((1 - shares["eff"]) * (n_cells - n_rejected)).fillna(0)  # eff is not defined where none is kept
    n_wrong = ((1 - shares["raw"]) * n_cells - wrong_and_kept).round()
    cells = counted(n_rejected, f"{method} rejected on {task}")
    wrong = counted(n_wrong, f"{method} rejected and misclassified on {task}")
    if what != "share":
        return {"cells": cells, "misclassified": wrong}[what]
    if cells.value == 0:
        raise NotTested(f"{method} rejects no cell on {task}")
    # Of a given number of rejected cells: both counts at their extremes would allow shares above one.
    low, high = (min(bound / cells.value, 1) for bound in (wrong.low, wrong.high))
    return Quantity(wrong.value / cells.value, low, high, cells.rests_on + wrong.rests_on)


def labelled(tables: Tables, task: str, method: str, true_type: str, label: str) -> tuple[Quantity, int]:
    """Cells of a type that got a label, and all cells of the type."""
    rows = rows_of(tables, "confusion", task=task, method=method, type=true_type)
    by_seed = rows.groupby("seed")["n"].sum()
    found = rows[rows["label"] == label].set_index("seed")["n"].reindex(by_seed.index, fill_value=0)
    return counted(found, f"{method} labels {true_type} as {label} on {task}"), int(by_seed.iloc[0])


def confused(tables: Tables, task: str, method: str) -> set[tuple[str, str]]:
    """Types and the wrong labels that some of their cells got, without "unassigned"."""
    rows = rows_of(tables, "confusion", task=task, method=method)
    wrong = rows[(rows["label"] != rows["type"]) & (rows["label"] != UNASSIGNED)]
    return set(zip(wrong["type"], wrong["label"], strict=True))


def rejected_over_theta(tables: Tables, task: str, method: str) -> list[Quantity]:
    """Share of cells rejected over theta, for each theta; the interval is that over seeds."""
    ratios = []
    for theta, rej in rows_of(tables, "rejection_by_theta", task=task, method=method).groupby("theta")["rej"]:
        low, high = widened(rej.mean(), rej.mean(), rej.mean(), rej.std(ddof=1))
        text = f"{method} rejects {number(rej.mean())} at theta {number(theta)} on {task} ({_seeds(len(rej))})"
        ratios.append(Quantity(rej.mean(), low, high, (text,)) / Quantity.exact(theta))
    return ratios


def compared(tables: Tables, task: str, type_a: str, type_b: str) -> tuple[pd.Series, str]:
    """The comparison of cells of type_a with the right label and those labelled type_b, and its groups in words."""
    row = ok_rows(tables, "differential_expression", task=task, type_a=type_a, type_b=type_b).iloc[0]
    sizes = f"{row['n_first']:.0f} {type_a} cells against {row['n_second']:.0f}"
    return row, f"{sizes} labelled {type_b}, {row['model']}"


def of_gene(tables: Tables, task: str, gene: str) -> pd.Series:
    """The row of one gene of a comparison."""
    return rows_of(tables, "differential_expression_genes", task=task, gene=gene).iloc[0]


def cluster(tables: Tables, task: str, true_type: str) -> pd.Series:
    """The largest of the target's clusters in which most cells are of this type.

    `novel_types.tsv` has a row for each cluster of the target: majority_type (of its cells' true types), n_cells,
    assigned_source_type (missing where it is left over), and for each source type t the columns distance_t and
    mean_squared_distance_t: from the cluster's centroid to that of t's source cells, in latent space.
    """
    rows = rows_of(tables, "novel_types", task=task, majority_type=true_type)
    return rows.sort_values("n_cells").iloc[-1]


def number(value: float) -> str:
    """As text: three decimals at most, none from 100 on."""
    value = round(value, 3) + 0.0  # no minus before a zero
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3f}".rstrip("0").rstrip(".")


def _seeds(n: float) -> str:
    return f"{n:.0f} seed{'' if n == 1 else 's'}"


def interval(low: float, high: float) -> str:
    """Both ends in brackets; "-" for a number without an interval."""
    return "-" if low == high else f"[{number(low)}, {number(high)}]"

"""The paper's statements, each compared with what a run gave.

The statements are data: sentences of the text in `workflow/resources/claims.yaml`, the printed values of Tables 1 and 2
in `published_values.tsv`. A statement holds for the paper's tasks alone, by their names in `config/config.yaml`.

Kinds of statement in `claims.yaml`
-----------------------------------
metric             raw, rej or eff of methods on tasks
difference         that of one method minus that of another on the same task
ratio              that of one method over that of another, both as means over tasks
ranking            a method (or the better of several) has a higher metric than each of its rivals
runtime            seconds of one set of stages over seconds of another, on one task
rejected           cells that a method rejects, and how many of these its raw label misclassifies
significant_genes  genes that differ between the right and the misclassified cells of a type
control            such genes between random groups of the same sizes, where none is expected
misclassified      cells of a type that got another type's label, as a number or a share
marker             a gene that is higher in the right, or in the misclassified cells
mapping            which source type a cluster of the target is mapped to (Figure 5)
distance           how much farther from a source type one cluster of the target is than another (Figure 5)
untested           what no table of a run can tell, with the reason

Our intervals
-------------
Of a metric: the bootstrap 95 % interval over cells, widened to two standard deviations over seeds where these are more,
as min(low, value - 2 sd) to max(high, value + 2 sd). Of a difference with JIND+ in raw accuracy: the interval of the
paired test, widened the same way. Of other differences, of ratios and means: the terms at their extremes, which is
wider than sampling needs, so that no verdict rests on an independence that cells and methods do not have. Of numbers of
cells: two square roots (what a count varies by), or two standard deviations over seeds. Of runtimes: the shortest and
the longest of the repeats.

Verdicts
--------
reproduced      ours is within the tolerance of the paper's value or range; for a bound (at most, at least), so is all
                of our interval
within noise    ours is farther off, but our interval holds the paper's value or reaches its range; or ours keeps to the
                bound, but our interval crosses it
not reproduced  neither
not tested      why: the run lacks a table, a task, a method, or it failed

A statement about several tasks or methods gets the worst of their verdicts, where "not tested" is worse than "within
noise", and "not reproduced" the worst: one exception refutes "in all cases", whatever else was not run.
"""

import html as html_text
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
import yaml
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from jindbench import render
from jindbench.errors import InputError
from jindbench.parameters import Name, Parameters

REPRODUCED, WITHIN_NOISE, NOT_TESTED, NOT_REPRODUCED = VERDICTS = (
    "reproduced",
    "within noise",
    "not tested",
    "not reproduced",
)  # from best to worst

# Tables of a run that statements are compared with: `results/{run}/tables/{name}.tsv`.
TABLES = (
    "table1",
    "metrics_by_method",
    "metrics",
    "paired_tests",
    "runtime",
    "differential_expression",
    "differential_expression_genes",
    "novel_types",
)
# Their columns that are text, whatever it looks like.
TEXT = ("dataset", "task", "method", "status", "gene", "type_a", "type_b", "majority_type", "most_frequent_prediction")
# Of the table of verdicts.
COLUMNS = ("claim", "sentence", "where", "paper", "ours", "interval", "verdict", "rests_on", "tolerance", "why", "note")
Tables = Mapping[str, pd.DataFrame]

# The paper's names of methods and the configuration's; on cells that Seurat integrated, the latter with "_seurat".
METHODS = {
    "JIND": "jind",
    "JIND+": "jind_plus",
    "Seurat-LT": "seurat_lt",
    "SVM_Rej": "svm_rej",
    "scPred": "scpred",
    "ACTINN": "actinn",
}
PAIRED_WITH = "jind_plus"  # the method that `paired_tests.tsv` compares the others with
ROUNDING = 1e-9  # differences of printed decimals are not exact


class NotTested(Exception):
    """What a run lacks, in words."""


@dataclass(frozen=True)
class Quantity:
    """A number of ours with its interval, and the numbers of the run that it rests on."""

    value: float
    low: float
    high: float
    rests_on: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """One comparison: its verdict (with the reason if not tested), ours and its interval as text, what it rests on.

    `margin` is how far inside the paper's limits ours lies; negative outside.
    """

    verdict: str
    ours: str = "-"
    interval: str = "-"
    rests_on: tuple[str, ...] = ()
    margin: float = 0.0

    @property
    def severity(self) -> int:
        """Place of the verdict from best to worst."""
        return VERDICTS.index(self.verdict.partition(":")[0])


class Expected(Parameters):
    """What the paper says of a number: a value, a bound or a range, and how far ours may be from it."""

    value: float | None = None
    at_most: float | None = None
    at_least: float | None = None
    between: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    tolerance: float = Field(0, ge=0)
    why: str = Field(description="Why this tolerance, or how vague words were read.")

    @model_validator(mode="after")
    def _one_statement(self):
        given = [key for key in ("value", "at_most", "at_least", "between") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(f"expected one of value, at_most, at_least, between; got {' and '.join(given) or 'none'}")
        return self

    def limits(self) -> tuple[float, float]:
        """Lowest and highest number that the statement allows, without the tolerance."""
        if self.between is not None:
            return self.between[0], self.between[1]
        if self.value is not None:
            return self.value, self.value
        return (-np.inf, self.at_most) if self.at_most is not None else (self.at_least, np.inf)

    def text(self) -> str:
        """The statement in words."""
        low, high = self.limits()
        if low == high:
            return _number(low)
        if np.isinf(low):
            return f"at most {_number(high)}"
        return f"at least {_number(low)}" if np.isinf(high) else f"{_number(low)} to {_number(high)}"


def verdict(ours: Quantity, expected: Expected) -> str:
    """The verdict on a number; the rules are in this module's docstring."""
    low, high = expected.limits()
    slack = expected.tolerance + ROUNDING
    agrees = low - slack <= ours.value <= high + slack
    keeps_to_bound = low - slack <= ours.low and ours.high <= high + slack
    is_bound = np.isinf(low) or np.isinf(high)
    if agrees and (keeps_to_bound or not is_bound):
        return REPRODUCED
    reaches = ours.low <= high + ROUNDING and ours.high >= low - ROUNDING
    return WITHIN_NOISE if agrees or reaches else NOT_REPRODUCED


def decisive(outcomes: Iterable[Outcome], needed: int | None = None) -> Outcome:
    """The outcome that decides: the worst, or the worst of the `needed` best where the paper says "most" or "some".

    Of equal verdicts, the one with the smallest margin.
    """
    ranked = sorted(outcomes, key=lambda outcome: (outcome.severity, -outcome.margin))
    return ranked[(needed or len(ranked)) - 1]


# What is read from the tables of a run.


def _rows(tables: Tables, name: str, **keys: str) -> pd.DataFrame:
    """The rows of a table with these values."""
    if name not in tables:
        raise NotTested(f"the run has no {name}.tsv")
    rows = tables[name]
    for column, wanted in keys.items():
        rows = rows[rows[column] == wanted]
        if rows.empty:
            # "the run has no task x", "the run has no method y on x"
            before = [value for key, value in keys.items() if key == "task" and column != "task"]
            raise NotTested(" on ".join([f"the run has no {column} {wanted}", *before]) + f" ({name}.tsv)")
    return rows


def _ok_rows(tables: Tables, name: str, **keys: str) -> pd.DataFrame:
    """The rows of a table with these values, of which none failed."""
    rows = _rows(tables, name, **keys)
    if not (failed := rows[rows["status"] != "ok"]).empty:
        raise NotTested(f"{' '.join(keys.values())}: {failed['status'].iloc[0]}")
    return rows


def _widened(value: float, low: float, high: float, sd: float) -> tuple[float, float]:
    """An interval over cells, widened to two standard deviations over seeds; `sd` is NaN for one seed."""
    spread = 0 if np.isnan(sd) else 2 * sd
    return min(low, value - spread), max(high, value + spread)


def _score(tables: Tables, task: str, method: str, metric: str) -> pd.Series:
    score = _ok_rows(tables, "metrics_by_method", task=task, method=method, metric=metric).iloc[0]
    if np.isnan(score["value"]):
        raise NotTested(f"{metric} of {method} on {task} is not defined: all cells are rejected")
    return score


def _metric(tables: Tables, task: str, method: str, metric: str) -> Quantity:
    score = _score(tables, task, method, metric)
    low, high = _widened(score["value"], score["low"], score["high"], score["sd"])
    text = f"{method} {metric} on {task} {_number(score['value'])} {_interval(low, high)}, {_seeds(score['seeds'])}"
    return Quantity(float(score["value"]), float(low), float(high), (text,))


def _difference(tables: Tables, task: str, method: str, other: str, metric: str) -> Quantity:
    """`method` minus `other`, by the paired test where there is one."""
    first, second = (_metric(tables, task, name, metric) for name in (method, other))
    value, rests_on = first.value - second.value, first.rests_on + second.rests_on
    if metric == "raw" and PAIRED_WITH in (method, other) and "paired_tests" in tables:
        compared = other if method == PAIRED_WITH else method
        paired = tables["paired_tests"].query("task == @task and method == @compared and measure == 'raw'")
        if not paired.empty and np.isfinite(paired["difference"].iloc[0]):
            test = paired.iloc[0]
            low, high = (test["low"], test["high"]) if method == PAIRED_WITH else (-test["high"], -test["low"])
            sds = [_score(tables, task, name, metric)["sd"] for name in (method, other)]
            low, high = _widened(value, low, high, float(np.hypot(*np.nan_to_num(sds))))
            text = f"paired {PAIRED_WITH} - {compared} raw on {task} {_number(test['difference'])} "
            text += f"{_interval(test['low'], test['high'])}, adjusted p {test['adjusted_p']:.2g}"
            return Quantity(value, float(low), float(high), (*rests_on, text))
    return Quantity(value, first.low - second.high, first.high - second.low, rests_on)


def _ratio(first: Quantity, second: Quantity) -> Quantity:
    rests_on = first.rests_on + second.rests_on
    if second.value == 0:
        raise NotTested(f"a ratio to zero: {'; '.join(rests_on)}")
    high = first.high / second.low if second.low > 0 else np.inf
    return Quantity(first.value / second.value, max(first.low, 0) / second.high, high, rests_on)


def _mean(quantities: list[Quantity]) -> Quantity:
    value, low, high = np.mean([[item.value, item.low, item.high] for item in quantities], axis=0)
    return Quantity(float(value), float(low), float(high), tuple(text for item in quantities for text in item.rests_on))


def _seconds(tables: Tables, task: str, stages: list[str]) -> Quantity:
    """Seconds of all stages together; each is the mean of its repeats."""
    parts = []
    for stage in stages:
        rows = _ok_rows(tables, "runtime", task=task, method=stage)
        seconds, threads = rows["seconds"], "/".join(f"{number:.0f}" for number in rows["threads"].unique())
        text = f"{stage} on {task} {seconds.mean():.1f} s ({threads} threads)"
        parts.append(Quantity(seconds.mean(), seconds.min(), seconds.max(), (text,)))
    total = np.sum([[part.value, part.low, part.high] for part in parts], axis=0)
    return Quantity(*map(float, total), tuple(text for part in parts for text in part.rests_on))


def _count(values: pd.Series, text: str) -> Quantity:
    """A number of cells, one value for each seed."""
    value = float(values.mean())
    low, high = _widened(value, value - 2 * value**0.5, value + 2 * value**0.5, values.std(ddof=1))
    text = f"{text}: {', '.join(f'{number:.0f}' for number in values)} ({_seeds(len(values))})"
    return Quantity(value, max(low, 0.0), high, (text,))


def _rejected(tables: Tables, task: str, method: str) -> tuple[Quantity, Quantity]:
    """Rejected cells, and those of them whose raw label is wrong."""
    rows = _ok_rows(tables, "metrics", task=task, method=method)
    shares = rows.pivot(index="seed", columns="metric", values="value")
    n_cells = rows["n_target"].iloc[0]
    rejected = (shares["rej"] * n_cells).round()
    wrong_and_kept = ((1 - shares["eff"]) * (n_cells - rejected)).fillna(0)  # eff is not defined where none is kept
    wrong = ((1 - shares["raw"]) * n_cells - wrong_and_kept).round()
    return (
        _count(rejected, f"{method} rejected on {task}"),
        _count(wrong, f"{method} rejected and misclassified on {task}"),
    )


def _cluster(tables: Tables, task: str, true_type: str) -> pd.Series:
    """The largest of the target's clusters in which most cells are of this type.

    `novel_types.tsv` has a row for each cluster of the target: majority_type (of its cells' true types), n_cells,
    most_frequent_prediction, assigned_source_type (missing where it is left over), and for each source type t a column
    distance_t: from the cluster's centroid to that of t's source cells, in latent space.
    """
    rows = _rows(tables, "novel_types", task=task, majority_type=true_type)
    return rows.sort_values("n_cells").iloc[-1]


# Kinds of statement.


class Claim(Parameters):
    """A statement of the paper."""

    id: Name
    sentence: str = Field(description="The paper's words, or a paraphrase of them.")
    where: str = Field(description="Section, table or figure.")
    note: str = Field("", description="Where the paper contradicts itself, or is vague.")

    @abstractmethod
    def statement(self) -> tuple[str, str, str]:
        """What the paper says, the tolerance and why, as text."""

    @abstractmethod
    def outcome(self, tables: Tables) -> Outcome:
        """Compare with the tables of a run."""


class Numeric(Claim):
    """A statement about numbers."""

    expected: Expected

    def statement(self) -> tuple[str, str, str]:
        """See `Claim`."""
        return self.expected.text(), _number(self.expected.tolerance), self.expected.why

    def compare(self, quantity: Callable[[], Quantity]) -> Outcome:
        """Compare one number with what the paper says."""
        try:
            ours = quantity()
        except NotTested as reason:
            return Outcome(f"{NOT_TESTED}: {reason}")
        low, high = self.expected.limits()
        return Outcome(
            verdict(ours, self.expected),
            _number(ours.value),
            _interval(ours.low, ours.high),
            ours.rests_on,
            margin=min(ours.value - low, high - ours.value),
        )

    def decide(self, outcomes: Iterable[Outcome], needed: int | None = None) -> Outcome:
        """The decisive outcome, with what all of them rest on."""
        outcomes = list(outcomes)
        rests_on = dict.fromkeys(text for outcome in outcomes for text in outcome.rests_on)
        return replace(decisive(outcomes, needed), rests_on=tuple(rests_on))


class Numbers(Numeric):
    """A statement to which each of some numbers must keep."""

    @abstractmethod
    def quantities(self, tables: Tables) -> list[Callable[[], Quantity]]:
        """The numbers; each is computed when called, and may raise NotTested."""

    def outcome(self, tables: Tables) -> Outcome:
        """See `Claim`."""
        return self.decide(map(self.compare, self.quantities(tables)))


class Metric(Numbers):
    """raw, rej or eff of each method on each task, or of each method as the mean over tasks."""

    kind: Literal["metric"] = "metric"
    metric: Literal["raw", "rej", "eff"]
    methods: list[Name] = Field(min_length=1)
    tasks: list[Name] = Field(min_length=1)
    average: bool = False
    needed: int | None = Field(None, ge=1, description="How many must keep to it; null: all.")

    def quantities(self, tables: Tables) -> list[Callable[[], Quantity]]:
        """See `Numbers`."""
        return _over_tasks(lambda task, method: _metric(tables, task, method, self.metric), self.methods, self)

    def outcome(self, tables: Tables) -> Outcome:
        """See `Claim`."""
        return self.decide(map(self.compare, self.quantities(tables)), self.needed)


class Difference(Numbers):
    """Each of `methods` minus its counterpart in `minus` (or the only one) on each task, or as the mean over tasks."""

    kind: Literal["difference"]
    metric: Literal["raw", "rej", "eff"]
    methods: list[Name] = Field(min_length=1)
    minus: list[Name] = Field(min_length=1)
    tasks: list[Name] = Field(min_length=1)
    average: bool = False

    @model_validator(mode="after")
    def _counterparts(self):
        if len(self.minus) not in (1, len(self.methods)):
            raise ValueError(f"minus: expected 1 or {len(self.methods)} methods, got {len(self.minus)}")
        return self

    def quantities(self, tables: Tables) -> list[Callable[[], Quantity]]:
        """See `Numbers`."""
        minus = self.minus * len(self.methods) if len(self.minus) == 1 else self.minus
        pairs = list(zip(self.methods, minus, strict=True))
        return _over_tasks(lambda task, pair: _difference(tables, task, *pair, self.metric), pairs, self)


def _over_tasks(quantity: Callable, of: list, claim: Metric | Difference) -> list[Callable[[], Quantity]]:
    """`quantity(task, item)` for each item on each task, or averaged over the tasks."""
    if claim.average:
        return [lambda item=item: _mean([quantity(task, item) for task in claim.tasks]) for item in of]
    return [lambda task=task, item=item: quantity(task, item) for task in claim.tasks for item in of]


class Ratio(Numbers):
    """A metric of one method over that of another, both as means over the tasks."""

    kind: Literal["ratio"]
    metric: Literal["raw", "rej", "eff"]
    method: Name
    over: Name
    tasks: list[Name] = Field(min_length=1)

    def quantities(self, tables: Tables) -> list[Callable[[], Quantity]]:
        """See `Numbers`."""

        def mean(method: str) -> Quantity:
            return _mean([_metric(tables, task, method, self.metric) for task in self.tasks])

        return [lambda: _ratio(mean(self.method), mean(self.over))]


class Ranking(Numeric):
    """On each task, the better of `methods` has a higher metric than each of its rivals."""

    kind: Literal["ranking"]
    metric: Literal["raw", "rej", "eff"]
    methods: list[Name] = Field(min_length=1)
    rivals: list[Name] = Field(min_length=1)
    tasks: list[Name] = Field(min_length=1)
    needed: int | None = Field(None, ge=1, description="On how many tasks it must; null: on all.")
    expected: Expected = Expected(at_least=0, why="A ranking is a difference above zero; no tolerance.")

    def outcome(self, tables: Tables) -> Outcome:
        """See `Claim`."""

        def beats(task: str, rival: str) -> Quantity:
            differences = [_difference(tables, task, method, rival, self.metric) for method in self.methods]
            return max(differences, key=lambda difference: difference.value)

        on_tasks = [
            self.decide(self.compare(lambda task=task, rival=rival: beats(task, rival)) for rival in self.rivals)
            for task in self.tasks
        ]
        return self.decide(on_tasks, self.needed)


class Runtime(Numbers):
    """Seconds of `stages` together over seconds of `over` together."""

    kind: Literal["runtime"]
    task: Name
    stages: list[str] = Field(min_length=1)
    over: list[str] = Field(min_length=1)

    def quantities(self, tables: Tables) -> list[Callable[[], Quantity]]:
        """See `Numbers`."""
        return [lambda: _ratio(_seconds(tables, self.task, self.stages), _seconds(tables, self.task, self.over))]


class Rejected(Numbers):
    """Rejected cells, those of them that are misclassified, or the share of these."""

    kind: Literal["rejected"]
    method: Name
    tasks: list[Name] = Field(min_length=1)
    what: Literal["cells", "misclassified", "share"]

    def quantities(self, tables: Tables) -> list[Callable[[], Quantity]]:
        """See `Numbers`."""
        return [lambda task=task: self._quantity(tables, task) for task in self.tasks]

    def _quantity(self, tables: Tables, task: str) -> Quantity:
        rejected, wrong = _rejected(tables, task, self.method)
        if self.what == "cells":
            return rejected
        if self.what == "misclassified":
            return wrong
        if rejected.value == 0:
            raise NotTested(f"{self.method} rejects no cell on {task}")
        # Of a given number of rejected cells: both counts at their extremes would allow shares above one.
        low, high = (min(bound / rejected.value, 1) for bound in (wrong.low, wrong.high))
        return Quantity(wrong.value / rejected.value, low, high, rejected.rests_on + wrong.rests_on)


class Comparison(Numeric):
    """Cells of type_a with the right label against those labelled type_b; a number for each model that was fitted."""

    kind: Literal["significant_genes", "control", "misclassified"]
    task: Name
    type_a: str
    type_b: str
    as_share: bool = Field(False, description="misclassified: of both groups together.")

    def outcome(self, tables: Tables) -> Outcome:
        """See `Claim`."""
        keys = {"task": self.task, "type_a": self.type_a, "type_b": self.type_b}
        try:
            rows = _ok_rows(tables, "differential_expression", **keys)
        except NotTested as reason:
            return Outcome(f"{NOT_TESTED}: {reason}")
        return self.decide(self.compare(lambda row=row: self._quantity(row)) for _, row in rows.iterrows())

    def _quantity(self, row: pd.Series) -> Quantity:
        sizes = f"{row['n_first']:.0f} {self.type_a} cells against {row['n_second']:.0f}"
        groups = f"{sizes} labelled {self.type_b}, {row['model']}"
        if self.kind == "significant_genes":
            genes = float(row["n_significant"])
            return Quantity(genes, genes, genes, (f"{groups}: {genes:.0f} genes",))
        if self.kind == "control":
            median, most = float(row["control_median"]), float(row["control_max"])
            text = f"{groups}: median {_number(median)}, most {_number(most)} genes in {row['draws']:.0f} random draws"
            return Quantity(median, median, most, (text,))
        cells = _count(pd.Series([row["n_second"]]), f"{self.type_a} labelled {self.type_b} on {self.task}")
        both = row["n_first"] + row["n_second"] if self.as_share else 1
        return Quantity(cells.value / both, cells.low / both, cells.high / both, (groups,))


class Marker(Claim):
    """A gene that is higher in the right cells (first), in the misclassified (second), or differs in either way."""

    kind: Literal["marker"]
    task: Name
    gene: str
    higher_in: Literal["first", "second", "either"]
    adjusted_p: float = Field(gt=0, lt=1)
    why: str

    def statement(self) -> tuple[str, str, str]:
        """See `Claim`."""
        where = {"first": "higher in the right cells", "second": "higher in the misclassified", "either": "differs"}
        return f"{self.gene} {where[self.higher_in]}", f"adjusted p < {self.adjusted_p:g}", self.why

    def outcome(self, tables: Tables) -> Outcome:
        """See `Claim`; what is not significant leaves the direction open, and is within noise."""
        try:
            row = _rows(tables, "differential_expression_genes", task=self.task, gene=self.gene).iloc[0]
        except NotTested as reason:
            return Outcome(f"{NOT_TESTED}: {reason}")
        change, p_value = row["log_fold_change"], row["adjusted_p"]
        if np.isnan(p_value):
            return Outcome(f"{NOT_TESTED}: {self.gene} has no p-value on {self.task}")
        directed = {"first": change > 0, "second": change < 0, "either": True}[self.higher_in]
        if p_value < self.adjusted_p:
            result = REPRODUCED if directed else NOT_REPRODUCED
        else:
            result = NOT_REPRODUCED if self.higher_in == "either" else WITHIN_NOISE
        text = f"{self.gene} log fold change {change:+.3f}, adjusted p {p_value:.2g} (right minus misclassified)"
        return Outcome(result, f"{change:+.3f}", rests_on=(text,))


class Assignment(Claim):
    """Figure 5: what the target's cluster of each true type is predicted as, or assigned to."""

    kind: Literal["mapping"]
    task: Name
    column: Literal["most_frequent_prediction", "assigned_source_type"]
    clusters: dict[str, str] = Field(min_length=1, description="True type of the cluster: the type it is mapped to.")
    why: str

    def statement(self) -> tuple[str, str, str]:
        """See `Claim`."""
        return ", ".join(f"{true} to {mapped}" for true, mapped in self.clusters.items()), "none", self.why

    def outcome(self, tables: Tables) -> Outcome:
        """See `Claim`."""
        try:
            found = {true: _cluster(tables, self.task, true) for true in self.clusters}
        except NotTested as reason:
            return Outcome(f"{NOT_TESTED}: {reason}")
        ours = {true: "none" if pd.isna(row[self.column]) else row[self.column] for true, row in found.items()}
        rests_on = [
            f"cluster of {true} ({found[true]['n_cells']:.0f} cells): {self.column} {ours[true]}" for true in ours
        ]
        result = REPRODUCED if ours == self.clusters else NOT_REPRODUCED
        return Outcome(result, ", ".join(f"{true} to {mapped}" for true, mapped in ours.items()), "-", tuple(rests_on))


class Distance(Numbers):
    """Figure 5: distance from a source type to one cluster of the target over that to another."""

    kind: Literal["distance"]
    task: Name
    source_type: str
    cluster: str
    over: str

    def quantities(self, tables: Tables) -> list[Callable[[], Quantity]]:
        """See `Numbers`."""
        return [lambda: _ratio(self._distance(tables, self.cluster), self._distance(tables, self.over))]

    def _distance(self, tables: Tables, cluster: str) -> Quantity:
        row = _cluster(tables, self.task, cluster)
        if (column := f"distance_{self.source_type}") not in row:
            raise NotTested(f"novel_types.tsv has no column {column}")
        distance = float(row[column])
        text = f"source {self.source_type} to the cluster of {cluster}: {_number(distance)}"
        return Quantity(distance, distance, distance, (text,))


class Untested(Claim):
    """A statement that no table of a run can tell."""

    kind: Literal["untested"]
    paper: str
    reason: str

    def statement(self) -> tuple[str, str, str]:
        """See `Claim`."""
        return self.paper, "-", ""

    def outcome(self, tables: Tables) -> Outcome:
        """See `Claim`."""
        return Outcome(f"{NOT_TESTED}: {self.reason}")


# Statements that the printed tables make; `claims.yaml` does not repeat them.


class DatasetSize(Numbers):
    """A number of Table 1."""

    dataset: str
    column: str

    def quantities(self, tables: Tables) -> list[Callable[[], Quantity]]:
        """See `Numbers`."""
        return [lambda: self._quantity(tables)]

    def _quantity(self, tables: Tables) -> Quantity:
        value = _rows(tables, "table1", dataset=self.dataset)[self.column].iloc[0]
        if pd.isna(value):
            raise NotTested(f"{self.column} of {self.dataset} has no value in table1.tsv")
        return Quantity(float(value), float(value), float(value), (f"{self.dataset} {self.column} {_number(value)}",))


class PrintedText(Claim):
    """A cell of Table 2 without a number: "not applicable" (no rejection), "NA" (all are rejected) or "not run"."""

    task: Name
    method: Name
    metric: Literal["raw", "rej", "eff"]
    printed: Literal["not applicable", "NA", "not run"]

    def statement(self) -> tuple[str, str, str]:
        """See `Claim`."""
        return self.printed, "none", "There is no number."

    def outcome(self, tables: Tables) -> Outcome:
        """See `Claim`."""
        if self.printed == "not run":
            return Outcome(f"{NOT_TESTED}: the paper has no value")
        keys = {"task": self.task, "method": self.method, "metric": self.metric}
        try:
            score = _rows(tables, "metrics_by_method", **keys).iloc[0]
        except NotTested as reason:
            return Outcome(f"{NOT_TESTED}: {reason}")
        if score["status"] not in ("ok", "not applicable"):
            return Outcome(f"{NOT_TESTED}: {self.method} on {self.task}: {score['status']}")
        ours = score["status"]
        if ours == "ok":
            ours = "NA" if np.isnan(score["value"]) else _number(score["value"])
        text = f"{self.method} {self.metric} on {self.task} {ours}"
        return Outcome(REPRODUCED if ours == self.printed else NOT_REPRODUCED, ours, "-", (text,))


class Allowed(Parameters):
    """How far a cell of a printed table may be from ours."""

    tolerance: float = Field(ge=0)
    why: str


KINDS = (
    Metric | Difference | Ratio | Ranking | Runtime | Rejected | Comparison | Marker | Assignment | Distance | Untested
)
ENTRY = TypeAdapter(Annotated[KINDS, Field(discriminator="kind")])
PRINTED = TypeAdapter(dict[str, Allowed])


def read(path: str | Path, published: pd.DataFrame) -> list[Claim]:
    """Read all statements: the sentences of `claims.yaml`, then one for each printed value of Tables 1 and 2.

    Parameters
    ----------
    path
        `claims.yaml`: a list `sentences`, and `printed` with the tolerance of each metric of the printed tables.
    published
        See `tables.read_published`.

    Raises
    ------
    InputError
        With a line for every fault, naming the entry's id.
    """
    content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    claims, faults = [], []
    for entry in content["sentences"]:
        try:
            claims.append(ENTRY.validate_python(entry))
        except ValidationError as error:
            for fault in error.errors():
                key = ".".join(str(part) for part in fault["loc"] if part != entry.get("kind"))
                faults.append(f"{path}: {entry.get('id', entry)}: {key}: {fault['msg']}".replace("\n", " "))
    printed = PRINTED.validate_python(content["printed"])
    claims += [_printed(row, printed[row["metric"]]) for row in published.to_dict("records")]
    ids = [claim.id for claim in claims]
    faults += [f"{path}: {name}: two entries have this id" for name in sorted({i for i in ids if ids.count(i) > 1})]
    if faults:
        raise InputError("\n".join(faults))
    return claims


def _printed(row: dict, allowed: Allowed) -> Claim:
    """The statement that one printed value makes."""
    name, metric, where = row["paper_name"], row["metric"], f"Table {row['table']}"
    expected = None if np.isnan(row["value"]) else Expected(value=row["value"], **allowed.model_dump())
    if row["table"] == 1:
        column = "knn_as_published" if metric == "knn" else metric
        text = {"id": f"table1_{row['name']}_{metric}", "sentence": f"{name}: {metric}", "where": where}
        return DatasetSize(**text, expected=expected, dataset=name, column=column)
    method = METHODS[row["method"]] + ("_seurat" if row["input"] == "seurat" else "")
    title = f"{row['method']} (integrated)" if row["input"] == "seurat" else row["method"]
    text = {
        "id": f"table2_{row['name']}_{method}_{metric}",
        "sentence": f"{name}, {title}: {metric}",
        "where": where,
    }
    if expected is None:
        return PrintedText(**text, task=row["name"], method=method, metric=metric, printed=row["printed"])
    return Metric(**text, expected=expected, metric=metric, methods=[method], tasks=[row["name"]])


def check(claims: Iterable[Claim], tables: Tables) -> pd.DataFrame:
    """Compare each statement with the tables of a run.

    Parameters
    ----------
    claims
        See `read`.
    tables
        Those of `TABLES` that the run has, by name. In `paired_tests`, `difference` is JIND+ minus `method`.

    Returns
    -------
    One row of text for each statement, in `COLUMNS`; claim is its id, ours the number that decided.
    """
    rows = []
    for claim in claims:
        paper, tolerance, why = claim.statement()
        outcome = claim.outcome(tables)
        rows.append(
            {
                "claim": claim.id,
                "sentence": claim.sentence,
                "where": claim.where,
                "paper": paper,
                "ours": outcome.ours,
                "interval": outcome.interval,
                "verdict": outcome.verdict,
                "rests_on": "; ".join(outcome.rests_on) or "-",
                "tolerance": tolerance,
                "why": why,
                "note": claim.note,
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)


NOTE = (
    "A verdict is computed from the run's tables. reproduced: ours is within the tolerance of the paper's value or "
    "range, and all of our interval keeps to a bound; within noise: farther off, but our interval holds the paper's "
    "value, or ours keeps to a bound that our interval crosses; not reproduced: neither; not tested: why. Interval: "
    "bootstrap 95 % over cells, widened to two standard deviations over seeds; of differences, ratios and means from "
    "their terms at their extremes, or from the paired test. Of several tasks or methods the worst decides, and is "
    "shown as ours"
)


def summary(table: pd.DataFrame) -> str:
    """How many statements got each verdict, in a sentence."""
    counts = table["verdict"].str.partition(":")[0].value_counts()
    return f"{len(table)} claims: " + ", ".join(f"{counts.get(name, 0)} {name}" for name in VERDICTS) + "."


def markdown(table: pd.DataFrame) -> str:
    """The result of `check` as Markdown; the verdict in bold."""
    rows = [[_bold(render.markdown_escape(row[c]), c, "**{}**") for c in table] for row in table.to_dict("records")]
    return f"{summary(table)}\n\n{render.markdown_from_cells(_head(table), rows)}\n{NOTE}.\n"


def html(table: pd.DataFrame, title: str) -> str:
    """The result of `check` as an HTML page; the verdict in bold."""
    rows = [[_bold(html_text.escape(row[c]), c, "<b>{}</b>") for c in table] for row in table.to_dict("records")]
    body = [summary(table), render.html_from_cells(_head(table), rows), f"{NOTE}."]
    return render.page(title, f"<p>{body[0]}</p>\n{body[1]}\n<p>{html_text.escape(body[2])}</p>")


def _head(table: pd.DataFrame) -> list[str]:
    return [column.replace("_", " ") for column in table]


def _bold(cell: str, column: str, pattern: str) -> str:
    return pattern.format(cell) if column == "verdict" else cell


def _number(value: float) -> str:
    """Three decimals at most, none from 100 on."""
    value = round(value, 3) + 0.0  # no minus before a zero
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3f}".rstrip("0").rstrip(".")


def _seeds(number: float) -> str:
    return f"{number:.0f} seed{'' if number == 1 else 's'}"


def _interval(low: float, high: float) -> str:
    return "-" if low == high else f"[{_number(low)}, {_number(high)}]"

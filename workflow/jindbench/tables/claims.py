"""The paper's sentences, each compared with what a run gave.

The sentences are data: `workflow/resources/claims.yaml`. They hold for the paper's own tasks, by their names in
`config/config.yaml`. How verdicts are reached is said in `verdicts`, how our intervals are made in `evidence`. The
numbers that the paper prints in Tables 1 and 2 have their verdicts in `table1` and `table2_extended`.

Kinds of sentence in `claims.yaml`
----------------------------------
metric             raw, rej or eff of methods on tasks
difference         that of one method minus that of another on the same task
ratio              that of one method over that of another, both as means over tasks
ranking            a method (or the better of several) has a higher metric than each of its rivals
runtime            seconds of one set of stages over seconds of another, on one task
rejected           cells that a method rejects, and how many of these its raw label misclassifies
controlled         the share of cells that a method rejects over theta, for each theta that the run computed
correlation        rank correlation over datasets of Table 1's kNN score with a metric of a method
labelled           cells of a type with a label, "unassigned" being one, as a number or a share
most_confused      such cells against those of the pair of type and wrong label that has most besides
significant_genes  genes that differ between the right and the misclassified cells of a type
control            such genes between random groups of the same sizes, where none is expected
marker             a gene that is higher in the right, or in the misclassified cells
expression         the share of genes with a lower mean expression than one of them
mapping            which source type a cluster of the target is mapped to (Figure 5)
distance           how much farther from a source type one cluster of the target is than another (Figure 5), by the
                   Euclidean or by the mean squared distance
untested           what no table of a run can tell, with the reason

A sentence about several tasks or methods gets the worst of their verdicts, where "not tested" is worse than "within
noise", and "not reproduced" the worst: one exception refutes "in all cases", whatever else was not run.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable
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
from jindbench.tables import evidence, verdicts
from jindbench.tables.evidence import Tables, interval, number
from jindbench.tables.verdicts import NOT_REPRODUCED, NOT_TESTED, REPRODUCED, WITHIN_NOISE, NotTested, Quantity

# Of the table of verdicts.
COLUMNS = ("claim", "sentence", "where", "paper", "ours", "interval", "verdict", "rests_on", "tolerance", "why", "note")

NOTE = (
    f"{verdicts.NOTE} That of a difference, ratio or mean comes from its terms at their extremes, or from the paired "
    "test. Of several tasks or methods the worst decides, and is shown as ours."
)


@dataclass(frozen=True)
class Finding:
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
        return verdicts.VERDICTS.index(self.verdict.partition(":")[0])


def tested(finding: Callable[[], Finding]) -> Finding:
    """The finding, or that the run lacks what it needs."""
    try:
        return finding()
    except NotTested as reason:
        return Finding(f"{NOT_TESTED}: {reason}")


def decisive(findings: Iterable[Finding], needed: int | None = None) -> Finding:
    """The finding that decides, with what all of them rest on.

    It is the worst, or the worst of the `needed` best where the paper says "most" or "some". Of equal verdicts, the one
    with the smallest margin.
    """
    findings = list(findings)
    ranked = sorted(findings, key=lambda finding: (finding.severity, -finding.margin))
    rests_on = dict.fromkeys(text for finding in findings for text in finding.rests_on)
    return replace(ranked[(needed or len(ranked)) - 1], rests_on=tuple(rests_on))


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
        """Lowest and highest number that the sentence allows, without the tolerance."""
        if self.between is not None:
            return self.between[0], self.between[1]
        if self.value is not None:
            return self.value, self.value
        return (-np.inf, self.at_most) if self.at_most is not None else (self.at_least, np.inf)

    def text(self) -> str:
        """The limits in words."""
        low, high = self.limits()
        if low == high:
            return number(low)
        if np.isinf(low):
            return f"at most {number(high)}"
        return f"at least {number(low)}" if np.isinf(high) else f"{number(low)} to {number(high)}"

    def compare(self, ours: Quantity) -> Finding:
        """Compare a number of ours with what the paper says."""
        low, high = self.limits()
        return Finding(
            verdicts.verdict(ours, low, high, self.tolerance),
            number(ours.value),
            interval(ours.low, ours.high),
            ours.rests_on,
            margin=min(ours.value - low, high - ours.value),
        )


# Kinds of sentence.


class Claim(Parameters):
    """A sentence of the paper."""

    id: Name
    sentence: str = Field(description="The paper's words, or a paraphrase of them.")
    where: str = Field(description="Section, table or figure.")
    note: str = Field("", description="Where the paper contradicts itself, or is vague.")

    @abstractmethod
    def statement(self) -> tuple[str, str, str]:
        """What the paper says, the tolerance and why, as text."""

    @abstractmethod
    def finding(self, tables: Tables) -> Finding:
        """Compare with the tables of a run; raises NotTested."""


class Numeric(Claim):
    """A sentence about numbers."""

    expected: Expected

    def statement(self) -> tuple[str, str, str]:
        """See `Claim`."""
        return self.expected.text(), number(self.expected.tolerance), self.expected.why

    def decide(self, quantities: Iterable[Callable[[], Quantity]], needed: int | None = None) -> Finding:
        """Compare each number, computed here, with what the paper says; see `decisive`."""
        findings = [tested(lambda quantity=quantity: self.expected.compare(quantity())) for quantity in quantities]
        return decisive(findings, needed)


class Metric(Numeric):
    """raw, rej or eff of each method, or that minus a counterpart's, on each task or as the mean over tasks.

    The counterpart is the method at the same place in `minus`, or the only one there.
    """

    kind: Literal["metric", "difference"]
    metric: Literal["raw", "rej", "eff"]
    methods: list[Name] = Field(min_length=1)
    minus: list[Name] = Field(default=[], description="difference: the methods, or the one, to subtract.")
    tasks: list[Name] = Field(min_length=1)
    average: bool = False
    needed: int | None = Field(None, ge=1, description="How many must keep to it; null: all.")

    @model_validator(mode="after")
    def _counterparts(self):
        allowed = (0,) if self.kind == "metric" else (1, len(self.methods))
        if len(self.minus) not in allowed:
            raise ValueError(f"minus: expected {allowed[-1]} methods, got {len(self.minus)}")
        return self

    def finding(self, tables: Tables) -> Finding:
        """See `Claim`."""

        def quantity(task: str, method: str, other: str | None) -> Quantity:
            if other is None:
                return evidence.score(tables, task, method, self.metric)
            return evidence.difference(tables, task, method, other, self.metric)

        minus = self.minus if len(self.minus) == len(self.methods) else (self.minus or [None]) * len(self.methods)
        pairs = list(zip(self.methods, minus, strict=True))
        if self.average:
            means = (lambda pair=pair: evidence.mean([quantity(task, *pair) for task in self.tasks]) for pair in pairs)
            return self.decide(means, self.needed)
        each = (lambda task=task, pair=pair: quantity(task, *pair) for task in self.tasks for pair in pairs)
        return self.decide(each, self.needed)


class Ratio(Numeric):
    """A metric of one method over that of another, both as means over the tasks."""

    kind: Literal["ratio"]
    metric: Literal["raw", "rej", "eff"]
    method: Name
    over: Name
    tasks: list[Name] = Field(min_length=1)

    def finding(self, tables: Tables) -> Finding:
        """See `Claim`."""

        def mean(method: str) -> Quantity:
            return evidence.mean([evidence.score(tables, task, method, self.metric) for task in self.tasks])

        return self.expected.compare(evidence.ratio(mean(self.method), mean(self.over)))


class Ranking(Numeric):
    """On each task, the better of `methods` has a higher metric than each of its rivals."""

    kind: Literal["ranking"]
    metric: Literal["raw", "rej", "eff"]
    methods: list[Name] = Field(min_length=1)
    rivals: list[Name] = Field(min_length=1)
    rivals_on: dict[Name, list[Name]] = Field({}, description="For a task: rivals that are not on all.")
    tasks: list[Name] = Field(min_length=1)
    needed: int | None = Field(None, ge=1, description="On how many tasks it must; null: on all.")
    expected: Expected = Expected(at_least=0, why="A ranking is a difference above zero; no tolerance.")

    def finding(self, tables: Tables) -> Finding:
        """See `Claim`."""

        def beats(task: str, rival: str) -> Quantity:
            differences = [evidence.difference(tables, task, method, rival, self.metric) for method in self.methods]
            return max(differences, key=lambda difference: difference.value)

        on_tasks = [
            self.decide(
                lambda task=task, rival=rival: beats(task, rival)
                for rival in [*self.rivals, *self.rivals_on.get(task, [])]
            )
            for task in self.tasks
        ]
        return decisive(on_tasks, self.needed)


class Runtime(Numeric):
    """Seconds of `stages` together over seconds of `over` together."""

    kind: Literal["runtime"]
    task: Name
    stages: list[str] = Field(min_length=1)
    over: list[str] = Field(min_length=1)

    def finding(self, tables: Tables) -> Finding:
        """See `Claim`."""
        seconds = [evidence.seconds(tables, self.task, stages) for stages in (self.stages, self.over)]
        return self.expected.compare(evidence.ratio(*seconds))


class Rejected(Numeric):
    """Rejected cells, those of them that are misclassified, or the share of these."""

    kind: Literal["rejected"]
    method: Name
    tasks: list[Name] = Field(min_length=1)
    what: Literal["cells", "misclassified", "share"]

    def finding(self, tables: Tables) -> Finding:
        """See `Claim`."""
        return self.decide(lambda task=task: self._quantity(tables, task) for task in self.tasks)

    def _quantity(self, tables: Tables, task: str) -> Quantity:
        rejected, wrong = evidence.rejected(tables, task, self.method)
        if self.what == "cells":
            return rejected
        if self.what == "misclassified":
            return wrong
        if rejected.value == 0:
            raise NotTested(f"{self.method} rejects no cell on {task}")
        # Of a given number of rejected cells: both counts at their extremes would allow shares above one.
        low, high = (min(bound / rejected.value, 1) for bound in (wrong.low, wrong.high))
        return Quantity(wrong.value / rejected.value, low, high, rejected.rests_on + wrong.rests_on)


class Controlled(Numeric):
    """Share of cells that a method rejects over the outlier fraction theta, for each theta that the run computed."""

    kind: Literal["controlled"]
    methods: list[Name] = Field(min_length=1)
    tasks: list[Name] = Field(min_length=1)

    def finding(self, tables: Tables) -> Finding:
        """See `Claim`."""
        findings = []
        for task in self.tasks:
            for method in self.methods:
                findings.append(tested(lambda task=task, method=method: self._on_task(tables, task, method)))
        return decisive(findings)

    def _on_task(self, tables: Tables, task: str, method: str) -> Finding:
        rates = evidence.rejected_by_theta(tables, task, method)
        return self.decide(
            lambda theta=theta, rate=rate: evidence.ratio(rate, Quantity(theta, theta, theta))
            for theta, rate in rates.items()
        )


class Correlation(Numeric):
    """Spearman's rank correlation over datasets of the kNN score with a metric of a method, a mean over their tasks."""

    kind: Literal["correlation"]
    metric: Literal["raw", "rej", "eff"]
    method: Name
    datasets: dict[str, list[Name]] = Field(min_length=3, description="For a dataset of Table 1: its tasks.")

    def finding(self, tables: Tables) -> Finding:
        """See `Claim`."""
        knn, means = [], []
        for name, tasks in self.datasets.items():
            value = evidence.rows_of(tables, "table1", dataset=name)["knn_as_published"].iloc[0]
            if np.isnan(value):
                raise NotTested(f"{name} has no kNN score (table1.tsv)")
            knn.append(Quantity(value, value, value, (f"kNN of {name} {number(value)}",)))
            means.append(evidence.mean([evidence.score(tables, task, self.method, self.metric) for task in tasks]))
        rho = pd.Series([item.value for item in knn]).corr(pd.Series([item.value for item in means]), method="spearman")
        if np.isnan(rho):
            raise NotTested("all datasets have the same score")
        return self.expected.compare(Quantity(rho, rho, rho, tuple(t for item in knn + means for t in item.rests_on)))


class Labels(Parameters):
    """The target's cells of a type that got a label."""

    task: Name
    type: str
    label: str


class Labelled(Numeric):
    """How many cells of a type got a label, or which share of the type; summed over `cells`."""

    kind: Literal["labelled"]
    method: Name
    cells: list[Labels] = Field(min_length=1)
    share: bool = Field(False, description="Of all cells of these types, the rejected among them.")

    def finding(self, tables: Tables) -> Finding:
        """See `Claim`."""
        found = [evidence.labelled(tables, part.task, self.method, part.type, part.label) for part in self.cells]
        n_cells = sum(of_type for _, of_type in found) if self.share else 1
        value, low, high = np.sum([[cells.value, cells.low, cells.high] for cells, _ in found], axis=0) / n_cells
        texts = tuple(f"{cells.rests_on[0]}, of {of_type}" for cells, of_type in found)
        return self.expected.compare(
            Quantity(float(value), float(low), float(min(high, 1) if self.share else high), texts)
        )


class MostConfused(Numeric):
    """More cells of a type got a wrong label than of any other type got any other; or a larger share of the type."""

    kind: Literal["most_confused"]
    method: Name
    task: Name
    type: str
    label: str
    share: bool = False
    expected: Expected = Expected(at_least=0, why="The most is a difference above zero; no tolerance.")

    def finding(self, tables: Tables) -> Finding:
        """See `Claim`."""
        pairs = {
            (name, label): (cells.value / n, cells.low / n, cells.high / n, cells.rests_on)
            for name, label in {*evidence.confused(tables, self.task, self.method), (self.type, self.label)}
            for cells, of_type in [evidence.labelled(tables, self.task, self.method, name, label)]
            for n in [of_type if self.share else 1]
        }
        named = pairs.pop((self.type, self.label))
        if not pairs:
            raise NotTested(f"{self.method} confuses no other types on {self.task}")
        most = pairs[max(sorted(pairs), key=lambda pair: pairs[pair][0])]
        return self.expected.compare(
            Quantity(named[0] - most[0], named[1] - most[2], named[2] - most[1], named[3] + most[3])
        )


class Comparison(Numeric):
    """Cells of type_a with the right label against those labelled type_b."""

    task: Name
    type_a: str
    type_b: str

    def compared(self, tables: Tables) -> tuple[pd.Series, str]:
        """The row of the comparison, and its groups in words."""
        keys = {"task": self.task, "type_a": self.type_a, "type_b": self.type_b}
        row = evidence.ok_rows(tables, "differential_expression", **keys).iloc[0]
        sizes = f"{row['n_first']:.0f} {self.type_a} cells against {row['n_second']:.0f}"
        return row, f"{sizes} labelled {self.type_b}, {row['model']}"


class SignificantGenes(Comparison):
    """Genes that differ between the two groups."""

    kind: Literal["significant_genes"]
    adjusted_p: float = Field(gt=0, lt=1)

    def finding(self, tables: Tables) -> Finding:
        """See `Claim`."""
        _, groups = self.compared(tables)
        genes = evidence.rows_of(tables, "differential_expression_genes", task=self.task)
        n = float((genes["adjusted_p"] < self.adjusted_p).sum())
        return self.expected.compare(Quantity(n, n, n, (f"{groups}: {n:.0f} genes, p < {self.adjusted_p:g}",)))


class Control(Comparison):
    """Genes that differ between random groups of the same sizes."""

    kind: Literal["control"]

    def finding(self, tables: Tables) -> Finding:
        """See `Claim`."""
        row, groups = self.compared(tables)
        median, most = float(row["control_median"]), float(row["control_max"])
        text = f"{groups}: median {number(median)}, most {number(most)} genes in {row['draws']:.0f} random draws"
        return self.expected.compare(Quantity(median, median, most, (text,)))


class Expression(Numeric):
    """Share of the genes compared whose mean expression, over the cells of both groups, is below that of one."""

    kind: Literal["expression"]
    task: Name
    gene: str

    def finding(self, tables: Tables) -> Finding:
        """See `Claim`."""
        genes = evidence.rows_of(tables, "differential_expression_genes", task=self.task)
        mean = evidence.rows_of(tables, "differential_expression_genes", task=self.task, gene=self.gene).iloc[0]
        share = float((genes["mean_expression"] < mean["mean_expression"]).mean())
        text = f"{self.gene} mean expression {number(mean['mean_expression'])} on {self.task}, of {len(genes)} genes"
        return self.expected.compare(Quantity(share, share, share, (text,)))


class Distance(Numeric):
    """Figure 5: distance from a source type to one cluster of the target over that to another."""

    kind: Literal["distance"]
    task: Name
    measure: Literal["distance", "mean_squared_distance"] = Field(
        description="Euclidean, or the mean over the code's dimensions of the squared difference."
    )
    source_type: str
    cluster: str
    over: str

    def finding(self, tables: Tables) -> Finding:
        """See `Claim`."""
        distances = [self._distance(tables, cluster) for cluster in (self.cluster, self.over)]
        return self.expected.compare(evidence.ratio(*distances))

    def _distance(self, tables: Tables, cluster: str) -> Quantity:
        row = evidence.cluster(tables, self.task, cluster)
        if (column := f"{self.measure}_{self.source_type}") not in row:
            raise NotTested(f"novel_types.tsv has no column {column}")
        distance = float(row[column])
        text = f"{self.measure} of source {self.source_type} and the cluster of {cluster}: {number(distance)}"
        return Quantity(distance, distance, distance, (text,))


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

    def finding(self, tables: Tables) -> Finding:
        """See `Claim`; what is not significant leaves the direction open, and is within noise."""
        row = evidence.rows_of(tables, "differential_expression_genes", task=self.task, gene=self.gene).iloc[0]
        change, p_value = row["log_fold_change"], row["adjusted_p"]
        if np.isnan(p_value):
            raise NotTested(f"{self.gene} has no p-value on {self.task}")
        directed = {"first": change > 0, "second": change < 0, "either": True}[self.higher_in]
        if p_value < self.adjusted_p:
            result = REPRODUCED if directed else NOT_REPRODUCED
        else:
            result = NOT_REPRODUCED if self.higher_in == "either" else WITHIN_NOISE
        text = f"{self.gene} log fold change {change:+.3f}, adjusted p {p_value:.2g} (right minus misclassified)"
        return Finding(result, f"{change:+.3f}", rests_on=(text,))


class Mapping(Claim):
    """Figure 5: the source type that the target's cluster of each true type is assigned to."""

    kind: Literal["mapping"]
    task: Name
    clusters: dict[str, str] = Field(min_length=1, description="True type of the cluster: the type it is mapped to.")
    why: str

    def statement(self) -> tuple[str, str, str]:
        """See `Claim`."""
        return ", ".join(f"{true} to {mapped}" for true, mapped in self.clusters.items()), "none", self.why

    def finding(self, tables: Tables) -> Finding:
        """See `Claim`."""
        found = {true: evidence.cluster(tables, self.task, true) for true in self.clusters}
        assigned = {true: row["assigned_source_type"] for true, row in found.items()}
        ours = {true: "none" if pd.isna(name) else name for true, name in assigned.items()}
        rests_on = tuple(
            f"cluster of {true} ({found[true]['n_cells']:.0f} cells): assigned_source_type {ours[true]}"
            for true in ours
        )
        result = REPRODUCED if ours == self.clusters else NOT_REPRODUCED
        return Finding(result, ", ".join(f"{true} to {mapped}" for true, mapped in ours.items()), rests_on=rests_on)


class Untested(Claim):
    """A sentence that no table of a run can tell."""

    kind: Literal["untested"]
    paper: str
    reason: str

    def statement(self) -> tuple[str, str, str]:
        """See `Claim`."""
        return self.paper, "-", ""

    def finding(self, tables: Tables) -> Finding:
        """See `Claim`."""
        raise NotTested(self.reason)


KINDS = Metric | Ratio | Ranking | Runtime | Rejected | Controlled | Correlation | Labelled | MostConfused
KINDS |= SignificantGenes | Control | Marker | Expression | Mapping | Distance | Untested
ENTRY = TypeAdapter(Annotated[KINDS, Field(discriminator="kind")])


def read(path: str | Path) -> list[Claim]:
    """Read all sentences of `claims.yaml`.

    Raises
    ------
    InputError
        With a line for every fault, naming the entry's id.
    """
    claims, faults = [], []
    for entry in yaml.safe_load(Path(path).read_text(encoding="utf-8")):
        try:
            claims.append(ENTRY.validate_python(entry))
        except ValidationError as error:
            for fault in error.errors():
                key = ".".join(str(part) for part in fault["loc"] if part != entry.get("kind"))
                faults.append(f"{path}: {entry.get('id', entry)}: {key}: {fault['msg']}".replace("\n", " "))
    ids = [claim.id for claim in claims]
    faults += [f"{path}: {name}: two entries have this id" for name in sorted({i for i in ids if ids.count(i) > 1})]
    if faults:
        raise InputError("\n".join(faults))
    return claims


def check(claims: Iterable[Claim], tables: Tables) -> pd.DataFrame:
    """Compare each sentence with the tables of a run.

    Parameters
    ----------
    claims
        See `read`.
    tables
        Those of `evidence.TABLES` that the run has, by name. In `paired_tests`, `difference` is JIND+ minus `method`.

    Returns
    -------
    One row of text for each sentence, in `COLUMNS`; claim is its id, ours the number that decided.
    """
    rows = []
    for claim in claims:
        paper, tolerance, why = claim.statement()
        finding = tested(lambda claim=claim: claim.finding(tables))
        ours = (finding.ours, finding.interval, finding.verdict, "; ".join(finding.rests_on) or "-")
        rows.append((claim.id, claim.sentence, claim.where, paper, *ours, tolerance, why, claim.note))
    return pd.DataFrame(rows, columns=COLUMNS)


def summary(table: pd.DataFrame) -> str:
    """How many sentences got each verdict."""
    return f"{len(table)} claims: {verdicts.count(table['verdict'])}."


def shown(table: pd.DataFrame) -> render.Table:
    """The result of `check` for readers; the verdict in bold."""
    return render.Table.of(table, bold="verdict", notes=[NOTE], lead=summary(table))

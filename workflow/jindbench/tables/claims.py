"""The paper's sentences, each compared with what a run gave.

The sentences are data: `workflow/resources/claims.yaml`. They hold for the paper's own tasks, by their names in
`config/config.yaml`. The kind of an entry is a function of this module (`KINDS`) that says what is compared; its
arguments are the entry's own keys. How verdicts are reached is said in `verdicts`, how our intervals are made in
`evidence`. The numbers that the paper prints in Tables 1 and 2 have their verdicts in `table1` and `table2_extended`.

A sentence about several tasks or methods gets the worst of their verdicts, where "not tested" is worse than "within
noise", and "not reproduced" the worst: one exception refutes "in all cases", whatever else was not run.
"""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import yaml
from pydantic import Field, ValidationError, model_validator

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


def decisive(findings: Iterable[Finding], needed: int | None = None) -> Finding:
    """The finding that decides, with what all of them rest on.

    It is the worst, or the worst of the `needed` best where the paper says "most" or "some". Of equal verdicts, the one
    with the smallest margin.
    """
    findings = list(findings)
    ranked = sorted(findings, key=lambda found: (verdicts.VERDICTS.index(found.verdict.split(":")[0]), -found.margin))
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

    def compare(self, ours: Quantity | NotTested) -> Finding:
        """Compare a number of ours with what the paper says."""
        if isinstance(ours, NotTested):
            return _not_tested(ours)
        low, high = self.limits()
        verdict, margin = verdicts.verdict(ours, low, high, self.tolerance), min(ours.value - low, high - ours.value)
        return Finding(verdict, number(ours.value), interval(ours.low, ours.high), ours.rests_on, margin)


class Claim(Parameters, extra="allow"):
    """A sentence of the paper. The keys of its kind stand beside these."""

    id: Name
    sentence: str = Field(description="The paper's words, or a paraphrase of them.")
    where: str = Field(description="Section, table or figure.")
    note: str = Field("", description="Where the paper contradicts itself, or is vague.")
    kind: str = Field(description="A key of `KINDS`.")
    expected: Expected | None = Field(None, description="Of the kinds that give numbers.")
    needed: int | None = Field(None, ge=1, description="How many tasks or methods must keep to it; null: all.")
    why: str = Field("", description="How a marker or a mapping was read.")

    @model_validator(mode="after")
    def _keys_of_the_kind(self):
        if self.kind not in KINDS:
            raise ValueError(f"kind: expected one of {', '.join(KINDS)}, got {self.kind!r}")
        try:
            inspect.signature(KINDS[self.kind]).bind(None, **self.model_extra)
        except TypeError as error:
            raise ValueError(str(error)) from error
        if self.expected is None and KINDS[self.kind] in NUMBERS:
            raise ValueError("expected: this key is required")
        return self

    def statement(self) -> tuple[str, str, str]:
        """What the paper says, the tolerance and why, as text."""
        keys = self.model_extra
        if self.kind == "marker":
            return f"{keys['gene']} {DIRECTIONS[keys['higher_in']]}", f"adjusted p < {keys['adjusted_p']:g}", self.why
        if self.kind == "mapping":
            return _mapped(keys["clusters"]), "none", self.why
        if self.kind == "untested":
            return keys["paper"], "-", ""
        return self.expected.text(), number(self.expected.tolerance), self.expected.why

    def finding(self, tables: Tables) -> Finding:
        """Compare with the tables of a run."""
        try:
            found = KINDS[self.kind](tables, **self.model_extra)
        except NotTested as reason:
            return _not_tested(reason)
        if isinstance(found, Finding):
            return found
        groups = [
            group if isinstance(group, list) else [group] for group in (found if isinstance(found, list) else [found])
        ]
        return decisive([decisive(map(self.expected.compare, group)) for group in groups], self.needed)


def _not_tested(reason: NotTested) -> Finding:
    return Finding(f"{NOT_TESTED}: {reason}")


def attempt(function: Callable, *arguments: object) -> object:
    """What a function returns, or that the run lacks what it needs."""
    try:
        return function(*arguments)
    except NotTested as reason:
        return reason


# Kinds of sentence. Each gives a number, or numbers that must all keep to what is expected (in groups where "most" or
# "some" are counted by group), or a finding.
Number = Quantity | NotTested


def metric(
    tables: Tables, metric: str, methods: list, tasks: list, minus: list = (None,), average: bool = False
) -> list[Number]:
    """raw, rej or eff of each method, or that minus a counterpart's, on each task or as the mean over tasks.

    The counterpart is the method at the same place in `minus`, or the only one there.
    """
    pairs = list(zip(methods, [*minus] * (len(methods) if len(minus) == 1 else 1), strict=True))
    if average:
        return [attempt(evidence.mean, tables, tasks, *pair, metric) for pair in pairs]
    return [attempt(evidence.difference, tables, task, *pair, metric) for task in tasks for pair in pairs]


def ratio(tables: Tables, metric: str, method: str, over: str, tasks: list) -> Quantity:
    """A metric of one method over that of another, both as means over the tasks."""
    return evidence.mean(tables, tasks, method, None, metric) / evidence.mean(tables, tasks, over, None, metric)


def ranking(
    tables: Tables, metric: str, methods: list, rivals: list, tasks: list, rivals_on: dict | None = None
) -> list[list[Number]]:
    """On each task, the better of `methods` has a higher metric than each of its rivals.

    `rivals_on` has for a task the rivals that are not on all.
    """

    def lead(task: str, rival: str) -> Quantity:
        leads = [evidence.difference(tables, task, method, rival, metric) for method in methods]
        return max(leads, key=lambda difference: difference.value)

    return [[attempt(lead, task, rival) for rival in [*rivals, *(rivals_on or {}).get(task, [])]] for task in tasks]


def runtime(tables: Tables, task: str, stages: list, over: list) -> Quantity:
    """Seconds of `stages` together over seconds of `over` together."""
    return evidence.seconds(tables, task, stages) / evidence.seconds(tables, task, over)


def rejected(tables: Tables, method: str, tasks: list, what: str) -> list[Number]:
    """Rejected `cells`, those of them whose raw label is wrong (`misclassified`), or the `share` of these."""
    return [attempt(evidence.rejected, tables, task, method, what) for task in tasks]


def controlled(tables: Tables, methods: list, tasks: list) -> list[Number | list[Quantity]]:
    """Share of cells that a method rejects over the outlier fraction theta, for each theta that the run computed."""
    return [attempt(evidence.rejected_over_theta, tables, task, method) for task in tasks for method in methods]


def correlation(tables: Tables, metric: str, method: str, datasets: dict[str, list]) -> Quantity:
    """Spearman's rank correlation over datasets of Table 1 of the kNN score with a metric, a mean over their tasks."""
    pairs = []
    for name, tasks in datasets.items():
        value = evidence.rows_of(tables, "table1", dataset=name)["knn_as_published"].iloc[0]
        if np.isnan(value):
            raise NotTested(f"{name} has no kNN score (table1.tsv)")
        knn = Quantity.exact(value, f"kNN of {name} {number(value)}")
        pairs.append((knn, evidence.mean(tables, tasks, method, None, metric)))
    rho = pd.DataFrame([(knn.value, mean.value) for knn, mean in pairs]).corr(method="spearman").iloc[0, 1]
    if np.isnan(rho):
        raise NotTested("all datasets have the same score")
    return Quantity.exact(rho, *(text for side in zip(*pairs, strict=True) for item in side for text in item.rests_on))


def labelled(tables: Tables, method: str, cells: list[dict[str, str]], share: bool = False) -> Quantity:
    """How many cells of a type got a label, or their share of all cells of these types; summed over `cells`."""
    found = [evidence.labelled(tables, part["task"], method, part["type"], part["label"]) for part in cells]
    n_cells = sum(of_type for _, of_type in found) if share else 1
    value, low, high = np.sum([[part.value, part.low, part.high] for part, _ in found], axis=0) / n_cells
    texts = tuple(f"{part.rests_on[0]}, of {of_type}" for part, of_type in found)
    return Quantity(value, low, min(high, 1) if share else high, texts)


def most_confused(tables: Tables, method: str, task: str, type: str, label: str, share: bool = False) -> Quantity:
    """How many more cells of a type got a wrong label than of any other type any other; or a larger share of it."""
    pairs = {}
    for pair in {*evidence.confused(tables, task, method), (type, label)}:
        cells, of_type = evidence.labelled(tables, task, method, *pair)
        pairs[pair] = cells / Quantity.exact(of_type if share else 1)
    named = pairs.pop((type, label))
    if not pairs:
        raise NotTested(f"{method} confuses no other types on {task}")
    return named - pairs[max(sorted(pairs), key=lambda pair: pairs[pair].value)]


def significant_genes(tables: Tables, task: str, type_a: str, type_b: str, adjusted_p: float) -> Quantity:
    """Genes that differ between cells of type_a with the right label and those labelled type_b."""
    _, groups = evidence.compared(tables, task, type_a, type_b)
    genes = evidence.rows_of(tables, "differential_expression_genes", task=task)
    n = float((genes["adjusted_p"] < adjusted_p).sum())
    return Quantity.exact(n, f"{groups}: {n:.0f} genes, p < {adjusted_p:g}")


def control(tables: Tables, task: str, type_a: str, type_b: str) -> Quantity:
    """Genes that differ between random groups of the same sizes, where none is expected."""
    row, groups = evidence.compared(tables, task, type_a, type_b)
    median, most = float(row["control_median"]), float(row["control_max"])
    text = f"{groups}: median {number(median)}, most {number(most)} genes in {row['draws']:.0f} random draws"
    return Quantity(median, median, most, (text,))


def expression(tables: Tables, task: str, gene: str) -> Quantity:
    """Share of the genes compared whose mean expression, over the cells of both groups, is below that of one."""
    means = evidence.rows_of(tables, "differential_expression_genes", task=task)["mean_expression"]
    own = evidence.of_gene(tables, task, gene)["mean_expression"]
    text = f"{gene} mean expression {number(own)} on {task}, of {len(means)} genes"
    return Quantity.exact(float((means < own).mean()), text)


def distance(tables: Tables, task: str, measure: str, source_type: str, cluster: str, over: str) -> Quantity:
    """Figure 5: distance from a source type to one cluster of the target over that to another.

    `measure` is the Euclidean `distance`, or `mean_squared_distance` over the code's dimensions.
    """

    def to(cluster: str) -> Quantity:
        row = evidence.cluster(tables, task, cluster)
        if (column := f"{measure}_{source_type}") not in row:
            raise NotTested(f"novel_types.tsv has no column {column}")
        text = f"{measure} of source {source_type} and the cluster of {cluster}: {number(row[column])}"
        return Quantity.exact(float(row[column]), text)

    return to(cluster) / to(over)


DIRECTIONS = {"first": "higher in the right cells", "second": "higher in the misclassified", "either": "differs"}


def marker(tables: Tables, task: str, gene: str, higher_in: str, adjusted_p: float) -> Finding:
    """A gene that is higher in the right cells (first), in the misclassified (second), or differs in either way.

    What is not significant leaves the direction open, and is within noise.
    """
    row = evidence.of_gene(tables, task, gene)
    change, p_value = row["log_fold_change"], row["adjusted_p"]
    if np.isnan(p_value):
        raise NotTested(f"{gene} has no p-value on {task}")
    directed = {"first": change > 0, "second": change < 0, "either": True}[higher_in]
    if p_value < adjusted_p:
        result = REPRODUCED if directed else NOT_REPRODUCED
    else:
        result = NOT_REPRODUCED if higher_in == "either" else WITHIN_NOISE
    text = f"{gene} log fold change {change:+.3f}, adjusted p {p_value:.2g} (right minus misclassified)"
    return Finding(result, f"{change:+.3f}", rests_on=(text,))


def mapping(tables: Tables, task: str, clusters: dict[str, str]) -> Finding:
    """Figure 5: the source type that the target's cluster of each true type is assigned to."""
    found = {true: evidence.cluster(tables, task, true).fillna({"assigned_source_type": "none"}) for true in clusters}
    ours = {true: row["assigned_source_type"] for true, row in found.items()}
    sizes = {true: f"cluster of {true} ({row['n_cells']:.0f} cells)" for true, row in found.items()}
    rests_on = tuple(f"{sizes[true]}: assigned_source_type {name}" for true, name in ours.items())
    return Finding(REPRODUCED if ours == clusters else NOT_REPRODUCED, _mapped(ours), rests_on=rests_on)


def _mapped(clusters: dict[str, str]) -> str:
    return ", ".join(f"{true} to {name}" for true, name in clusters.items())


def untested(tables: Tables, paper: str, reason: str) -> Finding:
    """A sentence that no table of a run can tell, with the reason."""
    raise NotTested(reason)


NUMBERS = (metric, ratio, ranking, runtime, rejected, controlled, correlation, labelled, most_confused)
NUMBERS += (significant_genes, control, expression, distance)
KINDS = {kind.__name__: kind for kind in (*NUMBERS, marker, mapping, untested)} | {"difference": metric}
ABOVE_ZERO = {  # what is expected where an entry does not say
    "ranking": {"at_least": 0.0, "why": "A ranking is a difference above zero; no tolerance."},
    "most_confused": {"at_least": 0.0, "why": "The most is a difference above zero; no tolerance."},
}


def entry(keys: dict) -> Claim:
    """One entry of `claims.yaml`; raises pydantic's ValidationError."""
    return Claim.model_validate({"expected": ABOVE_ZERO.get(keys.get("kind"))} | keys)


def read(path: str | Path) -> list[Claim]:
    """Read all sentences of `claims.yaml`.

    Raises
    ------
    InputError
        With a line for every fault, naming the entry's id.
    """
    claims, faults = [], []
    for keys in yaml.safe_load(Path(path).read_text(encoding="utf-8")):
        try:
            claims.append(entry(keys))
        except ValidationError as error:
            for fault in error.errors():
                key = ".".join(map(str, fault["loc"])) or "its keys"
                faults.append(f"{path}: {keys.get('id', keys)}: {key}: {fault['msg']}".replace("\n", " "))
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
        finding = claim.finding(tables)
        ours = (finding.ours, finding.interval, finding.verdict, "; ".join(finding.rests_on) or "-")
        rows.append((claim.id, claim.sentence, claim.where, paper, *ours, tolerance, why, claim.note))
    return pd.DataFrame(rows, columns=COLUMNS)


def summary(table: pd.DataFrame) -> str:
    """How many sentences got each verdict."""
    return f"{len(table)} claims: {verdicts.count(table['verdict'])}."


def shown(table: pd.DataFrame) -> render.Table:
    """The result of `check` for readers; the verdict in bold."""
    return render.Table.of(table, bold="verdict", notes=[NOTE], lead=summary(table))

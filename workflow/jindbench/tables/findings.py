"""What a run found, task by task, in sentences with their numbers."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from jindbench.names import LABEL, UNASSIGNED
from jindbench.scoring.paired_tests import ALIGNMENT, SIGNIFICANT, SIMPLE

DISTRUSTED = 0.8  # labels of which a smaller share is right are named
AT_MOST = 3  # examples in a sentence

NOTE = (
    "A difference is shown where chance alone hardly makes one so large on these cells (the tests are named under 'How "
    "it was made'). Methods without a shown difference need not be equal: other cells, another split or another seed "
    "may show one. In brackets 95 % intervals over cells; one may exclude 0 where no difference is shown, since only "
    "tests are corrected for their number. Rejection pays where kept cells are right more often than rejected ones. "
    "JIND's name is followed by its preset: `paper` has the paper's settings, `robust` those for targets of another "
    "composition; `changed` where the configuration sets other values."
)
STATISTICS = (
    "A difference is shown where McNemar's test on the same target cells has an adjusted p below 0.05. Over several "
    "seeds, p is twice the median of each direction's one-sided p, and twice the smaller of the two. It is adjusted "
    "by Holm's method within a task and question: aligned methods against unaligned ones, or one method against "
    "simple ones. Of the best against all others it is adjusted for all pairs of methods, since the same cells choose "
    "the best. These p values are in `tables/comparisons.tsv`. Whether rejection pays is told by Fisher's exact test."
)


class Findings:
    """What the tables of a run say of its tasks.

    Parameters
    ----------
    scores
        `metrics_by_method.tsv`: columns task, method, metric, value, low, high, n_target, status.
    comparisons
        `comparisons.tsv`: see `paired_tests.of_pairs`, with task and question.
    coverage
        `rejection.tsv`: columns task, method, accuracy_at_that_coverage.
    confusions
        `confusion.tsv`: columns task, method, seed, type, label, n.
    per_type
        `per_type.tsv`: columns task, method, seed, type, known, n, raw, rej, eff, confused_with, n_confused.
    methods, tasks
        Titles by name, in the order to be shown: those of Table 2.
    stages
        Titles of the methods that others start from, which need not be in Table 2.
    reference
        The method whose rejection and labels are looked at; where it has no result, the best one of the task.
    not_kept
        How many runs of a task and method refused their alignment, and of how many.
    """

    def __init__(
        self,
        scores: pd.DataFrame,
        comparisons: pd.DataFrame,
        coverage: pd.DataFrame,
        confusions: pd.DataFrame,
        per_type: pd.DataFrame,
        *,
        methods: Mapping[str, str],
        tasks: Mapping[str, str],
        stages: Mapping[str, str],
        reference: str,
        not_kept: Mapping[tuple[str, str], tuple[int, int]],
    ):
        self.scores, self.comparisons, self.coverage = scores, comparisons, coverage
        self.confusions, self.per_type = confusions, per_type
        self.methods, self.tasks, self.titles = methods, tasks, {**stages, **methods}
        self.reference, self.not_kept = reference, not_kept

    def harm(self) -> list[str]:
        """A sentence for each task on which aligned methods are worse than their unaligned models, the worst first."""
        tests = pd.concat([self._tests(ALIGNMENT, task) for task in self.tasks])
        tests = tests[(tests["adjusted_p"] < SIGNIFICANT) & (tests["difference"] < 0)].sort_values("difference")
        return [
            f"**Alignment did harm** on {self.tasks[task]}, against the same model unaligned: "
            + ", ".join(f"{self.titles[row.first]} {100 * row.difference:+.1f} points" for row in of_task.itertuples())
            + "."
            for task, of_task in tests.groupby("task", sort=False)
        ]

    def _tests(self, question: str, task: str) -> pd.DataFrame:
        """The paired tests of one question on one task, of the methods of Table 2."""
        tests = self.comparisons
        asked = (tests["question"] == question) & (tests["task"] == task)
        return tests[asked & tests["first"].isin(list(self.methods))]

    def of_task(self, task: str) -> list[str]:
        """The sentences about one task."""
        scores = self.scores[(self.scores["task"] == task) & self.scores["method"].isin(list(self.methods))]
        by_metric = scores[scores["status"] == "ok"].pivot(index="method", columns="metric", values="value")
        if by_metric.empty:
            return ["No method has a result."]
        by_metric = by_metric.reindex(columns=["raw", "rej", "eff"])
        # The order of the run decides between equals, as in the tests.
        by_metric = by_metric.loc[[method for method in self.methods if method in by_metric.index]]
        best = by_metric["raw"].idxmax()
        reference = self.reference if self.reference in by_metric.index else best
        n = int(scores["n_target"].max())
        return [
            self._best(task, best, scores, by_metric["raw"]),
            *self._alignment(task),
            self._rejection(task, reference, by_metric, n),
            *self._simple(task, by_metric["raw"]),
            *self._distrust(task, reference),
        ]

    def _best(self, task: str, best: str, scores: pd.DataFrame, raw: pd.Series) -> str:
        row = scores[(scores["method"] == best) & (scores["metric"] == "raw")].iloc[0]
        tests = self._tests("table2", task)
        equal = tests.loc[tests["adjusted_p"] >= SIGNIFICANT, "second"]
        equal = raw[equal].sort_values(ascending=False, kind="stable")
        names = [f"{self.titles[method]} {value:.3f}" for method, value in equal.head(AT_MOST).items()]
        if len(equal) > AT_MOST:
            names.append(f"and {len(equal) - AT_MOST} more (marked = in Table 2)")
        sentence = (
            f"**Best:** {self.titles[best]}, raw accuracy {row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]."
        )
        if names:
            return f"{sentence} Not distinguishable from it: {', '.join(names)}."
        return f"{sentence} All others are worse by a paired test." if len(raw) > 1 else sentence

    def _alignment(self, task: str) -> list[str]:
        tests = self._tests(ALIGNMENT, task)
        if tests.empty:
            return []
        effects = {"harmed": [], "helped": [], "shows no difference for": []}
        for row in tests.itertuples():
            shown = row.adjusted_p < SIGNIFICANT
            verdict = ("harmed" if row.difference < 0 else "helped") if shown else "shows no difference for"
            refused, runs = self.not_kept.get((task, row.first), (0, 0))
            how = f"; its guard refused it in {refused} of {runs} runs" if refused else ""
            effects[verdict].append(f"{self.titles[row.first]} ({_points(row, shown)}{how})")
        verdicts = [f"**{verdict}** {', '.join(of_verdict)}" for verdict, of_verdict in effects.items() if of_verdict]
        return [f"**Alignment**, against the same model unaligned, {'; '.join(verdicts)}."]

    def _rejection(self, task: str, method: str, by_metric: pd.DataFrame, n: int) -> str:
        """What the method's own thresholds cost and gave, and who is better at the same coverage."""
        name, (raw, rej, eff) = self.titles[method], by_metric.loc[method]
        if np.isnan(rej):
            return f"**Rejection:** {name} labels every cell."
        rejected = round(n * rej)
        if rejected == 0:
            return f"**Rejection:** {name} rejects no cell."
        if rejected == n or np.isnan(eff):
            return f"**Rejection does not pay:** {name} rejects every cell{' with a seed' * (rejected < n)}."
        runs = self.per_type[(self.per_type["task"] == task) & (self.per_type["method"] == method)]
        right_kept = runs["n"] * (1 - runs["rej"]) * runs["eff"].fillna(0)
        right = round((runs["n"] * runs["raw"] - right_kept).sum() / runs["seed"].nunique())  # of those rejected
        pays = _rejects_errors(n, rejected, right, raw)
        sentence = (
            f"**Rejection {'pays' if pays else 'is not shown to pay'}:** {name} rejects {rej:.1%} ({rejected} of {n} "
            f"cells: {rejected - right} wrong, {right} right). Accuracy of the cells kept {eff:.3f}, of all "
            f"{raw:.3f}."
        )
        # A method with a failed seed has no mean to compare.
        at = self.coverage[(self.coverage["task"] == task) & self.coverage["method"].isin(by_metric.index)]
        at = at.groupby("method", sort=False)["accuracy_at_that_coverage"].mean().dropna()
        if method != self.reference or method not in at.index or len(at) < 2:
            return sentence
        others = at.drop(method).sort_values(ascending=False, kind="stable")
        shown = ", ".join(f"{self.titles[other]} {value:.3f}" for other, value in others.head(AT_MOST).items())
        tied = np.isclose(others, at[method])
        rank = int((others[~tied] > at[method]).sum()) + 1
        return (
            f"{sentence} If every method keeps its {1 - rej:.1%} most confident cells: {name} {at[method]:.3f} (rank "
            f"{rank} of {len(at)}{f', tied with {tied.sum()}' if tied.any() else ''}); best other methods {shown}."
        )

    def _simple(self, task: str, raw: pd.Series) -> list[str]:
        tests = self._tests(SIMPLE, task)
        if tests.empty:
            return []
        row = next(tests.nsmallest(1, "difference").itertuples())
        won = (
            "does as well, as far as the test shows"
            if row.adjusted_p >= SIGNIFICANT
            else "wins"
            if row.difference < 0
            else "does not win"
        )
        return [
            f"**A simple method {won}:** {self.titles[row.second]} {raw[row.second]:.3f}, {self.titles[row.first]} "
            f"{raw[row.first]:.3f}; the difference is {_points(row)}."
        ]

    def _distrust(self, task: str, method: str) -> list[str]:
        """Labels that are often wrong, and types that the source lacks; cells are means over the seeds."""
        of_run = self.confusions[(self.confusions["task"] == task) & (self.confusions["method"] == method)]
        of_run = of_run.assign(n=of_run["n"] / of_run["seed"].nunique())
        kept = of_run[of_run[LABEL] != UNASSIGNED]
        right = kept[kept["type"] == kept[LABEL]].groupby(LABEL)["n"].sum()
        labels = pd.DataFrame({"n": kept.groupby(LABEL)["n"].sum(), "right": right}).fillna(0)
        labels = labels.assign(share=labels["right"] / labels["n"]).query("share < @DISTRUSTED").sort_values("share")
        parts = [
            f"{name} ({row.right:.0f} of {row.n:.0f} cells right)" for name, row in labels.head(AT_MOST).iterrows()
        ]
        name = self.titles[method]
        if parts:
            sentences = [f"**Distrust** these labels of {name}: {', '.join(parts)}."]
        else:
            sentences = [
                f"**Distrust** no label of {name}: each is right for at least {DISTRUSTED:.0%} of the cells with it."
            ]
        unknown = self.per_type[
            (self.per_type["task"] == task) & (self.per_type["method"] == method) & ~self.per_type["known"]
        ]
        rates = unknown.groupby("type")["rej"].mean()
        for row in unknown.drop_duplicates("type").head(AT_MOST).itertuples():
            rejected = "none is rejected" if not rates[row.type] > 0 else f"{rates[row.type]:.0%} are rejected"
            labels = kept[kept["type"] == row.type].groupby(LABEL)["n"].sum().nlargest(1)
            labelled = "".join(f", {n:.0f} labelled {label}" for label, n in labels.items())
            sentences.append(f"**The source lacks** {row.type} ({row.n} cells): {rejected}{labelled}.")
        return sentences


def _points(row, with_interval: bool = True) -> str:
    """A difference of a paired test in points."""
    low, high = 100 * row.low, 100 * row.high
    return f"{100 * row.difference:+.1f} points" + f" [{low:+.1f}, {high:+.1f}]" * with_interval


def _rejects_errors(n: int, rejected: int, right: int, raw: float) -> bool:
    """Is a kept cell right more often than a rejected one? Fisher's exact test."""
    from scipy.stats import fisher_exact

    kept, right_kept = n - rejected, round(n * raw) - right
    counts = [[right_kept, kept - right_kept], [right, rejected - right]]
    return fisher_exact(np.clip(counts, 0, None), alternative="greater").pvalue < SIGNIFICANT

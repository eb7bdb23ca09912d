"""What the summary says first: the best, what alignment did, whether rejection pays, where a simple method does."""

import pandas as pd
import pytest

from jindbench.scoring import metrics, paired_tests, rejection
from jindbench.tables import table2
from jindbench.tables.findings import Findings

N = 100
TITLES = {"logreg": "Logistic regression", "unaligned": "JIND unaligned (paper)", "jind": "JIND (paper)"}


def run(truth, n_wrong, rejected=()):
    """The first `n_wrong` cells are labelled A where they are B, and the other way round."""
    labels = [("B" if label == "A" else "A") if i < n_wrong else label for i, label in enumerate(truth)]
    table = pd.DataFrame({"cell_id": truth.index, "raw_label": labels, "confidence": 0.9, "threshold": 0.5})
    table["label"] = ["unassigned" if i in rejected else label for i, label in enumerate(labels)]
    table.loc[list(rejected), "confidence"] = 0.2
    return table


def found(wrong, rejected=(), types="AB", not_kept=None):
    """Findings on one task, where each method labels so many cells wrongly and JIND rejects some."""
    truth = pd.Series([types[i % len(types)] for i in range(N)], index=[f"c{i}" for i in range(N)])
    runs = {name: {0: run(truth, n, rejected if name == "jind" else ())} for name, n in wrong.items()}
    rows, coverage, confusions, per_type = [], [], [], []
    kept = 1 - len(rejected) / N
    for name, of_seed in runs.items():
        facts = {"task": "t", "method": name, "seed": 0}
        cells = metrics.correct_and_kept(of_seed[0], truth)
        kept_and_right = cells.loc[cells["kept"], "correct"].mean()
        values = {"raw": cells["correct"].mean(), "rej": 1 - cells["kept"].mean(), "eff": kept_and_right}
        same = facts | {"low": 0.0, "high": 1.0, "n_target": N, "status": "ok"}
        rows += [same | {"metric": metric, "value": value} for metric, value in values.items()]
        at = rejection.accuracy_at(rejection.coverage_curve(of_seed[0], truth), kept)
        coverage.append(facts | {"accuracy_at_that_coverage": at})
        confusions.append(rejection.confusion(of_seed[0], truth).assign(**facts))
        per_type.append(rejection.per_type(of_seed[0], truth, set("AB")).assign(**facts))
    tests = [
        paired_tests.against_the_best(runs, runs, truth).assign(question="table2"),
        paired_tests.of_pairs([("jind", "unaligned")], runs, truth).assign(question=paired_tests.ALIGNMENT),
        paired_tests.of_pairs([("jind", "logreg")], runs, truth).assign(question=paired_tests.SIMPLE),
    ]
    comparisons, scores = pd.concat(tests).assign(task="t"), pd.DataFrame(rows)
    tables = comparisons, pd.DataFrame(coverage), pd.concat(confusions), pd.concat(per_type)
    return Findings(
        scores, *tables, methods=TITLES, tasks={"t": "T"}, stages={}, reference="jind", not_kept=not_kept or {}
    )


def test_harm_is_said_first_and_its_interval_with_the_task():
    findings = found({"logreg": 10, "unaligned": 11, "jind": 30})
    [harm] = findings.harm()
    assert harm == "**Alignment did harm** on T, against the same model unaligned: JIND (paper) -19.0 points."
    text = "\n".join(findings.of_task("t"))
    assert "**Best:** Logistic regression, raw accuracy 0.900 [" in text
    assert "Not distinguishable from it: JIND unaligned (paper) 0.890." in text
    assert "**harmed** JIND (paper) (-19.0 points [" in text
    assert "**A simple method wins:** Logistic regression 0.900, JIND (paper) 0.700" in text
    marks = table2.marks(findings.scores, findings.comparisons, "table2", TITLES)
    assert marks == {("t", "logreg"): "*", ("t", "unaligned"): "=", ("t", "jind"): table2.HARMED}


def test_help_and_no_difference():
    findings = found({"logreg": 30, "unaligned": 30, "jind": 5})
    assert findings.harm() == []
    text = "\n".join(findings.of_task("t"))
    assert "**helped** JIND (paper) (+25.0 points [" in text
    assert "All others are worse by a paired test." in text
    assert "**A simple method does not win:**" in text
    refused = {("t", "jind"): (1, 2)}
    none = "\n".join(found({"logreg": 5, "unaligned": 5, "jind": 6}, not_kept=refused).of_task("t"))
    assert "**shows no difference for** JIND (paper) (-1.0 points; its guard refused it in 1 of 2 runs)" in none
    assert "**A simple method does as well, as far as the test shows:**" in none


@pytest.mark.parametrize(
    ("rejected", "expected"),
    [
        (
            range(10),
            "**Rejection pays:** JIND (paper) rejects 10.0% (10 of 100 cells: 10 wrong, 0 right). Accuracy of the ",
        ),
        (
            range(90, 100),
            "**Rejection is not shown to pay:** JIND (paper) rejects 10.0% (10 of 100 cells: 0 wrong, 10 ",
        ),
        ((), "**Rejection:** JIND (paper) rejects no cell."),
        (range(100), "**Rejection does not pay:** JIND (paper) rejects every cell."),
    ],
)
def test_what_rejection_costs_and_gives(rejected, expected):
    text = "\n".join(found({"logreg": 12, "unaligned": 12, "jind": 12}, list(rejected)).of_task("t"))
    assert expected in text


def test_several_seeds_count_each_cell_once():
    def of_seeds(*rejected, wrong=40, types="AB"):
        each = {"logreg": 10, "unaligned": 10, "jind": wrong}
        seeds = [found(each, list(of_seed), types) for of_seed in rejected]
        several, facts = seeds[0], ["task", "method", "metric", "status"]
        values = pd.concat([of.scores for of in seeds]).groupby(facts)[["value", "low", "high", "n_target"]]
        several.scores = values.agg(lambda of: of.mean(skipna=False)).reset_index()
        for name in ("confusions", "per_type"):
            setattr(several, name, pd.concat([getattr(of, name).assign(seed=n) for n, of in enumerate(seeds)]))
        return "\n".join(several.of_task("t"))

    text = of_seeds((), range(20))
    assert "rejects 10.0% (10 of 100 cells: 10 wrong, 0 right)" in text
    assert "A (30 of 45 cells right)" in text
    assert "**Rejection does not pay:** JIND (paper) rejects every cell with a seed." in of_seeds((), range(100))
    lacking = of_seeds((), range(20), wrong=N, types="ABC")  # 6 of the 33 cells of C are rejected with the second seed
    assert "**The source lacks** C (33 cells): 9% are rejected, 30 labelled A." in lacking


def test_a_method_with_a_failed_seed_is_not_ranked_by_the_others():
    findings = found({"logreg": 5, "unaligned": 12, "jind": 12}, list(range(90, 100)))
    assert "(rank 3 of 3)" in "\n".join(findings.of_task("t"))
    findings.scores.loc[findings.scores["method"] == "logreg", "status"] = "failed: no luck (seed 1)"
    findings.comparisons = findings.comparisons.head(0)
    assert "(rank 2 of 2)" in "\n".join(findings.of_task("t"))


def test_a_rank_says_with_how_many_it_is_tied():
    findings = found({"logreg": 0, "unaligned": 12, "jind": 10}, list(range(10)))
    assert "JIND (paper) 1.000 (rank 1 of 3, tied with 1)" in "\n".join(findings.of_task("t"))


def test_doubtful_labels_and_missing_types_are_named():
    text = "\n".join(found({"logreg": 0, "unaligned": 0, "jind": 50}, types="ABC").of_task("t"))
    assert "**Distrust** these labels of JIND (paper): " in text
    assert "**The source lacks** C (33 cells): none is rejected" in text


@pytest.mark.parametrize("n", [8, 42])
def test_the_overview_fits_a_terminal_and_no_number_is_cut(n):
    tasks = [f"Pancreas Bar16-Mur{i}, a new type in the target" for i in range(n)]
    scores = pd.DataFrame(
        [
            {
                "task": task,
                "method": title,
                "metric": "raw",
                "value": 0.9,
                "sd": 0.1,
                "low": 0.8,
                "high": 1,
                "status": "ok",
            }
            for task in tasks
            for title in ("JIND+ (paper, after the ReLU)", "Logistic regression")
        ]
    )
    marked = {(row.task, row.method): "*" for row in scores.itertuples()}
    lines = table2.overview(scores, marked).text(100).splitlines()
    assert n > 8 or max(map(len, lines)) <= 100
    assert sum(line.count("0.900 *") for line in lines) == 2 * n

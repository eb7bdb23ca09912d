from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jindbench import render
from jindbench.tables import authors_runs, table2, table2_extended, titles


def score(task, method, metric, value, status="ok", sd=0.01):
    return {
        "task": task,
        "method": method,
        "metric": metric,
        "value": value,
        "sd": sd,
        "low": value - 0.1,
        "high": value + 0.1,
        "n_target": 40,
        "status": status,
    }


SCORES = pd.DataFrame(
    [
        score("T", "Good", "raw", 0.9),
        score("T", "Good", "rej", 0.2),
        score("T", "Good", "eff", np.nan),
        score("T", "<b>Bad", "raw", 0.8, sd=np.nan),
        score("T", "<b>Bad", "rej", np.nan, status="not applicable"),
        score("T", "<b>Bad", "eff", np.nan, status="failed: a | b <i>"),
    ]
)


def test_cells_say_what_they_are():
    table = table2.table2(SCORES).set_index("metric")
    assert table.loc["raw", "Good"] == "0.900 ± 0.010 [0.800, 1.000]"
    assert table.loc["raw", "<b>Bad"] == "0.800 [0.700, 0.900]"  # one seed: no standard deviation
    assert table.loc["eff", "Good"] == "NA"
    assert table.loc["rej", "<b>Bad"] == "-"
    assert table.loc["eff", "<b>Bad"] == "failed: a | b <i>"
    assert (table["n"] == "40").all()


def test_best_raw_with_ties_as_printed_and_high_rejection():
    tied = pd.DataFrame([score("T", "x", "raw", 0.90004), score("T", "y", "raw", 0.9), score("T", "z", "raw", 0.899)])
    assert table2.best_raw(tied, ["x", "y", "z"]) == {("T", "x"), ("T", "y")}
    assert table2.best_raw(tied, ["z"]) == {("T", "z")}  # the others are controls, whatever their titles
    assert table2.high_rejection(SCORES) == {("T", "Good")}
    assert table2.high_rejection(pd.DataFrame([score("T", "x", "rej", 0.1)])) == set()


def test_markdown_and_html_mark_and_escape():
    marked = {("T", "Good"): table2.BEST, ("T", "<b>Bad"): table2.HARMED}
    [table] = table2.shown(SCORES, marked, ["a <note>"])
    assert (
        "| **Good** | * | **0.900 ± 0.010 [0.800, 1.000]** | 0.200 ± 0.010 [0.100, 0.300] (!) | NA |"
        in table.markdown()
    )
    assert "| &lt;b>Bad | ▼ | 0.800 [0.700, 0.900] | - |" in table.markdown()
    assert "failed: a \\| b &lt;i>" in table.markdown()
    assert table.markdown().endswith("\n\na <note>\n")
    page = table.page("Table <2>")
    assert "<b>0.900<small> ± 0.010 [0.800, 1.000]</small></b>" in page
    assert '<span class="high">0.200' in page
    assert "<i>" not in page
    assert "&lt;b&gt;Bad" in page
    assert "<p>a &lt;note&gt;</p>" in page
    assert "Table &lt;2&gt;" in page


def test_a_method_that_lacks_a_task_comes_last_in_the_overview():
    scores = [score("easy", "lacks", "raw", 0.9), score("hard", "lacks", "raw", np.nan, status="failed: no luck")]
    scores += [
        score(task, method, "raw", value) for task in ("easy", "hard") for method, value in (("b", 0.7), ("a", 0.8))
    ]
    scores += [score("gone", method, "raw", np.nan, status="not available: x") for method in ("lacks", "b", "a")]
    table = table2.overview(pd.DataFrame(scores), dict.fromkeys(((s["task"], s["method"]) for s in scores), ""))
    assert [row[0] for row in table.rows] == ["a", "b", "lacks"]


def test_a_data_frame_becomes_text():
    values = pd.DataFrame({"n_cells": [3, 12], "share": [0.1234567, np.nan], "of": ["<a>", None]})
    table = render.Table.of(values, lead="Two rows.", nothing="No rows.")
    expected = "Two rows.\n\n| n cells | share | of |\n| --- | --- | --- |\n| 3 | 0.123457 | &lt;a> |\n| 12 | - | - |\n"
    assert table.markdown() == expected
    empty = render.Table.of(values.head(0), lead="Two rows.", nothing="No rows.")
    assert empty.markdown() == "No rows.\n"
    assert empty.html() == "<p>No rows.</p>"


def beside(scores, printed, stand_ins=()):
    """The extended table of one task; `printed` has (method, input, metric, text)."""
    scores = pd.DataFrame(scores).assign(seeds=3)
    published = pd.DataFrame(printed, columns=["method", "input", "metric", "printed"]).assign(table=2, name="t")
    published["value"] = pd.to_numeric(published["printed"], errors="coerce")
    names = {"svm": ["SVM_Rej", "none"], "svm_seurat": ["SVM_Rej", "seurat"], "mine": ["Mine", "none"]}
    return table2_extended.table2_extended(scores, published, names, dict(stand_ins))


def test_the_papers_numbers_stand_beside_ours():
    scores = [score("t", "svm", "raw", 0.9), score("t", "svm", "rej", 0.2), score("t", "svm_seurat", "raw", 0.7)]
    printed = [
        ("SVM_Rej", "none", "raw", "0.95"),
        ("SVM_Rej", "none", "rej", "0.4"),
        ("SVM_Rej", "seurat", "raw", "NA"),
    ]
    table = beside([*scores, score("t", "mine", "raw", 0.6)], printed)
    assert table["paper"].tolist() == pytest.approx([0.95, 0.4, np.nan, np.nan], nan_ok=True)
    assert table["difference"].tolist() == pytest.approx([-0.05, -0.2, np.nan, np.nan], nan_ok=True)
    assert table["inside"].tolist()[:2] == ["yes", "no"]
    assert table["inside"].isna().tolist() == [False, False, True, True]
    text = table2_extended.shown(table).markdown()
    assert "| t | svm | raw | 0.900 ± 0.010 [0.800, 1.000] | 0.95 | -0.050 | yes | within noise |" in text
    assert "| t | svm_seurat | raw | 0.700 ± 0.010 [0.600, 0.800] | NA | - | - | not reproduced |" in text
    assert "mine" not in text
    nothing = table2_extended.shown(table.assign(verdict=np.nan)).markdown()
    assert nothing.startswith("The paper has no numbers")
    assert table2_extended.verdicts(table)["what"].tolist()[1] == "Table 2, t, svm: rej"


def test_a_stand_in_has_the_papers_numbers_beside_it_and_no_verdict():
    table = beside([score("other", "svm", "raw", 0.95)], [("SVM_Rej", "none", "raw", "0.95")], {"other": "t"})
    assert table["printed"].tolist() == ["0.95"]
    assert table["difference"].tolist() == [0]
    assert table["verdict"].tolist() == [f"not tested: {table2_extended.STAND_IN}"]


@pytest.mark.parametrize(
    ("ours", "printed", "verdict"),
    [
        (score("t", "svm", "raw", 0.904), "0.9", "reproduced"),
        (score("t", "svm", "raw", 0.99), "0.9", "within noise"),  # the interval over cells reaches to .89
        (score("t", "svm", "raw", 0.8, sd=0.1) | {"low": 0.79, "high": 0.81}, "0.9", "within noise"),  # over seeds
        (score("t", "svm", "raw", 0.8) | {"low": 0.79, "high": 0.81}, "0.9", "not reproduced"),
        (score("t", "svm", "raw", np.nan, status="failed: out of memory"), "0.9", "not tested: failed: out of memory"),
        (score("t", "svm", "rej", np.nan, status="not applicable"), "0.9", "not tested: not applicable"),
        (score("t", "svm", "eff", np.nan), "0.9", "not tested: not defined, all cells are rejected"),
        (score("t", "svm", "eff", np.nan), "NA", "reproduced"),
        (score("t", "svm", "eff", 0.9), "NA", "not reproduced"),
        (score("t", "svm", "rej", np.nan, status="not applicable"), "not applicable", "reproduced"),
        (score("t", "svm", "rej", 0.1), "not applicable", "not reproduced"),
        (score("t", "svm", "raw", 0.9), "not run", "not tested: the paper has no value"),
    ],
)
def test_every_printed_value_has_a_verdict(ours, printed, verdict):
    table = beside([ours], [("SVM_Rej", "none", ours["metric"], printed)])
    assert table["verdict"].tolist() == [verdict]


def test_scores_are_selected_in_the_order_asked_for():
    chosen = titles.titled(SCORES, {"T": "Task"}, {"<b>Bad": "Bad", "Good": "Good"})
    assert chosen["method"].tolist() == ["Bad"] * 3 + ["Good"] * 3
    assert chosen["metric"].tolist() == ["raw", "rej", "eff"] * 2
    assert set(chosen["task"]) == {"Task"}
    assert titles.titled(SCORES, {"T": "Task"}, {"Good": "Good"})["method"].tolist() == ["Good"] * 3


def test_the_authors_runs_beside_ours():
    theirs = authors_runs.read(Path(__file__).parents[2] / "workflow/resources/authors_runs.tsv")
    scores = {
        "jind_classifier": {"raw": 0.9665, "eff": 0.99, "rej": 0.17},
        "jind": {"raw": 0.97, "eff": 0.9878, "rej": 0.08},
        "jind_plus": {"raw": 0.98, "eff": 0.986, "rej": 0.04},
    }
    epochs = pd.DataFrame({"epoch": [1, 2], "kept": [False, True], "validation_accuracy": [0.5, 0.98]})
    epochs = epochs.assign(rejection_rate=[0.13, 0.2], generator_loss=[0.74, 0.71], discriminator_loss=0.68)
    table = authors_runs.check(theirs, scores, dict.fromkeys(scores, epochs)).set_index(["stage", "quantity", "epoch"])
    verdicts = table["verdict"]
    assert verdicts["jind_classifier", "raw", ""] == "reproduced"
    assert verdicts["jind_classifier", "rej", ""] == "not reproduced"
    assert verdicts["jind_classifier", "validation_accuracy", "kept"] == "reproduced"
    assert verdicts["jind", "rejection_rate", "1"] == "reproduced"
    assert verdicts["jind", "rejection_rate", "2"] == "not reproduced"
    assert verdicts["jind", "epoch", "kept"] == "not reproduced"
    assert verdicts["jind", "generator_loss", "7"] == "not tested: there was no such epoch"
    assert table.loc[("jind_plus", "raw", ""), "theirs"] == "0.9766 to 0.9776"
    lines = authors_runs.shown(table.reset_index()).markdown()
    assert "| jind | raw |  | 0.9718 to 0.9728 | 0.003 | 0.97 | **reproduced** |" in lines

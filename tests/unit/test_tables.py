import numpy as np
import pandas as pd
import pytest

from jindbench.tables import paper


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
    table = paper.table2(SCORES).set_index("metric")
    assert table.loc["raw", "Good"] == "0.900 ± 0.010 [0.800, 1.000]"
    assert table.loc["raw", "<b>Bad"] == "0.800 [0.700, 0.900]"  # one seed: no standard deviation
    assert table.loc["eff", "Good"] == "NA"
    assert table.loc["rej", "<b>Bad"] == "-"
    assert table.loc["eff", "<b>Bad"] == "failed: a | b <i>"
    assert (table["n"] == "40").all()


def test_best_raw_with_ties_as_printed_and_high_rejection():
    tied = pd.DataFrame([score("T", "x", "raw", 0.90004), score("T", "y", "raw", 0.9), score("T", "z", "raw", 0.899)])
    assert paper.best_raw(tied) == {("T", "x"), ("T", "y")}
    assert paper.high_rejection(SCORES) == {("T", "Good")}
    assert paper.high_rejection(pd.DataFrame([score("T", "x", "rej", 0.1)])) == set()


def test_markdown_and_html_mark_and_escape():
    table, best, high = paper.table2(SCORES), paper.best_raw(SCORES), paper.high_rejection(SCORES)
    md = paper.markdown(table, best, high)
    assert "**0.900 ± 0.010 [0.800, 1.000]**" in md
    assert "0.200 ± 0.010 [0.100, 0.300] (!)" in md
    assert "failed: a \\| b &lt;i>" in md
    page = paper.html_page(table, best, high, ["a <note>"], "Table <2>")
    assert "<b>0.900 ± 0.010 [0.800, 1.000]</b>" in page
    assert '<span class="high">0.200' in page
    assert "<i>" not in page
    assert "&lt;b&gt;Bad" in page
    assert "Table &lt;2&gt;" in page


def test_the_papers_numbers_stand_beside_ours():
    scores = pd.DataFrame(
        [
            score("t", "svm", "raw", 0.9) | {"seeds": 3},
            score("t", "svm", "rej", 0.2) | {"seeds": 3},
            score("t", "svm_seurat", "raw", 0.7) | {"seeds": 3},
            score("t", "mine", "raw", 0.6) | {"seeds": 3},
        ]
    )
    published = pd.DataFrame(
        [
            {"table": 2, "name": "t", "method": "SVM_Rej", "input": "none", "metric": "raw", "value": 0.95},
            {"table": 2, "name": "t", "method": "SVM_Rej", "input": "none", "metric": "rej", "value": 0.4},
            {"table": 2, "name": "t", "method": "SVM_Rej", "input": "seurat", "metric": "raw", "value": np.nan},
            {"table": 1, "name": "t", "method": "-", "input": "-", "metric": "cells", "value": 40},
        ]
    )
    papers = {"svm": ["SVM_Rej", "none"], "svm_seurat": ["SVM_Rej", "seurat"], "mine": ["Mine", "none"]}
    table = paper.table2_extended(scores, published, papers)
    assert table["paper"].tolist() == pytest.approx([0.95, 0.4, np.nan, np.nan], nan_ok=True)
    assert table["difference"].tolist() == pytest.approx([-0.05, -0.2, np.nan, np.nan], nan_ok=True)
    assert table["inside"].tolist()[:2] == ["yes", "no"]
    assert table["inside"].isna().tolist() == [False, False, True, True]
    text = paper.table2_extended_markdown(table)
    assert "| t | svm | raw | 0.900 ± 0.010 [0.800, 1.000] | 0.950 | -0.050 | yes |" in text
    assert "mine" not in text
    assert paper.table2_extended_markdown(table.assign(paper=np.nan)).startswith("The paper has no numbers")


def test_scores_are_selected_in_the_order_asked_for():
    chosen = paper.titled(SCORES, {"T": "Task"}, {"<b>Bad": "Bad", "Good": "Good"})
    assert chosen["method"].tolist() == ["Bad"] * 3 + ["Good"] * 3
    assert chosen["metric"].tolist() == ["raw", "rej", "eff"] * 2
    assert set(chosen["task"]) == {"Task"}
    assert paper.titled(SCORES, {"T": "Task"}, {"Good": "Good"})["method"].tolist() == ["Good"] * 3

import numpy as np
import pandas as pd

from jindbench import tables


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
    table = tables.table2(SCORES).set_index("metric")
    assert table.loc["raw", "Good"] == "0.900 ± 0.010 [0.800, 1.000]"
    assert table.loc["raw", "<b>Bad"] == "0.800 [0.700, 0.900]"  # one seed: no standard deviation
    assert table.loc["eff", "Good"] == "NA"
    assert table.loc["rej", "<b>Bad"] == "-"
    assert table.loc["eff", "<b>Bad"] == "failed: a | b <i>"
    assert (table["n"] == "40").all()


def test_best_raw_with_ties_as_printed_and_high_rejection():
    tied = pd.DataFrame([score("T", "x", "raw", 0.90004), score("T", "y", "raw", 0.9), score("T", "z", "raw", 0.899)])
    assert tables.best_raw(tied) == {("T", "x"), ("T", "y")}
    assert tables.high_rejection(SCORES) == {("T", "Good")}
    assert tables.high_rejection(pd.DataFrame([score("T", "x", "rej", 0.1)])) == set()


def test_markdown_and_html_mark_and_escape():
    table, best, high = tables.table2(SCORES), tables.best_raw(SCORES), tables.high_rejection(SCORES)
    md = tables.markdown(table, best, high)
    assert "**0.900 ± 0.010 [0.800, 1.000]**" in md
    assert "0.200 ± 0.010 [0.100, 0.300] (!)" in md
    assert "failed: a \\| b &lt;i>" in md
    page = tables.html_page(table, best, high, ["a <note>"], "Table <2>")
    assert "<b>0.900 ± 0.010 [0.800, 1.000]</b>" in page
    assert '<span class="high">0.200' in page
    assert "<i>" not in page
    assert "&lt;b&gt;Bad" in page
    assert "Table &lt;2&gt;" in page

"""The runtime table, and the page that sums a run up."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from jindbench.render import Written
from jindbench.tables import claims, runtime, summary, verdicts

JIND_PLUS = ["classifier", "jind", "jind_plus"]
STAGES = {
    "classifier": JIND_PLUS[:1],
    "jind": JIND_PLUS[:2],
    "jind_plus": JIND_PLUS,
    "svm": ["svm"],
    "actinn": ["actinn"],
}


def outcome(method, seconds, status="ok", reason=""):
    return {"task": "t", "method": method, "threads": 2, "work_seconds": seconds, "start_seconds": 4.0} | {
        "seconds": seconds + 4.5,
        "cpu_seconds": 2.0 * seconds,
        "peak_memory_mb": 300.0,
        "status": status,
        "reason": reason,
        "seed": 0,
        "code": "abc",
        "warnings": ["alignment did not converge"] if method == "jind" else [],
    }


OUTCOMES = [
    outcome("classifier", 10),
    outcome("jind", 20),
    outcome("jind_plus", 5),
    outcome("svm", 7),
    outcome("actinn", 1, "failed", "no luck"),
    outcome("integration seurat", 140),
]


def test_totals_hold_the_stages_before_and_ratios_name_what_they_are_of():
    table = runtime.table(OUTCOMES, STAGES, "jind_plus").set_index("method")
    assert table["total"].tolist() == pytest.approx([10, 30, 35, 7, np.nan, 140], nan_ok=True)
    assert table.loc["svm", "ratio"] == pytest.approx(7 / 35)
    assert table.loc["svm", "compared_with"] == "jind_plus in total"
    assert table.loc["integration seurat", "ratio"] == pytest.approx(7)  # of the alignment's own 20 seconds
    assert table.loc["integration seurat", "compared_with"] == "jind"
    assert table.loc[["classifier", "jind", "jind_plus", "actinn"], "ratio"].isna().all()


def test_a_failed_job_shows_why_and_no_number():
    text = runtime.shown(runtime.table(OUTCOMES, STAGES, "jind_plus"), []).markdown()
    line = next(line for line in text.splitlines() if "actinn" in line)
    assert "failed: no luck" in line
    assert "1.0" not in line
    assert runtime.ALONE in text
    assert runtime.shown(runtime.table([], STAGES, "jind_plus"), []).markdown() == f"{runtime.NOTHING}\n"


def test_a_small_task_is_not_said_to_be_timed_alone():
    text = runtime.shown(runtime.table(OUTCOMES, STAGES, "jind_plus"), ["t"]).markdown()
    assert "On t, a small task, each ran beside others" in text
    assert runtime.ALONE not in text


def test_the_summary_says_what_failed_and_what_is_not_reproduced():
    statements = pd.DataFrame([dict.fromkeys(claims.COLUMNS, "-")] * 3)
    statements["verdict"] = ["reproduced", "not reproduced", "not tested: no task"]
    statements["sentence"] = ["one", "two", "three"]
    printed = pd.DataFrame(
        [("Table 2, T, m: raw", "0.5", "0.9", "not reproduced"), ("Table 1, d: genes", "1", "1", "reproduced")]
    )
    printed.columns = ["what", "ours", "paper", "verdict"]
    facts = pd.DataFrame({"fact": ["Data: toy.h5ad"], "value": ["sha256 abc"]})
    gone = [outcome("scanvi", 0, "not run", "no scvi") | {"seed": seed} for seed in (0, 1)]
    parts = summary.sections(
        {"T": "SPLIT"},
        [0],
        "COMMAND",
        SimpleNamespace(
            methods={"actinn": "ACTINN"},
            tasks={"t": "T"},
            harm=lambda: ["HARM"],
            of_task=lambda task: [f"FOUND ON {task}"],
        ),
        [*OUTCOMES, *gone, *([outcome("svm", 0, "not available", "dead host") | {"task": "u"}] * 2)],
        OUTCOMES,
        ["CRASHED"],
        ["FIGURE: REASON"],
        Written("TABLE 2", ""),
        printed,
        statements,
        Written("HELD OUT", ""),
        Written("TIMES", ""),
        facts,
        {"actinn": "ACTINN"},
    )
    page = summary.markdown("r", parts)
    first, _, rest = page.partition("## Table 2")
    assert (
        "1 method on 1 task (T), 1 seed (0). The cells of 1 task (u) are not available. 4 runs failed or did not start, see below. 1 figure failed"
        in first
    )
    assert "To run it again: `COMMAND`." in first
    assert "- HARM\n\n**T.** SPLIT\n\n- FOUND ON t" in first
    assert "- CRASHED" in rest
    assert rest.count("- u: not available: dead host") == 1
    assert "Not drawn:\n\n- FIGURE: REASON" in rest
    assert "- ACTINN on t, seed 0: failed: no luck" in page
    assert "- scanvi on 1 task (t), 2 seeds (0, 1), 2 runs: not run: no scvi" in page
    assert "- ACTINN on t, seed 0, timed alone: failed: no luck" in page
    assert "jind on t: alignment did not converge (1 run)" in page
    assert "3 claims: 1 reproduced, 0 within noise, 1 not tested, 1 not reproduced." in page
    assert "2 numbers of Tables 1 and 2: 1 reproduced, 0 within noise, 0 not tested, 1 not repr" in page
    assert "- two" in page
    assert "- Table 2, T, m: raw: ours 0.5, the paper's 0.9" in page
    assert "- one" not in page
    assert "TABLE 2" in page
    assert "HELD OUT" in page
    assert "TIMES" in page
    assert "- Data: toy.h5ad: sha256 abc" in page
    none = verdicts.count(printed["verdict"].head(0))
    assert none == "0 reproduced, 0 within noise, 0 not tested, 0 not reproduced"

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from jindbench.scoring import metrics


def predictions(raw, label, threshold=0.5):
    n = len(raw)
    return pd.DataFrame(
        {
            "cell_id": [f"c{i}" for i in range(n)],
            "raw_label": raw,
            "confidence": 0.6,
            "threshold": threshold,
            "label": label,
        }
    )


def values(rows):
    return {row["metric"]: row for row in rows}


TRUTH = pd.Series(["A", "A", "B", "B", "X"], index=[f"c{i}" for i in range(5)])  # X: a type the source lacks


def test_raw_rej_and_eff_on_five_cells():
    predicted = predictions(["A", "B", "B", "B", "A"], ["A", "unassigned", "B", "unassigned", "A"])
    rows = values(metrics.rows(TRUTH, [predicted]))
    assert rows["raw"]["value"] == pytest.approx(3 / 5)  # the cell of type X is wrong
    assert rows["rej"]["value"] == pytest.approx(2 / 5)
    assert rows["eff"]["value"] == pytest.approx(2 / 3)
    assert (rows["raw"]["n"], rows["rej"]["n"], rows["eff"]["n"]) == (5, 5, 3)
    assert {row["status"] for row in rows.values()} == {"ok"}


def test_cells_are_joined_by_id_not_by_position():
    predicted = predictions(["A", "B", "B", "B", "A"], ["A", "unassigned", "B", "unassigned", "A"])
    shuffled = predicted.sample(frac=1, random_state=0)
    assert shuffled["cell_id"].tolist() != predicted["cell_id"].tolist()
    assert values(metrics.rows(TRUTH, [shuffled])) == values(metrics.rows(TRUTH, [predicted]))


def test_a_missing_cell_is_an_error():
    with pytest.raises(KeyError):
        metrics.rows(TRUTH, [predictions(["A"] * 4, ["A"] * 4)])


def test_eff_is_not_defined_where_everything_is_rejected():
    rows = values(metrics.rows(TRUTH, [predictions(["A"] * 5, ["unassigned"] * 5)]))
    assert rows["rej"]["value"] == 1
    assert np.isnan(rows["eff"]["value"])
    assert np.isnan(rows["eff"]["low"])
    assert rows["raw"]["value"] == pytest.approx(2 / 5)


def test_methods_that_do_not_reject_have_no_rej_and_no_eff():
    rows = values(metrics.rows(TRUTH, [predictions(["A"] * 5, ["A"] * 5, threshold=np.nan)]))
    assert rows["raw"]["status"] == "ok"
    assert rows["rej"]["status"] == rows["eff"]["status"] == "not applicable"
    assert "value" not in rows["rej"]


def test_mean_and_standard_deviation_over_seeds():
    runs = [predictions(["A", "A", "B", "B", "B"], ["A"] * 5), predictions(["B", "B", "B", "B", "B"], ["A"] * 5)]
    raw = values(metrics.rows(TRUTH, runs))["raw"]
    assert raw["value"] == pytest.approx((0.8 + 0.4) / 2)
    assert raw["sd"] == pytest.approx(np.std([0.8, 0.4], ddof=1))


def test_interval_is_the_bootstrap_of_cells():
    """Resampling n cells of which k are right gives a binomial: its quantiles are the percentile interval."""
    n, k = 400, 320
    truth = pd.Series("A", index=[f"c{i}" for i in range(n)])
    raw = values(metrics.rows(truth, [predictions(["A"] * k + ["B"] * (n - k), ["A"] * n)]))["raw"]
    expected = stats.binom(n, k / n).ppf([0.025, 0.975]) / n
    assert [raw["low"], raw["high"]] == pytest.approx(expected, abs=0.004)


def test_where_all_cells_are_right_the_interval_has_a_width():
    truth = pd.Series("A", index=[f"c{i}" for i in range(40)])
    rows = values(metrics.rows(truth, [predictions(["A"] * 40, ["A"] * 40)]))
    wilson = stats.binomtest(40, 40).proportion_ci(method="wilson")
    for metric in ("raw", "eff"):
        assert [rows[metric]["low"], rows[metric]["high"]] == pytest.approx([wilson.low, 1])
    assert [rows["rej"]["low"], rows["rej"]["high"]] == pytest.approx([0, 1 - wilson.low])


def test_interval_agrees_with_scipys_bootstrap_for_a_ratio_over_two_seeds():
    rng = np.random.default_rng(1)
    n = 300
    truth = pd.Series("A", index=[f"c{i}" for i in range(n)])
    runs = []
    for _ in range(2):
        raw = np.where(rng.random(n) < 0.8, "A", "B")
        runs.append(predictions(raw, np.where(rng.random(n) < 0.3, "unassigned", raw)))
    eff = values(metrics.rows(truth, runs))["eff"]
    columns = [
        c for run in runs for c in ((run["raw_label"] == "A").to_numpy(), (run["label"] != "unassigned").to_numpy())
    ]

    def statistic(c0, k0, c1, k1, axis=-1):
        return ((c0 & k0).sum(axis) / k0.sum(axis) + (c1 & k1).sum(axis) / k1.sum(axis)) / 2

    interval = stats.bootstrap(
        columns, statistic, paired=True, vectorized=True, method="percentile", n_resamples=4000, rng=0
    ).confidence_interval
    assert eff["value"] == pytest.approx(statistic(*columns))
    assert [eff["low"], eff["high"]] == pytest.approx([interval.low, interval.high], abs=0.006)


def test_a_failed_run_has_no_numbers():
    rows = metrics.rows(TRUTH, [predictions([], [])], "failed: out of luck")
    assert [row["status"] for row in rows] == ["failed: out of luck"] * 3
    assert all("value" not in row and row["n_target"] == 5 for row in rows)

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from sklearn import metrics
from sklearn.calibration import calibration_curve

from jindbench.figures import accuracy_coverage, confusion, reliability
from jindbench.jind.thresholds import type_thresholds
from jindbench.scoring import rejection, rejection_by_theta


def cells(rows, threshold=0.5):
    """Truth and predictions from rows of (true type, raw label, confidence)."""
    table = pd.DataFrame(rows, columns=["type", "raw_label", "confidence"])
    table.insert(0, "cell_id", [f"c{i}" for i in range(len(table))])
    table["threshold"] = threshold
    table["label"] = table["raw_label"].where(~(table["confidence"] < threshold), "unassigned")
    return table.drop(columns="type"), table.set_index("cell_id")["type"]


# X: a type the source lacks; Z: one the target lacks. Seven cells, of which .6 and .4 occur twice.
PREDICTIONS, TRUTH = cells(
    [
        ("A", "A", 0.9),
        ("A", "A", 0.6),
        ("A", "B", 0.6),
        ("A", "Z", 0.4),
        ("B", "B", 0.8),
        ("B", "B", 0.4),
        ("X", "A", 0.7),
    ]
)


def random_cells(n=3000, seed=0):
    rng = np.random.default_rng(seed)
    confidence = rng.random(n).round(2)
    confidence[:5] = [0, 1 / 15, 0.2, 1, 1 + 1e-7]
    right = rng.random(n) < confidence
    truth = rng.choice(list("ABC"), n)
    return cells(list(zip(truth, np.where(right, truth, "Z"), confidence, strict=True)))


def test_curve_of_seven_cells_and_what_is_read_from_it():
    curve = rejection.coverage_curve(PREDICTIONS, TRUTH)
    assert curve["coverage"].tolist() == pytest.approx([1 / 7, 2 / 7, 3 / 7, 5 / 7, 1])
    assert curve["accuracy"].tolist() == pytest.approx([1, 1, 2 / 3, 3 / 5, 4 / 7])
    widths, means = np.array([1, 1, 1, 2, 2]) / 7, [1, 1, 5 / 6, 19 / 30, 41 / 70]
    assert rejection.area(curve) == pytest.approx(widths @ means)
    assert rejection.accuracy_at(curve, 1) == pytest.approx(4 / 7)
    assert rejection.accuracy_at(curve, 5 / 7) == pytest.approx(3 / 5)
    assert rejection.accuracy_at(curve, 4 / 7) == pytest.approx((2 / 3 + 3 / 5) / 2)  # halfway into two equal cells
    assert rejection.accuracy_at(curve, 0.01) == 1
    assert np.isnan(rejection.accuracy_at(curve, 0))
    with pytest.raises(ValueError, match=r"coverage 1.1 is not between 0 and 1"):
        rejection.accuracy_at(curve, 1.1)


def test_nothing_depends_on_the_order_of_rows():
    for seed in range(3):
        shuffled = PREDICTIONS.sample(frac=1, random_state=seed)
        pd.testing.assert_frame_equal(
            rejection.coverage_curve(shuffled, TRUTH), rejection.coverage_curve(PREDICTIONS, TRUTH)
        )
        assert rejection.quality(shuffled, TRUTH) == pytest.approx(rejection.quality(PREDICTIONS, TRUTH))
        pd.testing.assert_frame_equal(rejection.confusion(shuffled, TRUTH), rejection.confusion(PREDICTIONS, TRUTH))


def test_area_of_the_perfect_and_of_one_without_information():
    perfect = cells([("A", "A", 0.1), ("B", "B", 0.7)])
    constant = cells([("A", "A", 0.5), ("B", "A", 0.5), ("C", "A", 0.5), ("A", "A", 0.5)])
    assert rejection.area(rejection.coverage_curve(*perfect)) == 1
    assert rejection.area(rejection.coverage_curve(*constant)) == 0.5  # the raw accuracy: one point


def test_a_run_is_compared_at_the_coverage_of_its_own_seed_or_of_all():
    curve = pd.DataFrame({"coverage": [0.5, 1.0], "accuracy": [1.0, 0.8]})
    kept = {0: 0.5, 1: 1.0}
    assert [*rejection.beside_reference(curve, 1, kept).values()] == pytest.approx([1, 0.8])
    assert [*rejection.beside_reference(curve, 7, kept).values()] == pytest.approx([0.75, 0.9])
    assert np.isnan([*rejection.beside_reference(curve, 0, {}).values()]).all()


def test_reliability_of_seven_cells():
    bins = rejection.reliability(PREDICTIONS, TRUTH)
    assert len(bins) == 15
    filled = bins[bins["n"] > 0].round(3).set_index("high")
    # .4 and .6 and .8 are bounds: each belongs to the bin below it.
    assert filled["n"].to_dict() == {0.4: 2, 0.6: 2, 0.733: 1, 0.8: 1, 0.933: 1}
    assert filled["accuracy"].tolist() == [0.5, 0.5, 0, 1, 1]
    error = (2 * 0.1 + 2 * 0.1 + 0.7 + 0.2 + 0.1) / 7
    assert rejection.quality(PREDICTIONS, TRUTH)["calibration_error"] == pytest.approx(error)


def test_reliability_agrees_with_scikit_learn():
    predictions, truth = random_cells()
    bins = rejection.reliability(predictions, truth)
    right = predictions["raw_label"].to_numpy() == truth.to_numpy()
    accuracy, confidence = calibration_curve(right, predictions["confidence"].clip(upper=1), n_bins=15)
    assert bins["n"].sum() == len(truth)
    assert bins["accuracy"].tolist() == pytest.approx(accuracy)
    assert bins["confidence"].tolist() == pytest.approx(confidence)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_quality_goes_over_the_types_of_the_target():
    quality = rejection.quality(PREDICTIONS, TRUTH)
    f1_of_a, f1_of_b = 2 * 2 / (2 * 2 + 1 + 2), 2 * 2 / (2 * 2 + 1 + 0)
    assert quality["macro_f1"] == pytest.approx((f1_of_a + f1_of_b + 0) / 3)
    assert quality["weighted_f1"] == pytest.approx((4 * f1_of_a + 2 * f1_of_b + 1 * 0) / 7)
    assert quality["balanced_accuracy"] == pytest.approx((2 / 4 + 1 + 0) / 3)
    raw_label = PREDICTIONS.set_index("cell_id").loc[TRUTH.index, "raw_label"]
    assert quality["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(TRUTH, raw_label))


def test_results_by_type():
    table = rejection.per_type(PREDICTIONS, TRUTH, {"A", "B", "Z"}).set_index("type")
    assert table.index.tolist() == ["A", "B", "X"]
    assert table["known"].tolist() == [True, True, False]
    assert table["n"].tolist() == [4, 2, 1]
    assert table["raw"].tolist() == [0.5, 1, 0]
    assert table["rej"].tolist() == [0.25, 0.5, 0]
    assert table["eff"].tolist() == pytest.approx([2 / 3, 1, 0])
    assert table.loc["A", "confused_with"] == "B"  # as often as Z, and first by name
    assert pd.isna(table.loc["B", "confused_with"])
    assert table["n_confused"].tolist() == [1, 0, 1]


def test_a_type_that_is_all_rejected_and_a_method_that_never_rejects():
    rows = [("A", "A", 0.9), ("B", "B", 0.1)]
    table = rejection.per_type(*cells(rows), {"A", "B"}).set_index("type")
    assert table.loc["B", "rej"] == 1
    assert np.isnan(table.loc["B", "eff"])
    table = rejection.per_type(*cells(rows, threshold=np.nan), {"A", "B"})
    assert table[["rej", "eff"]].isna().all(axis=None)
    assert table["raw"].tolist() == [1, 1]


def test_confusion_counts_add_up_and_unassigned_is_last():
    table = rejection.confusion(PREDICTIONS, TRUTH)
    assert table["n"].sum() == len(TRUTH)
    matrix = confusion.matrix(table)
    assert matrix.index.tolist() == ["A", "B", "X"]
    assert matrix.columns.tolist() == ["A", "B", "X", "unassigned"]  # both Z are rejected
    assert matrix.to_numpy().tolist() == [[2, 1, 0, 1], [0, 1, 0, 1], [1, 0, 0, 0]]
    never = rejection.confusion(*cells([("A", "Z", 0.1), ("B", "B", 0.1)], threshold=np.nan))
    assert confusion.matrix(never).columns.tolist() == ["A", "B", "Z"]


def test_a_thinned_curve_keeps_its_ends_and_its_area():
    curve = rejection.coverage_curve(*random_cells())
    thinned = rejection.thin(curve, points=40)
    assert len(thinned) <= 40 < len(curve)
    assert thinned.iloc[[0, -1]].to_numpy().tolist() == curve.iloc[[0, -1]].to_numpy().tolist()
    assert rejection.area(thinned) == pytest.approx(rejection.area(curve), abs=0.002)
    pd.testing.assert_frame_equal(rejection.thin(curve.head(3)), curve.head(3))


def test_jind_and_the_best_methods_are_told_apart_and_those_below_the_axis_named():
    curves = pd.DataFrame(
        [("T", f"method {i}", 1.0, 0.9 + i / 200) for i in range(15)]
        + [("T", "Ours", 1.0, 0.9), ("T", "guess", 1.0, 0.2)],
        columns=["task", "method", "coverage", "accuracy"],
    )
    figure = accuracy_coverage.lines(curves, curves.head(1), ["Ours"])
    panel = figure.axes[0]
    assert panel.get_ylim()[0] == pytest.approx(0.85)
    assert [text.get_text() for text in panel.texts] == ["below:\nguess 0.20"]
    names = ["method 12", "method 13", "method 14", "Ours", "other methods"]
    assert [text.get_text() for text in figure.legends[0].texts] == names
    plt.close(figure)
    own = pd.DataFrame([("T", "method 1", 0.9, 0.905), ("T", "Ours", 0.9, 0.95)], columns=curves.columns)
    [sentence] = accuracy_coverage.off_the_line(curves, own)
    assert "Ours" in sentence
    assert "method 1" not in sentence


def test_the_reliability_figure_prints_each_calibration_error():
    bins = rejection.reliability(PREDICTIONS, TRUTH)
    figure = reliability.panels(
        pd.concat([bins.assign(task="T", method="m"), bins.assign(task="U", method="n")]), ["n"]
    )
    error = f"{rejection.calibration_error(bins):.2f}".removeprefix("0")
    printed = [(text.get_text(), *text.get_position()) for text in figure.axes[0].texts]
    assert printed == [(error, 0, 0), (error, 1, 1)]
    plt.close(figure)


def test_a_run_in_which_every_method_failed_says_so_and_draws_nothing(tmp_path):
    path = tmp_path / "bins.tsv"
    pd.DataFrame(columns=["task", "method", "seed"]).to_csv(path, sep="\t", index=False)
    drawn = reliability.draw(path, {}, {}, 0, [])
    assert drawn.picture is None
    assert drawn.missing == ["No method of this run has scores."]


@pytest.mark.parametrize(("rule", "rejected"), [("quantile", [1, 2, 4]), ("rank", [2, 3, 5])])
def test_rejection_by_theta_by_hand(rule, rejected):
    """Twenty validation cells of type A with .01, .02, ... .20; none of B, whose threshold is .9.

    By the text's rule the thresholds of A at theta .05, .1 and .2 are .01, .02 and .04, and a cell needs more; by the
    authors' they are the sorted values number 2, 3 and 5, .03, .04 and .06, and a cell needs as much.
    """
    values = np.arange(1, 21) / 100

    def thresholds(theta):
        zeros = np.zeros(20, dtype=int)
        return type_thresholds(values, zeros, 2, theta, rule=rule, without_cells=0.9)

    model = SimpleNamespace(classes=["A", "B"], thresholds=thresholds, reject_at_threshold=rule == "quantile")
    # of B one cell is kept; of A five have the first five values
    cells = pd.DataFrame({"raw_label": [*"AAAAAB"], "confidence": [0.01, 0.02, 0.03, 0.04, 0.05, 0.95]})
    table = rejection_by_theta.rates(model, cells).set_index("theta")["rej"]
    assert (table[[0.05, 0.1, 0.2]] * 6).tolist() == pytest.approx(rejected)
    assert table.is_monotonic_increasing

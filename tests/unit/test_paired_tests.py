import numpy as np
import pandas as pd
import pytest
from scipy import stats

from jindbench.scoring import paired_tests
from jindbench.tables.paired_tests import shown


def right(both, only_first, only_second, neither):
    """Whether each cell is right by the first and by the second, from the four counts."""
    first = [True] * (both + only_first) + [False] * (only_second + neither)
    second = [True] * both + [False] * only_first + [True] * only_second + [False] * neither
    index = [f"c{i}" for i in range(len(first))]
    return pd.Series(first, index=index), pd.Series(second, index=index)


TRUTH = pd.Series("A", index=[f"c{i}" for i in range(10)])


def run(n_right, n_kept=10):
    """Of ten cells the first are right, and the first are kept."""
    raw = np.where(np.arange(10) < n_right, "A", "B")
    label = np.where(np.arange(10) < n_kept, raw, "unassigned")
    return pd.DataFrame({"cell_id": TRUTH.index, "raw_label": raw, "confidence": 0.6, "threshold": 0.5, "label": label})


def test_few_discordant_cells_are_tested_exactly():
    test = paired_tests.mcnemar(*right(30, 9, 2, 4))
    assert (test["n"], test["n_only_first"], test["n_only_second"]) == (45, 9, 2)
    assert test["difference"] == pytest.approx(7 / 45)
    assert test["p"] == pytest.approx(stats.binomtest(2, 11, 0.5).pvalue)


def test_many_discordant_cells_are_tested_by_chi_square():
    """The approval of a prime minister in two surveys of the same people (Agresti, Categorical Data Analysis, 10.1)."""
    test = paired_tests.mcnemar(*right(794, 150, 86, 570))
    assert test["p"] == pytest.approx(stats.chi2.sf((150 - 86 - 1) ** 2 / (150 + 86), 1))
    assert test["difference"] == pytest.approx(0.04)
    # Wald's interval is .04 +- 1.96 x .0095 in the book; adding 2 to 1600 cells moves it by less than .0001.
    assert [test["low"], test["high"]] == pytest.approx([0.0213, 0.0587], abs=2e-4)


def test_interval_adds_a_half_to_each_count():
    test = paired_tests.mcnemar(*right(6, 3, 0, 1))
    first, second = 3.5 / 12, 0.5 / 12
    half_width = stats.norm.ppf(0.975) * np.sqrt((first + second - (first - second) ** 2) / 12)
    assert [test["low"], test["high"]] == pytest.approx([0.25 - half_width, 0.25 + half_width])


def test_the_exact_test_ends_at_25_discordant_cells():
    assert paired_tests.mcnemar(*right(0, 18, 6, 0))["p"] == pytest.approx(stats.binomtest(6, 24).pvalue)
    assert paired_tests.mcnemar(*right(0, 18, 7, 0))["p"] == pytest.approx(stats.chi2.sf(10**2 / 25, 1))


def test_methods_that_agree_do_not_differ():
    test = paired_tests.mcnemar(*right(5, 0, 0, 5))
    assert (test["difference"], test["p"]) == (0, 1)
    assert test["low"] == pytest.approx(-test["high"])


def test_cells_are_joined_by_id_and_must_be_the_same():
    first, second = right(30, 9, 2, 4)
    assert paired_tests.mcnemar(first, second.sample(frac=1, random_state=0)) == paired_tests.mcnemar(first, second)
    with pytest.raises(ValueError, match="not compared on the same cells"):
        paired_tests.mcnemar(first, second.iloc[1:])


def test_over_seeds():
    reference, other = {1: run(9, 8), 2: run(8), 3: run(10)}, {3: run(7), 2: run(7), 1: run(2)}
    tests = paired_tests.by_seed(reference, other, TRUTH).set_index(["measure", "reference_seed"])
    assert (tests.index.get_level_values("reference_seed") == tests["other_seed"]).all()
    assert tests["n_only_first"].to_dict() == {
        ("raw", 1): 7,
        ("raw", 2): 1,
        ("raw", 3): 3,
        ("annotated", 1): 6,  # one of the nine right cells is rejected
        ("annotated", 2): 1,
        ("annotated", 3): 3,
    }
    raw = paired_tests.against(reference, other, TRUTH).set_index("measure").loc["raw"]
    differences = [0.7, 0.1, 0.3]
    interval = stats.ttest_1samp(differences, 0).confidence_interval()
    assert raw["pairs"] == 3
    assert raw["difference"] == pytest.approx(np.mean(differences))
    assert raw["sd"] == pytest.approx(np.std(differences, ddof=1))
    assert [raw["seeds_low"], raw["seeds_high"]] == pytest.approx([interval.low, interval.high])
    assert raw["seeds_interval"] == "ok"
    assert raw["p"] == pytest.approx(2 * stats.binomtest(0, 3).pvalue)  # the median seed: 3 against 0 cells
    assert raw["low"] == pytest.approx(tests.loc["raw", "low"].mean())
    agreeing = paired_tests.against({1: run(10), 2: run(10)}, {1: run(1), 2: run(2)}, TRUTH)
    assert agreeing["p"].tolist() == pytest.approx([2 * (2 / 2**9 + 2 / 2**8) / 2] * 2)


def test_seeds_that_contradict_each_other_show_no_difference():
    first, second = {1: run(10), 2: run(1)}, {1: run(1), 2: run(10)}
    assert paired_tests.by_seed(first, second, TRUTH)["p"].max() < 0.005
    assert paired_tests.against(first, second, TRUTH)["p"].tolist() == [1, 1]


def test_a_method_with_one_seed_is_compared_to_each_of_the_other():
    table = paired_tests.against({1: run(9), 2: run(8)}, {1: run(7)}, TRUTH).set_index("measure")
    assert table.loc["raw", "pairs"] == 2
    assert table.loc["raw", "difference"] == pytest.approx(0.15)
    assert table["seeds_interval"].eq("needs several seeds of both methods").all()
    assert table[["seeds_low", "seeds_high"]].isna().all(axis=None)

    once = paired_tests.against({1: run(10)}, {1: run(3)}, TRUTH).set_index("measure")
    assert once.loc["raw", "p"] == pytest.approx(stats.binomtest(0, 7).pvalue)  # not doubled
    assert np.isnan(once.loc["raw", "sd"])


def test_seeds_that_do_not_match_are_an_error():
    with pytest.raises(ValueError, match=r"seeds \[1, 2\] cannot be paired with seeds \[1, 3\]"):
        paired_tests.by_seed({1: run(9), 2: run(9)}, {1: run(9), 3: run(9)}, TRUTH)


def test_holm_by_hand():
    table = pd.DataFrame({"p": [0.03, np.nan, 0.01, 0.02, 0.6]}, index=[7, 3, 5, 1, 2])
    adjusted = paired_tests.correct(table)["adjusted_p"]
    # Sorted: .01 x 4, .02 x 3, .03 x 2 (no less than the one before), .6 x 1.
    assert adjusted.tolist() == pytest.approx([0.06, np.nan, 0.04, 0.06, 0.6], nan_ok=True)
    assert paired_tests.correct(table.head(0))["adjusted_p"].tolist() == []


def test_the_best_is_corrected_for_all_pairs():
    """Whatever is best of equal methods was chosen by the cells that test it."""
    runs = {"a": {1: run(10)}, "b": {1: run(2)}, "c": {1: run(3)}, "d": {1: run(10)}}
    tests = paired_tests.against_the_best([*runs, "failed"], runs, TRUTH).set_index("second")
    # Holm's .0078 x 3 and .0156 x 2, times 4 / 2; and no more than 1.
    assert tests["adjusted_p"].to_dict() == pytest.approx({"b": 0.0078125 * 6, "c": 0.015625 * 4, "d": 1})


@pytest.mark.parametrize(
    ("p", "text"), [(0.0496, "0.0496"), (0.0499996, "0.0499996"), (0.0504, "0.05"), (0.0123, "0.012")]
)
def test_a_printed_p_tells_whether_it_is_significant(p, text):
    row = {"task": "T", "method": "M", "measure": "raw", "difference": 0.1, "low": 0, "high": 0.2}
    row |= {"n_only_first": 0.5, "n_only_second": 12, "p": p, "adjusted_p": p}
    assert f"| 0.5 / 12 | {text} | {text} |" in shown(pd.DataFrame([row]), "R").markdown()

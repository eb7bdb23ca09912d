"""Two methods on the same cells: tests of the difference in accuracy, over cells and over seeds.

Accuracies of two methods differ by less than either's own interval suggests, since both are right on most of the same
cells. Only cells on which one is right and the other wrong tell them apart.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from jindbench.scoring.metrics import INTERVAL, correct_and_kept

EXACT_BELOW = 25  # cells that tell the two apart
MEASURES = ("raw", "annotated")
SIGNIFICANT = 0.05  # adjusted p-values below are differences that a target can show
# Questions of tests beside those of which method is best: an aligned model against its own unaligned one, and the
# reference against each method that needs no network. No table can have such a name.
ALIGNMENT, SIMPLE = "against unaligned", "against simple methods"
COLUMNS = ["measure", "n", "pairs", "n_only_first", "n_only_second", "difference", "low", "high", "sd"]
COLUMNS += ["seeds_low", "seeds_high", "seeds_interval", "p", "adjusted_p"]


def mcnemar(first_correct: pd.Series, second_correct: pd.Series) -> dict[str, float]:
    """McNemar's test of two methods on the same cells.

    It is exact (binomial) where fewer than 25 cells tell the methods apart, else chi-square with continuity
    correction. The 95 % interval of the difference is that of Agresti and Min (Statistics in Medicine 24, 2005):
    Wald's for paired proportions after adding 1/2 to each of the four counts.

    Parameters
    ----------
    first_correct, second_correct
        Is the cell right? Boolean, indexed by cell_id.

    Returns
    -------
    n (cells), n_only_first and n_only_second (cells that only this one has right), difference (of the shares of right
    cells, first minus second), low, high, p_first_better and p_second_better (one-sided), p (two-sided).

    Raises
    ------
    ValueError
        If the two are not of the same cells.
    """
    from scipy.stats import binom, norm

    first, second = first_correct.align(second_correct)
    if first.isna().any() or second.isna().any():
        raise ValueError("the two methods are not compared on the same cells")
    first, second = first.to_numpy(dtype=bool), second.to_numpy(dtype=bool)
    n, only_first, only_second = len(first), (first & ~second).sum(), (~first & second).sum()
    disagree = only_first + only_second
    if disagree < EXACT_BELOW:
        first_better, second_better = binom.sf(np.array([only_first, only_second]) - 1, disagree, 0.5)
    else:
        ahead = only_first - only_second
        first_better, second_better = norm.sf((np.array([ahead, -ahead]) - 1) / np.sqrt(disagree))

    share_first, share_second = (only_first + 0.5) / (n + 2), (only_second + 0.5) / (n + 2)
    centre = share_first - share_second
    half_width = norm.ppf((1 + INTERVAL) / 2) * np.sqrt((share_first + share_second - centre**2) / (n + 2))
    return {
        "n": n,
        "n_only_first": int(only_first),
        "n_only_second": int(only_second),
        "difference": float((only_first - only_second) / n),
        "low": float(max(centre - half_width, -1)),
        "high": float(min(centre + half_width, 1)),
        "p_first_better": float(first_better),
        "p_second_better": float(second_better),
        "p": float(min(1, 2 * min(first_better, second_better))),
    }


def by_seed(
    reference_runs: dict[int, pd.DataFrame], other_runs: dict[int, pd.DataFrame], truth: pd.Series
) -> pd.DataFrame:
    """McNemar's test of two methods for each seed.

    A method with one seed, such as one that draws nothing at random, is compared to each seed of the other.

    Parameters
    ----------
    reference_runs, other_runs
        Predictions of each run, by seed.
    truth
        True labels of the target, by cell_id.

    Returns
    -------
    For each seed and each measure ("raw": the raw label is right; "annotated": it is right and kept) a row: measure,
    reference_seed, other_seed, and what `mcnemar` gives, the reference being the first.

    Raises
    ------
    ValueError
        If both have several seeds, and not the same.
    KeyError
        If a cell of `truth` has no prediction.
    """
    if min(len(reference_runs), len(other_runs)) == 1:
        pairs = [(reference, other) for reference in reference_runs for other in other_runs]
    elif set(reference_runs) == set(other_runs):
        pairs = [(seed, seed) for seed in reference_runs]
    else:
        raise ValueError(f"seeds {sorted(reference_runs)} cannot be paired with seeds {sorted(other_runs)}")
    reference = {seed: _right(run, truth) for seed, run in reference_runs.items()}
    other = {seed: _right(run, truth) for seed, run in other_runs.items()}
    return pd.DataFrame(
        [
            {"measure": measure, "reference_seed": first, "other_seed": second}
            | mcnemar(reference[first][measure], other[second][measure])
            for measure in MEASURES
            for first, second in pairs
        ]
    )


def _right(run: pd.DataFrame, truth: pd.Series) -> pd.DataFrame:
    """Whether each cell is right, by each measure."""
    cells = correct_and_kept(run, truth)
    return pd.DataFrame({"raw": cells["correct"], "annotated": cells["correct"] & cells["kept"]})


def against(
    reference_runs: dict[int, pd.DataFrame], other_runs: dict[int, pd.DataFrame], truth: pd.Series
) -> pd.DataFrame:
    """A method against a reference on the same cells, over their seeds; parameters and errors as for `by_seed`.

    p-values of several seeds are of the same cells, so they depend on each other, and no rule for independent ones
    applies. Twice their median is a p-value however they depend (Rüger 1978; see Vovk and Wang, Biometrika 107, 2020).
    It is taken of the one-sided p-values of each direction, and the smaller of the two is doubled: of two-sided ones,
    seeds that contradict each other would make a difference significant. The mean of the intervals over cells is no
    narrower than an interval of the mean.

    Returns
    -------
    A row for each measure: measure, n (cells), pairs (of seeds), n_only_first and n_only_second (means over seeds; the
    reference is the first), difference (mean, the reference minus the other), low, high (over cells; means of the
    seeds' bounds), sd (of the difference over seeds, NaN for one), seeds_low, seeds_high (its 95 % paired t interval
    over seeds), seeds_interval ("ok", or why there is none) and p.
    """
    from scipy.stats import t

    tests = by_seed(reference_runs, other_runs, truth)
    seeds = min(len(reference_runs), len(other_runs))
    rows = []
    for measure, of_measure in tests.groupby("measure", sort=False):
        pairs = len(of_measure)
        difference, sd = of_measure["difference"].mean(), of_measure["difference"].std()
        one_sided = min(of_measure["p_first_better"].median(), of_measure["p_second_better"].median())
        half_width = t.ppf((1 + INTERVAL) / 2, pairs - 1) * sd / np.sqrt(pairs) if seeds > 1 else np.nan
        rows.append(
            {"measure": measure, "n": of_measure["n"].iloc[0], "pairs": pairs}
            | of_measure[["n_only_first", "n_only_second", "difference", "low", "high"]].mean().to_dict()
            | {
                "sd": sd,
                "seeds_low": difference - half_width,
                "seeds_high": difference + half_width,
                "seeds_interval": "ok" if seeds > 1 else "needs several seeds of both methods",
                "p": min(1.0, 2 * 2 * one_sided) if pairs > 1 else of_measure["p"].iloc[0],
            }
        )
    return pd.DataFrame(rows)


def raw_accuracy(runs: dict[int, pd.DataFrame], truth: pd.Series) -> float:
    """Mean over seeds of the share of cells whose raw label is right."""
    return float(np.mean([correct_and_kept(run, truth)["correct"].mean() for run in runs.values()]))


def of_pairs(
    pairs: Iterable[tuple[str, str]], runs: dict[str, dict[int, pd.DataFrame]], truth: pd.Series
) -> pd.DataFrame:
    """Raw labels of pairs of methods on one task, p-values corrected for the number of these pairs.

    Parameters
    ----------
    pairs
        First and second method, both with runs.
    runs
        Predictions by method and seed.
    truth
        True labels of the target, by cell_id.

    Returns
    -------
    Columns first, second, then `COLUMNS`; the difference is the first minus the second.
    """
    tests = [
        against(runs[first], runs[second], truth).query("measure == 'raw'").assign(first=first, second=second)
        for first, second in pairs
    ]
    if not tests:
        return pd.DataFrame(columns=["first", "second", *COLUMNS])
    return correct(pd.concat(tests, ignore_index=True))[["first", "second", *COLUMNS]]


def against_the_best(
    methods: Iterable[str], runs: dict[str, dict[int, pd.DataFrame]], truth: pd.Series
) -> pd.DataFrame:
    """The method with the highest raw accuracy against each other one that has runs, see `of_pairs`.

    The best of K is chosen on the cells that test it, so Holm's p-values of its K - 1 comparisons are multiplied by
    K / 2: the smallest is corrected for all K (K - 1) / 2 pairs. Among equal methods, and among any that are equal to
    each other, at least one is called worse with a probability of at most the level.
    """
    accuracy = {method: raw_accuracy(runs[method], truth) for method in methods if method in runs}
    best = max(accuracy, key=accuracy.get, default=None)
    tests = of_pairs([(best, method) for method in accuracy if method != best], runs, truth)
    return tests.assign(adjusted_p=(tests["adjusted_p"] * len(accuracy) / 2).clip(upper=1))


def correct(table: pd.DataFrame) -> pd.DataFrame:
    """Add adjusted_p: column p corrected by Holm's method for all comparisons of the table.

    A row without p, of a method that failed, is no comparison and stays NaN.
    """
    from statsmodels.stats.multitest import multipletests

    compared = table["p"].notna()
    adjusted = pd.Series(np.nan, index=table.index)
    adjusted[compared] = multipletests(table.loc[compared, "p"], method="holm")[1]
    return table.assign(adjusted_p=adjusted)

"""The preset `robust` on real cells: 24 pairs and targets of other composition it was built on, 44 that it was not."""

import os

import numpy as np
import pandas as pd
import pytest
import targets
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from jindbench.jind.estimator import JIND
from jindbench.methods import logreg
from jindbench.names import CELL_ID, CONFIDENCE, LABEL, RAW_LABEL, THRESHOLD, UNASSIGNED
from jindbench.paired_tests import against

SEEDS = range(5)
STAGES = ["unaligned", "JIND", "JIND+"]
GROUPS = {"chosen": targets.CHOSEN, "kept aside": targets.KEPT_ASIDE, "fresh": targets.FRESH}


def annotate(source, of_source, seed):
    """Tables of predictions of each stage for the targets of one source, by name; one fit serves them all."""
    with threadpool_limits(1):
        reference = JIND("robust", seed=seed, progress=False).fit(source)
        found = {}
        for name, target in of_source.items():
            aligned = reference.align(target)
            stages = (reference, aligned, aligned.self_train(target))
            found[name] = {stage: model.predict(target) for stage, model in zip(STAGES, stages, strict=True)}
    return seed, found


def coverage_loss(run, truth, accuracy):
    """Least share of cells to reject, the least sure first, for that accuracy on the others."""
    run = run.set_index(CELL_ID).loc[truth.index]
    surest = (run[THRESHOLD] - run[CONFIDENCE]).argsort(kind="stable")
    right = (run[RAW_LABEL] == truth).to_numpy()[surest]
    enough = np.flatnonzero(right.cumsum() / np.arange(1, len(right) + 1) >= accuracy - 1e-9)
    return 1 - (enough.max() + 1) / len(right) if len(enough) else 1.0


def area(run, truth):
    """Mean error over all coverages: how well the confidence ranks cells, and how many are wrong."""
    run = run.set_index(CELL_ID).loc[truth.index]
    right = (run[RAW_LABEL] == truth).to_numpy()[(run[THRESHOLD] - run[CONFIDENCE]).argsort(kind="stable")]
    return 1 - (right.cumsum() / np.arange(1, len(right) + 1)).mean()


def row(runs, truth):
    """What the stages reach on one target: means over seeds, JIND against unaligned paired over cells."""

    def mean(quantity, stage):
        return np.mean([quantity(run.set_index(CELL_ID).loc[truth.index]) for run in runs[stage].values()])

    result = {}
    for stage in STAGES:
        result[f"raw {stage}"] = mean(lambda run: (run[RAW_LABEL] == truth).mean(), stage)
        result[f"rej {stage}"] = mean(lambda run: (run[LABEL] == UNASSIGNED).mean(), stage)
        result[f"area {stage}"] = np.mean([area(run, truth) for run in runs[stage].values()])
        lost = []
        for seed, run in runs[stage].items():
            plain = runs["unaligned"][seed].set_index(CELL_ID).loc[truth.index]
            kept = plain[LABEL] != UNASSIGNED
            lost.append(coverage_loss(run, truth, (plain[RAW_LABEL] == truth)[kept].mean()))
        result[f"rej at equal eff {stage}"] = np.mean(lost)
    paired = against(runs["unaligned"], runs["JIND"], truth).set_index("measure").loc["raw"]
    return result | {"p": paired["p"]}


def run_logreg(source, target):
    """Raw accuracy of logistic regression, which the safety of the preset is measured by too."""
    bare = target.copy()
    bare.obs = bare.obs[[]]
    table = logreg.run(source, bare, logreg.Parameters(), seed=0, threads=1, model_dir=None, parent_dir=None).table
    return (table.set_index(CELL_ID)[RAW_LABEL] == target.obs[LABEL]).mean()


@pytest.fixture(scope="module")
def table():
    if not targets.DATA.is_dir():
        pytest.skip(f"the real cells for development are not here: {targets.DATA}")
    every = [(group, target, *target.cells()) for group, of_group in GROUPS.items() for target in of_group]
    by_source = {}
    for _, target, source, cells in every:
        key = (target.file, target.source, tuple(sorted(source.obs[LABEL].unique())))
        of_source = by_source.setdefault(key, (source, {}))[1]
        of_source[target.name] = cells[:, :].copy()
        of_source[target.name].obs = cells.obs[[]]
    jobs = [delayed(annotate)(source, of_source, seed) for source, of_source in by_source.values() for seed in SEEDS]
    runs = {}
    for seed, found in Parallel(n_jobs=os.cpu_count(), return_as="generator")(jobs):
        for name, stages in found.items():
            for stage, predicted in stages.items():
                runs.setdefault(name, {}).setdefault(stage, {})[seed] = predicted
    rows = [
        {"group": group, "target": target.name, "shifted": target.shift is not None, "n": cells.n_obs}
        | row(runs[target.name], cells.obs[LABEL])
        | {"raw logreg": run_logreg(source, cells)}
        for group, target, source, cells in every
    ]
    made = pd.DataFrame(rows)
    made["gain"] = made["raw JIND"] - made["raw unaligned"]
    with pd.option_context("display.width", 250, "display.max_columns", None, "display.max_rows", None):
        print("\n" + made.round(3).to_string(index=False))
        print("\n" + made.groupby(["group", "shifted"]).mean(numeric_only=True).round(4).T.to_string())
        print("\n" + made.groupby(["group", "shifted"])["gain"].agg(["min", "max", "count"]).round(4).to_string())
    return made


def test_on_other_compositions_it_gains_two_points(table):
    shifted = table[table["shifted"]].groupby("group")["gain"].mean()
    assert (shifted >= 0.02).all(), shifted


def test_no_target_loses_more_than_a_point_beyond_chance(table):
    lost = table[table["gain"] < -0.01]
    assert (lost["p"] > 0.05).all(), lost
    assert len(lost) <= 1, lost  # one of 68 when this was written


def test_it_is_no_worse_than_logistic_regression(table):
    pairs = table[~table["shifted"]]
    assert pairs["raw JIND"].mean() >= pairs["raw logreg"].mean()
    assert (pairs["raw JIND"] >= pairs["raw logreg"] - 0.01).all()


def test_its_confidence_ranks_cells_better_than_unaligned(table):
    assert table["area JIND"].mean() < table["area unaligned"].mean()

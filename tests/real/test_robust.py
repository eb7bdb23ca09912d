"""The preset `robust` on real cells: pairs, and targets of other composition, most of which it was built on."""

import os

import pandas as pd
import pytest
import targets
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from jindbench.jind.estimator import JIND
from jindbench.methods import logreg
from jindbench.names import CELL_ID, LABEL, RAW_LABEL
from jindbench.scoring.metrics import correct_and_kept
from jindbench.scoring.paired_tests import against
from jindbench.scoring.rejection import area, coverage_curve

SEEDS = range(5)
STAGES = ["unaligned", "JIND", "JIND+"]
GROUPS = {
    "chosen": targets.CHOSEN,
    "kept aside": targets.KEPT_ASIDE,
    "fresh": targets.FRESH,
    "later": targets.LATER,
    "unseen": targets.UNSEEN,
}


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


def least_rejected(curve, accuracy):
    """Least share of cells to reject, the least confident first, for that accuracy on the others."""
    reached = curve["coverage"][curve["accuracy"] >= accuracy - 1e-9]
    return 1 - reached.max() if len(reached) else 1.0


def row(runs, truth):
    """What the stages reach on one target: means over seeds, JIND against unaligned paired over cells."""
    each = []
    for stage, of_stage in runs.items():
        for seed, run in of_stage.items():
            plain, cells = correct_and_kept(runs["unaligned"][seed], truth), correct_and_kept(run, truth)
            curve = coverage_curve(run, truth)
            each.append(
                {
                    f"raw {stage}": cells["correct"].mean(),
                    f"rej {stage}": 1 - cells["kept"].mean(),
                    f"area {stage}": 1 - area(curve),
                    f"rej at equal eff {stage}": least_rejected(curve, plain["correct"][plain["kept"]].mean()),
                }
            )
    paired = against(runs["unaligned"], runs["JIND"], truth).set_index("measure").loc["raw"]
    return pd.DataFrame(each).mean().to_dict() | {"p": paired["p"]}


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
        gains = made.assign(**{"gain of JIND+": made["raw JIND+"] - made["raw unaligned"]}).groupby(
            ["group", "shifted"]
        )
        print("\n" + gains[["gain", "gain of JIND+"]].agg(["min", "max", "count"]).round(4).to_string())
    return made


def test_on_other_compositions_it_gains_two_points(table):
    assert table.loc[table["shifted"], "gain"].mean() >= 0.02


@pytest.mark.parametrize("stage", ["JIND", "JIND+"])
def test_no_target_loses_more_than_a_point(table, stage):
    lost = table[table[f"raw {stage}"] < table["raw unaligned"] - 0.01]
    assert lost.empty, lost


def test_it_is_no_worse_than_logistic_regression(table):
    pairs = table[~table["shifted"]]
    assert pairs["raw JIND"].mean() >= pairs["raw logreg"].mean()
    assert (pairs["raw JIND"] >= pairs["raw logreg"] - 0.01).all()


@pytest.mark.parametrize("shifted", [False, True])
def test_it_rejects_fewer_cells_for_the_same_effective_accuracy(table, shifted):
    means = table[table["shifted"] == shifted].mean(numeric_only=True)
    assert means["rej at equal eff JIND"] < means["rej at equal eff unaligned"]
    assert means["area JIND"] < means["area unaligned"]

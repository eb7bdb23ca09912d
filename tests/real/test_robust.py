"""`robust` and `consensus` on real cells: pairs, and targets of other composition, most of which they were built on.

`make test-real` prints the tables of docs/robust-alignment.md; `pytest tests/real/test_robust.py -s` prints them alone.
"""

import os

import pandas as pd
import pytest
import targets
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from jindbench.jind.estimator import JIND
from jindbench.methods import logreg, svm_rej
from jindbench.names import LABEL
from jindbench.scoring.metrics import correct_and_kept
from jindbench.scoring.paired_tests import against
from jindbench.scoring.rejection import area, coverage_curve

SEEDS = range(5)
SINGLE = ["logreg", "svm", "unaligned", "JIND"]
STAGES = ["unaligned", "JIND", "JIND+", "consensus unaligned", "consensus"]
SIMPLE = {"logreg": logreg, "svm": svm_rej}
GROUPS = {
    "chosen": targets.CHOSEN,
    "kept aside": targets.KEPT_ASIDE,
    "fresh": targets.FRESH,
    "later": targets.LATER,
    "unseen": targets.UNSEEN,
    "between species": targets.BETWEEN_SPECIES,
    "last": targets.LAST,
}


def annotate(source, of_source, seed):
    """Tables of predictions of each stage for the targets of one source, by name; one fit serves them all."""
    with threadpool_limits(1):
        reference, consensus = (JIND(preset, seed=seed, progress=False) for preset in ("robust", "consensus"))
        reference.fit(source)
        consensus.fit(source)
        found = {}
        for name, target in of_source.items():
            aligned = reference.align(target)
            stages = (reference, aligned, aligned.self_train(target), consensus, consensus.align(target))
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


def simple(method, source, target):
    """Predictions of a simple method, which the presets are measured by too."""
    bare = target.copy()
    bare.obs = bare.obs[[]]
    return method.run(source, bare, method.Parameters(), seed=0, threads=1, model_dir=None, parent_dir=None).table


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
    for _, target, source, cells in every:
        runs[target.name] |= {name: {0: simple(method, source, cells)} for name, method in SIMPLE.items()}
    rows = [
        {"group": group, "target": target.name, "shifted": target.shift is not None, "n": cells.n_obs}
        | row(runs[target.name], cells.obs[LABEL])
        for group, target, _, cells in every
    ]
    made = pd.DataFrame(rows)
    made["gain"] = made["raw JIND"] - made["raw unaligned"]
    with pd.option_context("display.width", 250, "display.max_columns", None, "display.max_rows", None):
        print("\n" + made.round(3).to_string(index=False))
        print("\n" + made.groupby(["group", "shifted"]).mean(numeric_only=True).round(4).T.to_string())
        gains = made[["group", "shifted"]].assign(
            gain=made["gain"],
            plus=made["raw JIND+"] - made["raw unaligned"],
            consensus=made["raw consensus"] - made["raw consensus unaligned"],
            against_best=made["raw consensus"] - made[[f"raw {name}" for name in SINGLE]].max(axis=1),
        )
        print("\n" + gains.groupby(["group", "shifted"]).agg(["min", "max"]).round(4).to_string())
    return made


def test_on_other_compositions_it_gains_two_points(table):
    assert table.loc[table["shifted"], "gain"].mean() >= 0.02


@pytest.mark.parametrize(
    ("stage", "before"), [("JIND", "unaligned"), ("JIND+", "unaligned"), ("consensus", "consensus unaligned")]
)
def test_no_target_loses_much_more_than_a_point(table, stage, before):
    lost = table[table[f"raw {stage}"] < table[f"raw {before}"] - 0.015]
    assert lost.empty, lost


@pytest.mark.parametrize("shifted", [False, True])
def test_the_consensus_is_better_than_every_single_method(table, shifted):
    means = table[table["shifted"] == shifted].mean(numeric_only=True)
    for single in SINGLE:
        assert means["raw consensus"] > means[f"raw {single}"]
        assert means["area consensus"] < means[f"area {single}"]


@pytest.mark.parametrize("shifted", [False, True])
def test_it_rejects_fewer_cells_for_the_same_effective_accuracy(table, shifted):
    means = table[table["shifted"] == shifted].mean(numeric_only=True)
    assert means["rej at equal eff JIND"] < means["rej at equal eff unaligned"]
    assert means["area JIND"] < means["area unaligned"]

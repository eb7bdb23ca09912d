"""Novelty of the preset `robust` on real cells: each type in turn removed from the source of each whole pair, and none."""

import os
from dataclasses import replace

import pandas as pd
import pytest
import targets
from joblib import Parallel, delayed
from sklearn.metrics import roc_auc_score
from test_robust import GROUPS
from threadpoolctl import threadpool_limits

from jindbench.annotate.findings import SMALL_TYPE, UNLIKE_CELLS
from jindbench.annotate.labelling import BY_EXPRESSION
from jindbench.execution.hold_out import FEWEST_CELLS
from jindbench.jind.estimator import JIND
from jindbench.names import LABEL, NOVELTY, RAW_LABEL, UNASSIGNED


def without(name, source, cells):
    """How novelty tells cells of the type that is removed from all others, and which cells and types are flagged.

    Types are *named* as the page of `annotate` names them; *rightly* where as many of their cells are new.
    """
    bare = cells.copy()
    bare.obs = bare.obs[[]]
    rest = source[source.obs[LABEL] != name].copy()
    with threadpool_limits(1):
        reference = JIND("robust", progress=False).fit(rest)
        table = reference.align(bare).predict(bare)
        model = replace(reference.model_, profiles=None)
        by_confidence = model.predict(bare, 0).table[NOVELTY]
    new = (cells.obs[LABEL] == name).to_numpy()
    unlike = (table[NOVELTY] > BY_EXPRESSION.above).to_numpy()
    flagged = unlike & (table[LABEL] == UNASSIGNED).to_numpy()
    types = pd.DataFrame({"unlike": unlike, "new": new}).groupby(table[RAW_LABEL])
    shares, sizes = 100 * types.mean(), rest.obs[LABEL].value_counts()
    shares = shares[(types.size() >= SMALL_TYPE) & (sizes.reindex(shares.index) >= SMALL_TYPE)]
    named = shares["unlike"] > UNLIKE_CELLS
    row = {"type": name or "none", "n": int(new.sum()), "others flagged": flagged[~new].mean()}
    row |= {"types": len(named), "named": named.sum(), "rightly": (named & (shares["new"] >= UNLIKE_CELLS)).sum()}
    if name is not None:
        scores = {"by confidence": by_confidence, "novelty": table[NOVELTY]}
        row |= {score: roc_auc_score(new, values) for score, values in scores.items()} | {
            "flagged": flagged[new].mean()
        }
    return row


def without_each_type(group, target):
    source, cells = target.cells()
    counts, theirs = source.obs[LABEL].value_counts(), cells.obs[LABEL].value_counts()
    names = counts.index[(counts >= FEWEST_CELLS) & (theirs.reindex(counts.index) >= FEWEST_CELLS)]
    return [{"group": group, "target": target.name} | without(name, source, cells) for name in [None, *names]]


@pytest.fixture(scope="module")
def table():
    if not targets.DATA.is_dir():
        pytest.skip(f"the real cells for development are not here: {targets.DATA}")
    pairs = [(group, target) for group, of_group in GROUPS.items() for target in of_group if target.shift is None]
    found = Parallel(n_jobs=os.cpu_count())(delayed(without_each_type)(*pair) for pair in pairs)
    made = pd.DataFrame([row for rows in found for row in rows])
    missing = made["type"] != "none"
    with pd.option_context("display.width", 250, "display.max_columns", None, "display.max_rows", None):
        print("\n" + made.round(3).to_string(index=False))
        measures = ["by confidence", "novelty", "flagged", "others flagged"]
        print("\n" + made[missing].groupby("group")[measures].mean().round(3).to_string())
        aurocs = made.loc[missing, measures[:2]]
        print("\n" + aurocs.agg(["count", "mean", "median", lambda auroc: (auroc < 0.5).sum()]).round(3).to_string())
        counts = made.groupby(missing)[["types", "named", "rightly"]].sum()
        print("\n" + counts.rename({True: "with a type missing", False: "with a complete source"}).to_string())
    return made


def test_novelty_tells_new_types_better_than_confidence_does(table):
    means = table[table["type"] != "none"].groupby("group")[["by confidence", "novelty"]].mean()
    assert (means["novelty"] > means["by confidence"]).all()
    assert table["novelty"].mean() > 0.75


def test_few_cells_and_types_that_are_not_new_are_named(table):
    missing = table["type"] != "none"
    assert table.loc[missing, "flagged"].mean() > 5 * table.loc[missing, "others flagged"].mean()
    assert table.loc[missing, "others flagged"].mean() < 1.5 * BY_EXPRESSION.mistaken
    assert table.loc[missing, "rightly"].sum() > table.loc[missing, "named"].sum() / 2
    complete = table[~missing]
    assert complete["named"].sum() < 0.1 * complete["types"].sum()

"""Novelty of the preset `robust` on real cells: each type in turn removed from the source of each whole pair."""

import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import targets
from joblib import Parallel, delayed
from sklearn.metrics import roc_auc_score
from test_robust import GROUPS
from threadpoolctl import threadpool_limits

from jindbench.annotate.labelling import CLEARLY_NEW
from jindbench.hold_out import FEWEST_CELLS
from jindbench.jind.estimator import JIND
from jindbench.names import LABEL, NOVELTY, UNASSIGNED


def without_each_type(group, target):
    """A row for each type of one pair: how novelty tells its cells from all others, and which cells are flagged."""
    source, cells = target.cells()
    truth, rows = cells.obs[LABEL].to_numpy(dtype=str), []
    bare = cells.copy()
    bare.obs = bare.obs[[]]
    counts, theirs = source.obs[LABEL].value_counts(), pd.Series(truth).value_counts()
    for name in counts.index[(counts >= FEWEST_CELLS) & (theirs.reindex(counts.index) >= FEWEST_CELLS)]:
        with threadpool_limits(1):
            reference = JIND("robust", progress=False).fit(source[source.obs[LABEL] != name].copy())
            table = reference.align(bare).predict(bare)
            by_confidence = JIND("robust", progress=False)
            by_confidence.model_ = replace(reference.model_, profiles=None)
            old = by_confidence.predict(bare)[NOVELTY]
        new, high = truth == name, table[NOVELTY].to_numpy() > CLEARLY_NEW
        flagged = high & (table[LABEL] == UNASSIGNED).to_numpy()
        row = {"group": group, "target": target.name, "type": name, "n": int(new.sum())}
        row |= {"by confidence": roc_auc_score(new, old), "novelty": roc_auc_score(new, table[NOVELTY])}
        row |= {"flagged": flagged[new].mean(), "others flagged": flagged[~new].mean()}
        rows.append(row)
    return rows


@pytest.fixture(scope="module")
def table():
    if not targets.DATA.is_dir():
        pytest.skip(f"the real cells for development are not here: {targets.DATA}")
    pairs = [(group, target) for group, of_group in GROUPS.items() for target in of_group if target.shift is None]
    found = Parallel(n_jobs=os.cpu_count())(delayed(without_each_type)(*pair) for pair in pairs)
    made = pd.DataFrame([row for rows in found for row in rows])
    with pd.option_context("display.width", 250, "display.max_columns", None, "display.max_rows", None):
        print("\n" + made.round(3).to_string(index=False))
        print("\n" + made.groupby("group").mean(numeric_only=True).round(3).to_string())
        measures = made[["by confidence", "novelty"]]
        print(measures.agg(["mean", "median", lambda auroc: (auroc < 0.5).sum()]).round(3).to_string())
    return made


def test_novelty_tells_new_types_better_than_confidence_does(table):
    assert len(table) > 150
    for group in np.unique(table["group"]):
        means = table.loc[table["group"] == group, ["by confidence", "novelty"]].mean()
        assert means["novelty"] > means["by confidence"], group
    assert table["novelty"].mean() > 0.75


def test_few_cells_of_known_types_are_flagged(table):
    assert table["others flagged"].mean() < 0.05
    assert table["flagged"].mean() > 4 * table["others flagged"].mean()

"""Types removed from the source: measures with answers computed by hand, and what is shown where there are none."""

import numpy as np
import pandas as pd
import pytest

from jindbench import io, predictions, registry
from jindbench.execution import hold_out
from jindbench.figures import held_out_labels, held_out_scores
from jindbench.scoring import held_out_types
from jindbench.tables import held_out_types as tables
from toy_task import sides

TYPES = np.array(["A", "B"])


def predicted(novelty, confidence, threshold=0.5):
    """Cells c0, c1, ... of which every second is labelled B; rejected below the threshold."""
    confidence = np.asarray(confidence)
    is_b = np.arange(len(confidence)) % 2
    probabilities = np.where(is_b[:, None] == [0, 1], confidence[:, None], 0)
    cells = pd.Index([f"c{i}" for i in range(len(confidence))])
    return predictions.from_probabilities(
        cells, TYPES, probabilities, threshold, scores=np.eye(2)[is_b], novelty=np.asarray(novelty, dtype=float)
    ).table


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(held_out_types, "FEWEST_CELLS", 2)
    monkeypatch.setattr(hold_out, "FEWEST_CELLS", 2)


TRUTH = pd.Series(["New", "New", "A", "B", "Other"], index=[f"c{i}" for i in range(5)])


@pytest.mark.usefixtures("few")
def test_measures_of_four_cells():
    """Novelty 4 and 2 of the new cells, 3 and 1 of the known ones: 3 of the 4 pairs are in the right order.

    The fifth cell, of a type that the source lacks anyway, counts as neither, however novel.
    """
    table = predicted([4, 2, 3, 1, 9], [0.4, 0.9, 0.2, 0.8, 0.1])
    row = held_out_types.score(table, TRUTH, "New", ["New", "A", "B"])
    assert row == {
        "n_new": 2,
        "n_known": 2,
        "auroc": 0.75,
        "rejected_new": 0.5,
        "rejected_known": 0.5,
        "raw_known": 1.0,
        "status": "ok",
    }
    without_threshold = held_out_types.score(predicted([4, 2, 3, 1, 9], [0.4] * 5, None), TRUTH, "New", "AB")
    assert set(without_threshold) == {"n_new", "n_known", "auroc", "raw_known", "status"}


@pytest.mark.usefixtures("few")
def test_where_the_cells_of_the_type_go():
    table = predicted([0] * 5, [0.4, 0.9, 0.2, 0.8, 0.1])
    found = held_out_types.destinations(table, TRUTH, "New")
    assert found.to_numpy().tolist() == [["B", 1, 0.5], ["unassigned", 1, 0.5]]


def test_too_few_cells_are_said():
    table = predicted([0] * 5, [0.9] * 5)
    row = held_out_types.score(table, TRUTH, "New", "AB")
    assert row["status"] == "not applicable: fewer than 10 target cells of it"
    source = pd.Series(["A"] * 20 + ["B"] * 20 + ["C"] * 9)
    assert hold_out.not_applicable(source) == {"A": "", "B": "", "C": "not applicable: fewer than 10 source cells"}
    assert set(hold_out.not_applicable(source[:40]).values()) == {"not applicable: a single type would be left"}


SOURCE = pd.Series(["New", "New", "A", "A", "B", "B"])


def scores_of(failures=None, without_result="", method="m", seed=0):
    table = predicted([4, 2, 3, 1, 9], [0.4, 0.9, 0.2, 0.8, 0.1]).assign(held_out="New")
    tables = held_out_types.score_run(table, TRUTH, SOURCE, failures or {}, without_result)
    return [one.assign(task="t", method=method, seed=seed) for one in tables]


@pytest.mark.usefixtures("few")
def test_what_has_no_measures_says_why_and_leaves_no_mean():
    scores, labels = scores_of({"A": "ValueError: no luck"})
    assert scores.set_index("held_out")["status"].to_dict() == {
        "A": "failed: ValueError: no luck",
        "B": "not applicable: fewer than 2 target cells of it",
        "New": "ok",
    }
    assert set(labels["held_out"]) == {"New"}
    text = tables.shown(scores, labels).markdown()
    assert "| failed: ValueError: no luck (without A, seed 0) | - |" in text
    scores, labels = scores_of(without_result="not run: no R")
    assert set(scores["status"]) == {"not run: no R"}
    assert "not run: no R" in tables.shown(scores, labels).markdown()
    nothing = tables.shown(pd.DataFrame(columns=held_out_types.COLUMNS), labels)
    assert nothing.markdown() == f"{tables.NOTHING}\n"


@pytest.mark.usefixtures("few")
def test_the_page_has_means_over_types_and_seeds():
    scores, labels = (pd.concat(parts) for parts in zip(scores_of(), scores_of(seed=1), strict=True))
    scores = scores[scores["held_out"] == "New"]
    scores["auroc"] = [0.7, 0.9]
    row = tables.means(scores, labels).iloc[0]
    assert row["AUROC"] == "0.800 ± 0.141"
    assert row["lowest"] == "0.800 New: 50% B"
    assert row["types"] == "1"
    assert held_out_types.over_seeds(scores)["auroc"].tolist() == pytest.approx([0.8])
    shares = held_out_types.shares_over_seeds(labels).set_index("label")["share"]
    assert shares.to_dict() == {"B": 0.5, "unassigned": 0.5}


def faulty(without):
    class Method:
        """Fails on a source that lacks a type."""

        @staticmethod
        def run(source, target, parameters, **where):
            if without not in set(source.obs["label"]):
                raise ValueError("no luck")
            return registry.component("methods", "majority").run(source, target, parameters, **where)

    return Method


def test_a_method_never_sees_the_type_and_one_failure_leaves_the_others():
    source, target, _ = sides()
    majority = registry.component("methods", "majority")
    stages = [(majority, majority.Parameters()), (faulty("Neuron"), majority.Parameters())]
    table, failures = hold_out.without_each_type(stages, source, target, seed=0, threads=1)
    assert failures == {"Neuron": "ValueError: no luck"}
    removed = [name for name, reason in hold_out.not_applicable(source.obs["label"]).items() if not reason]
    assert set(table["held_out"]) == set(removed) - {"Neuron"}
    assert (table.groupby("held_out").size() == target.n_obs).all()
    assert (table["raw_label"] != table["held_out"]).all()


@pytest.mark.usefixtures("few")
def test_pictures_have_the_values_and_words_for_what_failed():
    parts = [scores_of(), scores_of({"New": "no luck"}, method="broken")]
    parts.append(scores_of(without_result="not applicable: the integration has seen the type", method="integrated"))
    scores, labels = (pd.concat(table for table in tables if len(table)) for tables in zip(*parts, strict=True))
    scores, shares = held_out_types.over_seeds(scores), held_out_types.shares_over_seeds(labels)
    figure = held_out_scores.matrices(scores)
    auroc, rejected = ([text.get_text() for text in panel.texts] for panel in figure.axes)
    assert auroc == [".75", "failed", "-"]
    assert rejected == [".50", "failed", "-"]
    figure = held_out_labels.matrices(shares, scores)
    assert [text.get_text() for text in figure.axes[0].texts if text.get_text()] == ["50", "50"]


@pytest.mark.usefixtures("few")
def test_what_cannot_be_drawn_says_why(tmp_path):
    scores, labels = tmp_path / "scores.tsv", tmp_path / "labels.tsv"
    table = scores_of({"New": "no luck"}, method="broken")[0]
    io.write_table(table, scores)
    io.write_table(pd.DataFrame(columns=held_out_types.LABEL_COLUMNS), labels)
    assert held_out_labels.draw(scores, labels, {"t": "T"}, {"broken": "B"}).missing == ["B on T: failed: no luck"]
    io.write_table(table.head(0), scores)
    for drawn in (
        held_out_scores.draw(scores, {"t": "T"}, {"broken": "B"}),
        held_out_labels.draw(scores, labels, {"t": "T"}, {"broken": "B"}),
    ):
        assert drawn.picture is None
        assert "held_out_types" in drawn.missing[0]

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from jindbench import predictions

CELLS = pd.Index(["c0", "c1", "c2"])
TYPES = np.array(["A", "B"])
PROBABILITIES = np.array([[0.9, 0.1], [0.3, 0.7], [0.5, 0.5]])


def labels(threshold, **options):
    return predictions.from_probabilities(CELLS, TYPES, PROBABILITIES, threshold, **options).table["label"].tolist()


def test_the_most_probable_type_unless_below_its_threshold():
    table = predictions.from_probabilities(CELLS, TYPES, PROBABILITIES, np.array([0.6, 0.8])).table
    assert table["raw_label"].tolist() == ["A", "B", "A"]
    assert table["confidence"].tolist() == [0.9, 0.7, 0.5]
    assert table["threshold"].tolist() == [0.6, 0.8, 0.6]
    assert table["label"].tolist() == ["A", "unassigned", "unassigned"]


def test_at_the_threshold():
    assert labels(0.7) == ["A", "B", "unassigned"]
    assert labels(0.7, reject_at_threshold=True) == ["A", "unassigned", "unassigned"]


def test_without_a_threshold_nothing_is_rejected():
    assert labels(None) == ["A", "B", "A"]
    table = predictions.from_probabilities(CELLS, TYPES, PROBABILITIES, None).table
    assert table["threshold"].isna().all()


def test_novelty_is_the_distance_below_the_threshold_or_the_methods_own():
    """And never changes a label."""
    table = predictions.from_probabilities(CELLS, TYPES, PROBABILITIES, np.array([0.6, 0.8])).table
    assert table["novelty"].tolist() == pytest.approx([-0.3, 0.1, 0.1])
    table = predictions.from_probabilities(CELLS, TYPES, PROBABILITIES, None).table
    assert table["novelty"].tolist() == pytest.approx([0.1, 0.3, 0.5])
    own = predictions.from_probabilities(CELLS, TYPES, PROBABILITIES, 0.6, novelty=np.array([7.0, 8.0, 9.0])).table
    assert own["novelty"].tolist() == [7, 8, 9]
    assert own.drop(columns="novelty").equals(good().table.drop(columns="novelty"))


def good():
    return predictions.from_probabilities(CELLS, TYPES, PROBABILITIES, 0.6)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("cell_id", ["c0", "c0", "c2"], "cell 'c0' is predicted twice"),
        ("cell_id", ["c0", "c1", "x"], "1 of 3 target cells have no prediction"),
        ("raw_label", ["A", "B", "Z"], "'Z' is not a type of the source"),
        ("confidence", [0.9, np.nan, 0.5], "a confidence is NaN"),
        ("confidence", [1.9, 0.7, 0.5], "not between 0 and 1"),
        ("novelty", [0.1, np.nan, 0.1], "a novelty is NaN or infinite"),
        ("novelty", [0.1, np.inf, 0.1], "a novelty is NaN or infinite"),
        ("label", ["B", "B", "unassigned"], "label is neither raw_label nor 'unassigned'"),
        ("label", ["A", "unassigned", "unassigned"], "rejected whose confidence is above"),
        ("label", ["A", "B", "A"], "not rejected whose confidence is below"),
        ("other", [1, 2, 3], "columns are"),
    ],
)
def test_rubbish_is_refused(column, values, message):
    predictions.check(good(), CELLS, set(TYPES))
    with pytest.raises(predictions.InvalidPredictions, match=message):
        predictions.check(replace(good(), table=good().table.assign(**{column: values})), CELLS, set(TYPES))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[0.9, 0.2], [0.3, 0.7], [0.5, 0.5]], "do not sum to 1"),
        ([[np.nan, 0.1], [0.3, 0.7], [0.5, 0.5]], "NaN"),
        ([[0.4, 0.6], [0.3, 0.7], [0.5, 0.5]], "not the most probable"),
    ],
)
def test_rubbish_probabilities_are_refused(values, message):
    rubbish = pd.DataFrame(values, index=CELLS, columns=TYPES)
    with pytest.raises(predictions.InvalidPredictions, match=message):
        predictions.check(replace(good(), probabilities=rubbish), CELLS, set(TYPES))
    with pytest.raises(predictions.InvalidPredictions, match="of the cells of the table, in its order"):
        predictions.check(replace(good(), probabilities=good().probabilities[::-1]), CELLS, set(TYPES))
    other = good().probabilities.set_axis(["A", "Z"], axis=1)
    with pytest.raises(predictions.InvalidPredictions, match="probabilities of 'Z'"):
        predictions.check(replace(good(), probabilities=other), CELLS, set(TYPES))


def test_one_model_for_each_type_has_its_own_confidence():
    each = predictions.from_probabilities(CELLS, TYPES, np.array([[0.9, 0.6], [0.0, 0.0], [0.2, 0.2]]), 0.5)
    assert each.table["confidence"].tolist() == [0.9, 0.0, 0.2]
    assert each.table["label"].tolist() == ["A", "unassigned", "unassigned"]
    assert each.probabilities.to_numpy() == pytest.approx(np.array([[0.6, 0.4], [0.5, 0.5], [0.5, 0.5]]))
    predictions.check(each, CELLS, set(TYPES))


def test_a_method_that_returns_something_else_is_told_what_to_return():
    with pytest.raises(predictions.InvalidPredictions, match="`run` returned NoneType, expected Predictions, such as"):
        predictions.check(None, CELLS, set(TYPES))


def test_a_cell_too_many_is_refused():
    table = good().table
    extra = replace(good(), table=pd.concat([table, table.iloc[:1].assign(cell_id="c9")]))
    with pytest.raises(predictions.InvalidPredictions, match="1 predicted cells are not in the target, such as 'c9'"):
        predictions.check(extra, CELLS, set(TYPES))


def test_written_and_read_again(tmp_path):
    predictions.write(good().table, tmp_path / "p.tsv.gz")
    pd.testing.assert_frame_equal(predictions.read(tmp_path / "p.tsv.gz"), good().table, check_dtype=False)
    predictions.write(predictions.none(), tmp_path / "none.tsv.gz")
    assert predictions.read(tmp_path / "none.tsv.gz").empty

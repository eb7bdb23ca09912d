"""How unlike its type a cell is: against numpy's correlation, and on a type that a classifier is sure to know."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.metrics import roc_auc_score

from jindbench.errors import InputError
from jindbench.jind.classifier import train_classifier
from jindbench.jind.model import JINDModel
from jindbench.jind.parameters import ClassifierParameters
from jindbench.jind.profiles import Profiles

RNG = np.random.default_rng(0)


def sparse_cells(means):
    return sparse.csr_matrix(np.log1p(RNG.poisson(means)), dtype=np.float32)


def test_likeness_is_the_correlation_of_differences_from_the_mean_type():
    types = RNG.integers(0, 3, 60)
    X = sparse_cells(RNG.gamma(1, 2, (3, 40))[types])
    profiles, dense = Profiles.of(X, types, 3), X.toarray().astype(float)
    means = np.array([dense[types == k].mean(axis=0) for k in range(3)])
    assert profiles.means == pytest.approx(means, abs=1e-6)
    apart = means.mean(axis=0)
    expected = [np.corrcoef(x - apart, means[k] - apart)[0, 1] for x, k in zip(dense, types, strict=True)]
    assert profiles.likeness(X, types) == pytest.approx(np.array(expected), abs=1e-5)
    typical = [np.median(np.array(expected)[types == k]) for k in range(3)]
    assert profiles.unlikeness(X, types) == pytest.approx(np.array(typical)[types] - expected, abs=1e-5)


def test_what_does_not_differ_from_the_mean_is_like_nothing():
    X = sparse_cells(np.full((5, 10), 2.0))
    one_type = Profiles.of(X, np.zeros(5, dtype=int), 1)
    assert one_type.likeness(X, np.zeros(5, dtype=int)).tolist() == [0] * 5
    two_types = Profiles(np.array([[1.0, 2, 3], [3, 2, 1]]), np.zeros(2))
    cells = sparse.csr_matrix([[2.0, 2, 2], [1, 2, 3], [3, 2, 1], [0, 0, 0]])
    assert two_types.likeness(cells, np.zeros(4, dtype=int)) == pytest.approx(np.array([0, 1, -1, 0]))


@pytest.fixture(scope="module")
def trained():
    """A model of two types, known cells, and cells of a third that has all genes of the first and some of its own."""
    means = np.full((2, 60), 0.5)
    means[0, :10], means[1, 10:20] = 6, 6
    third = means[0].copy()
    third[:10] *= 2
    third[20:50] = 6
    y = np.repeat([0, 1], 150)
    parameters = ClassifierParameters(preset="robust", epochs=10, members=2)
    labels, genes = np.array(["a", "b"])[y], [f"g{i}" for i in range(60)]
    model, _ = train_classifier(sparse_cells(means[y]), labels, genes, "log", parameters, seed=0)
    known = sparse_cells(means[np.repeat([0, 1], 50)])
    return model, known, sparse_cells(np.tile(third, (50, 1)))


def test_a_new_type_that_the_model_is_sure_of_is_novel(trained):
    model, known, new = trained
    X, is_new = sparse.vstack([known, new], format="csr"), np.repeat([False, True], [100, 50])
    assert (model.probabilities(new).argmax(dim=1) == 0).all()
    by_confidence = JINDModel(**vars(model) | {"profiles": None}).novelty(X)
    assert roc_auc_score(is_new, by_confidence) < 0.5
    assert roc_auc_score(is_new, model.novelty(X)) > 0.9


def test_a_stored_model_keeps_its_profiles_and_one_that_has_lost_them_is_refused(trained, tmp_path):
    model, known, _ = trained
    model.save(tmp_path, pd.DataFrame({"epoch": [1]}))
    assert np.array_equal(JINDModel.load(tmp_path, "cpu").novelty(known), model.novelty(known))
    without = JINDModel(**vars(model) | {"profiles": None})
    without.save(tmp_path / "old", pd.DataFrame({"epoch": [1]}))
    with pytest.raises(InputError, match="old: this model was stored by an older version"):
        JINDModel.load(tmp_path / "old", "cpu")

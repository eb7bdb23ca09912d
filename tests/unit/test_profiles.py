"""How unlike its type a cell is: against numpy's correlation, and on a type that a classifier is sure to know."""

from dataclasses import replace

import anndata as ad
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
from jindbench.names import LOG, MEASURED, X_KIND


def drawn(means, seed):
    """Transformed expression of cells with these mean counts."""
    return sparse.csr_matrix(np.log1p(np.random.default_rng(seed).poisson(means)), dtype=np.float32)


def correlation(x, of_type, means):
    mean = np.mean(means, axis=0)
    return np.corrcoef(x - mean, of_type - mean)[0, 1]


@pytest.fixture
def source():
    """Cells of three types, of which the last has a single cell."""
    rng = np.random.default_rng(0)
    types = np.append(rng.integers(0, 2, 60), 2)
    return drawn(rng.gamma(1, 2, (3, 40))[types], seed=1), types


def test_likeness_is_the_correlation_of_differences_from_the_mean_type(source):
    X, types = source
    profiles, dense = Profiles.of(X, types, 3), X.toarray().astype(float)
    means = np.array([dense[types == k].mean(axis=0) for k in range(3)])
    assert profiles.means == pytest.approx(means, abs=1e-6)
    expected = [correlation(x, means[k], means) for x, k in zip(dense, types, strict=True)]
    assert profiles.likeness(X, types) == pytest.approx(np.array(expected), abs=1e-5)


def test_typical_is_how_like_the_others_of_its_type_a_cell_is_in_the_median(source):
    X, types = source
    dense, typical = X.toarray().astype(float), []
    for k in (0, 1):
        of_type = []
        for cell in np.flatnonzero(types == k):
            others = np.arange(len(types)) != cell
            means = np.array([dense[others & (types == j)].mean(axis=0) for j in (0, 1)] + [dense[types == 2][0]])
            of_type.append(correlation(dense[cell], means[k], means))
        typical.append(np.median(of_type))
    profiles = Profiles.of(X, types, 3)
    assert profiles.typical == pytest.approx(np.array([*typical, np.median(typical)]), abs=1e-5)
    assert profiles.unlikeness(X, types) == pytest.approx(profiles.typical[types] - profiles.likeness(X, types))


def test_genes_that_the_file_lacks_have_no_say(source):
    X, types = source
    profiles, measured = Profiles.of(X, types, 3), np.arange(40) % 3 > 0
    lacking = X.multiply(measured).tocsr()
    means, dense = profiles.means[:, measured], X[:, measured].toarray()
    expected = [correlation(x, means[k], means) for x, k in zip(dense, types, strict=True)]
    assert profiles.likeness(lacking, types, measured) == pytest.approx(np.array(expected), abs=1e-5)


def test_what_does_not_differ_from_the_mean_is_like_nothing():
    one_type = Profiles.of(drawn(np.full((5, 10), 2.0), seed=2), np.zeros(5, dtype=int), 1)
    assert one_type.typical.tolist() == [0]
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
    third[20:50] = 12
    y = np.repeat([0, 1], 150)
    parameters = ClassifierParameters(preset="robust", epochs=10, members=2, device="cpu")
    labels, genes = np.array(["a", "b"])[y], [f"g{i}" for i in range(60)]
    model, _ = train_classifier(drawn(means[y], seed=3), labels, genes, LOG, parameters, seed=0)
    known = drawn(means[np.repeat([0, 1], 50)], seed=4)
    return model, known, drawn(np.tile(third, (50, 1)), seed=5)


def test_a_new_type_that_the_model_is_sure_of_is_novel(trained):
    model, known, new = trained
    X, is_new = sparse.vstack([known, new], format="csr"), np.repeat([False, True], [100, 50])
    assert (model.probabilities(new).argmax(dim=1) == 0).all()
    assert roc_auc_score(is_new, replace(model, profiles=None).novelty(X)) < 0.5
    assert roc_auc_score(is_new, model.novelty(X)) > 0.9


def test_a_gene_list_that_is_shorter_makes_no_cell_novel(trained):
    """Absent from the file's genes, or marked as not measured there: the same."""
    model, known, _ = trained
    kept = np.arange(60) % 3 > 0
    var = pd.DataFrame({MEASURED: kept}, index=model.genes)
    lacking = ad.AnnData(known.multiply(kept).tocsr(), var=var, uns={X_KIND: LOG})
    marked = model.predict(lacking).table["novelty"]
    absent = model.predict(lacking[:, kept].copy()).table["novelty"]
    del lacking.var[MEASURED]
    as_zeros = model.predict(lacking).table["novelty"]
    assert marked.tolist() == absent.tolist()
    assert marked.median() < as_zeros.median() - 0.2


def test_a_stored_model_keeps_its_profiles_and_one_that_has_none_is_refused(trained, tmp_path):
    model, known, _ = trained
    model.save(tmp_path, pd.DataFrame({"epoch": [1]}))
    assert np.array_equal(JINDModel.load(tmp_path, "cpu").novelty(known), model.novelty(known))
    replace(model, profiles=None).save(tmp_path / "old", pd.DataFrame({"epoch": [1]}))
    with pytest.raises(InputError, match="old: stored by an older version of jindbench"):
        JINDModel.load(tmp_path / "old", "cpu")

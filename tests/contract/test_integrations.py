"""What every integration must hold to, found by discovery."""

import numpy as np
import pytest
from scipy import sparse

from jindbench import registry
from jindbench.errors import NotAvailable
from jindbench.execution import components
from toy_task import sides

INTEGRATIONS = registry.names("integrations")


def run(name, source, target):
    integration = registry.component("integrations", name)
    try:
        registry.require(integration)
    except NotAvailable as error:
        pytest.skip(str(error))
    return components.integrate(integration, source.copy(), target.copy(), integration.Parameters(), seed=0, threads=1)


@pytest.fixture(scope="module", params=INTEGRATIONS)
def integrated(request):
    source, target, truth = sides()
    return request.param, (source, target), run(request.param, source, target), truth


def test_cells_and_labels_are_kept_and_values_are_said_to_be_integrated(integrated):
    _, before, after, _ = integrated
    for side, result in zip(before, after, strict=True):
        assert set(result.obs_names) == set(side.obs_names)
        assert list(result.obs.columns) == list(side.obs.columns)
        assert result.uns["x_kind"] == "integrated"
        assert result.X.dtype == np.float32
    assert after[0].obs["label"].tolist() == before[0].obs["label"].tolist()
    assert list(after[0].var_names) == list(after[1].var_names)


def test_batches_come_closer(integrated):
    """By type, the centres of source and target lie nearer to each other than before, relative to the types' distances."""
    _, before, after, truth = integrated

    def distance(source, target):
        genes = source.var_names.intersection(target.var_names)
        X, Y = (np.log1p(np.maximum(side[:, genes].X.toarray(), 0)) for side in (source, target))
        types = sorted(set(source.obs["label"]) & set(truth))
        own = np.array([X[(source.obs["label"] == t).to_numpy()].mean(axis=0) for t in types])
        other = np.array([Y[(truth[target.obs_names] == t).to_numpy()].mean(axis=0) for t in types])
        between = np.linalg.norm(own - own.mean(axis=0), axis=1).mean()
        return np.linalg.norm(own - other, axis=1).mean() / between

    assert distance(*after) < 0.7 * distance(*before)


def test_the_same_in_any_order_of_cells_and_genes_and_without_labels(integrated):
    name, (source, target), after, _ = integrated
    rng = np.random.default_rng(0)
    unlabelled = source.copy()
    unlabelled.obs["label"] = rng.permutation(source.obs["label"].to_numpy())
    again = run(name, unlabelled, target[rng.permutation(target.n_obs), rng.permutation(target.n_vars)].copy())
    for one, other in zip(after, again, strict=True):
        assert list(one.obs_names) == list(other.obs_names)
        assert list(one.var_names) == list(other.var_names)
        assert (one.X != other.X).nnz == 0


@pytest.mark.parametrize("name", INTEGRATIONS)
@pytest.mark.parametrize("x_kind", ["normalized", "log", "scaled"])
def test_whatever_x_holds(name, x_kind):
    source, target, _ = sides()
    for side in (source, target):
        X = side.X.toarray() if x_kind == "normalized" else np.log1p(side.X.toarray())
        side.X = sparse.csr_matrix(X - X.mean(axis=0) if x_kind == "scaled" else X)
        side.uns["x_kind"] = x_kind
    assert run(name, source, target)[1].n_obs == target.n_obs


@pytest.mark.parametrize("name", INTEGRATIONS)
def test_few_cells(name):
    source, target, _ = sides()
    assert run(name, source[:60], target[:25])[1].n_obs == 25

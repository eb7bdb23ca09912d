"""What every method must hold to, found by discovery: a new file is tested without being named here."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from jindbench import registry
from jindbench.errors import NotAvailable
from jindbench.execution.components import run_method
from toy_task import sides

METHODS = [name for name in registry.names("methods") if name != "true_labels"]  # which is given the target's labels
CONTROLS = ("majority", "random_by_frequency")  # they learn nothing but the source's composition
# JIND's alignment takes 40 iterations an epoch by default; ACTINN's 50 epochs are too few steps for so few cells.
QUICK = {
    "jind": {"short_epoch_iterations": 5},
    "actinn": {"learning_rate": 0.005},
    "scanvi": {"epochs": 60, "label_epochs": 10, "n_hidden": 32, "n_latent": 5, "batch_size": 32},
}


def run(name, source, target, folder, seed=0):
    """Table of predictions of a method, which runs after all that it builds on; sound, or `annotate` raises."""
    method, parent_dir = registry.component("methods", name), None
    if method.PARENT:
        run(method.PARENT, source, target, folder, seed)
        parent_dir = folder / method.PARENT
    (folder / name).mkdir(parents=True)
    try:
        return run_method(
            method,
            source.copy(),
            target.copy(),
            method.Parameters(**QUICK.get(name, {})),
            seed=seed,
            threads=1,
            model_dir=folder / name,
            parent_dir=parent_dir,
        ).table
    except NotAvailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def toy_sides():
    return sides()


@pytest.fixture(scope="module", params=METHODS)
def first_run(request, toy_sides, tmp_path_factory):
    source, target, _ = toy_sides
    return request.param, run(request.param, source, target, tmp_path_factory.mktemp(request.param))


def test_working_methods_beat_the_majority(first_run, toy_sides):
    name, predicted = first_run
    source, _, truth = toy_sides
    accuracy = (predicted.set_index("cell_id").loc[truth.index, "raw_label"] == truth).mean()
    majority = (truth == source.obs["label"].mode()[0]).mean()
    assert accuracy <= majority + 0.1 if name in CONTROLS else accuracy > majority + 0.2


def test_novelty_is_finite_and_tells_cells_apart(first_run):
    name, predicted = first_run
    assert np.isfinite(predicted["novelty"]).all()
    assert (predicted["novelty"].nunique() > 1) == (name not in CONTROLS)


def test_same_seed_same_predictions_in_any_order_of_cells_and_genes(first_run, toy_sides, tmp_path):
    name, predicted = first_run
    source, target, _ = toy_sides
    rng = np.random.default_rng(0)
    shuffled = target[rng.permutation(target.n_obs), rng.permutation(target.n_vars)]
    pd.testing.assert_frame_equal(run(name, source, shuffled, tmp_path), predicted, check_exact=True)


@pytest.mark.parametrize("name", [n for n in METHODS if not getattr(registry.component("methods", n), "RANDOM", True)])
def test_what_says_that_nothing_is_random_does_not_depend_on_the_seed(name, toy_sides, tmp_path):
    source, target, _ = toy_sides
    first, second = (run(name, source, target, tmp_path / str(seed), seed=seed) for seed in (0, 1))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_the_model_is_stored_where_it_was_asked_to_be(first_run, toy_sides, tmp_path, monkeypatch):
    """A method writes into its folder and nowhere else, and what it was given stays as it was."""
    source, target, _ = toy_sides
    before = source.X.copy(), target.X.copy()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "here"))
    run(first_run[0], source, target, tmp_path / "models")
    assert list((tmp_path / "here").iterdir()) == []
    assert (before[0] != source.X).nnz == (before[1] != target.X).nnz == 0


@pytest.mark.parametrize("name", METHODS)
def test_a_type_with_one_cell(name, tmp_path):
    source, target, _ = sides()
    labels = source.obs["label"].to_numpy(dtype=object)
    labels[0] = "Only one"
    source.obs["label"] = labels
    run(name, source, target, tmp_path)


@pytest.mark.parametrize("name", METHODS)
def test_two_types_one_with_one_cell_small_target_and_empty_cells(name, tmp_path):
    source, target, _ = sides()
    source = source[source.obs["label"].isin(["Neuron", "Astrocyte"])].copy()
    labels = source.obs["label"].to_numpy(dtype=object)
    labels[labels == "Astrocyte"] = "Neuron"
    labels[0] = "Astrocyte"  # one cell
    source.obs["label"] = labels
    target = target[:7].copy()
    X = target.X.toarray()
    X[0] = 0  # a cell without any count
    target.X = sparse.csr_matrix(X)
    run(name, source, target, tmp_path)


@pytest.mark.parametrize("name", METHODS)
def test_two_types(name, tmp_path):
    source, target, truth = sides()
    source, target = (side[kept].copy() for side, kept in ((source, two(source.obs["label"])), (target, two(truth))))
    predicted = run(name, source, target, tmp_path)
    if name not in (*CONTROLS, "jind", "jind_plus"):  # alignment can harm where the types' shares differ as here
        assert (predicted.set_index("cell_id")["raw_label"] == truth[target.obs_names]).mean() > 0.7


def two(labels):
    return labels.isin(["Neuron", "Oligodendrocyte"]).to_numpy()


@pytest.mark.parametrize("name", METHODS)
def test_x_on_a_log_scale(name, tmp_path):
    source, target, _ = sides()
    for side in (source, target):
        side.X.data = np.log1p(side.X.data)
        side.uns["x_kind"] = "log"
    run(name, source, target, tmp_path)


@pytest.mark.parametrize("name", METHODS)
def test_integrated_values_of_which_some_are_negative(name, tmp_path):
    source, target, truth = sides()
    for side in (source, target):
        X = np.log1p(side.X.toarray())
        side.X = sparse.csr_matrix(X - X.mean(axis=0) - 0.01)
        side.uns["x_kind"] = "integrated"
    predicted = run(name, source, target, tmp_path)
    if name not in CONTROLS:
        majority = (truth == source.obs["label"].mode()[0]).mean()
        assert (predicted.set_index("cell_id").loc[truth.index, "raw_label"] == truth).mean() > majority + 0.1

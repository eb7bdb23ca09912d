"""What every method must hold to, found by discovery: a new file is tested without being named here."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from jindbench import predictions, registry, tasks
from jindbench.datasets import toy

METHODS = registry.names("methods")
QUICK = {"short_epoch_iterations": 5}  # JIND's alignment takes 40 an epoch by default
TOY = {"n_source": 150, "n_target": 80, "n_genes": 60}


def sides(**changes):
    """Source with labels, target without, and the target's labels."""
    cells = toy.load(toy.Parameters(**(TOY | changes)))
    source, target = tasks.select_types(
        tasks.select_batch(cells, "source", "toy"), tasks.select_batch(cells, "target", "toy"), "common", "all", "toy"
    )
    return source, *without_labels(target)


def without_labels(target):
    truth = target.obs["label"].copy()
    target.obs = target.obs.drop(columns=["label", "batch"])
    return target, truth


def run(name, source, target, folder, seed=0):
    """Run a method after all that it builds on."""
    method, parent_dir = registry.component("methods", name), None
    if method.PARENT:
        run(method.PARENT, source, target, folder, seed)
        parent_dir = folder / method.PARENT
    (folder / name).mkdir(parents=True)
    return method.run(
        source.copy(),
        target.copy(),
        method.Parameters(**{key: value for key, value in QUICK.items() if key in method.Parameters.model_fields}),
        seed=seed,
        threads=1,
        model_dir=folder / name,
        parent_dir=parent_dir,
    )


@pytest.fixture(scope="module")
def toy_sides():
    return sides()


@pytest.fixture(scope="module", params=METHODS)
def first_run(request, toy_sides, tmp_path_factory):
    source, target, _ = toy_sides
    return request.param, run(request.param, source, target, tmp_path_factory.mktemp(request.param))


def test_predictions_keep_the_contract(first_run, toy_sides):
    source, target, _ = toy_sides
    predictions.check(first_run[1], target.obs_names, set(source.obs["label"]))


def test_working_methods_beat_the_majority(first_run, toy_sides):
    name, predicted = first_run
    source, _, truth = toy_sides
    accuracy = (predicted.set_index("cell_id").loc[truth.index, "raw_label"] == truth).mean()
    majority = (truth == source.obs["label"].mode()[0]).mean()
    assert accuracy == majority if name == "majority" else accuracy > majority + 0.2


def test_same_seed_same_predictions(first_run, toy_sides, tmp_path):
    name, predicted = first_run
    source, target, _ = toy_sides
    pd.testing.assert_frame_equal(run(name, source, target, tmp_path), predicted, check_exact=True)


def test_the_model_is_stored_where_it_was_asked_to_be(toy_sides, tmp_path, monkeypatch):
    """A method writes into its folder and nowhere else."""
    source, target, _ = toy_sides
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name in METHODS:
        run(name, source, target, tmp_path / "models" / name)
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize("name", METHODS)
def test_a_type_with_one_cell(name, tmp_path):
    source, target, _ = sides()
    labels = source.obs["label"].to_numpy(dtype=object)
    labels[0] = "Only one"
    source.obs["label"] = labels
    predictions.check(run(name, source, target, tmp_path), target.obs_names, set(labels))


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
    predictions.check(run(name, source, target, tmp_path), target.obs_names, {"Neuron", "Astrocyte"})


@pytest.mark.parametrize("name", METHODS)
def test_x_on_a_log_scale(name, tmp_path):
    source, target, _ = sides()
    for side in (source, target):
        side.X.data = np.log1p(side.X.data)
        side.uns["x_kind"] = "log"
    predictions.check(run(name, source, target, tmp_path), target.obs_names, set(source.obs["label"]))

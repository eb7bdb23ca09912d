"""JIND as Python users call it."""

import functools
import re
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from jindbench import predictions
from jindbench.data import tasks
from jindbench.datasets import toy
from jindbench.errors import InputError
from jindbench.jind import speed
from jindbench.jind.estimator import JIND

QUICK = {
    "classifier": {"epochs": 4},
    "alignment": {"epochs": 2, "short_epoch_iterations": 4},
    "self_training": {"epochs": 2},
}


@pytest.fixture(scope="module")
def cells():
    whole = toy.load(toy.Parameters(n_source=150, n_target=90, n_genes=60))
    source, target = (tasks.select_batch(whole, batch, "toy") for batch in ("source", "target"))
    target.obs = target.obs[[]]
    return source, target


@pytest.fixture(scope="module")
def reference(cells):
    return JIND(**QUICK).fit(cells[0])


def same(one, other):
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_one_reference_serves_many_targets_and_stays_as_it_is(cells, reference):
    """The paper's central claim: aligning to a target retrains nothing and changes nothing."""
    target = cells[1]
    halves = target[:45].copy(), target[45:].copy()
    before = reference.predict(target)
    first, second = (reference.align(half).predict(half) for half in halves)
    same(reference.predict(target), before)
    same(reference.align(halves[0]).predict(halves[0]), first)  # the other target made no difference
    same(reference.align(halves[1]).predict(halves[1]), second)
    assert not np.array_equal(first["confidence"], before["confidence"][:45])
    plus = reference.align(target).self_train(target)
    same(reference.predict(target), before)
    predictions.check(plus.model_.predict(target), target.obs_names, set(cells[0].obs["label"]))


@pytest.mark.parametrize("preset", ["paper", "preprint", "published", "robust"])
def test_presets_run_and_a_loaded_model_predicts_the_same(preset, cells, tmp_path):
    source, target = cells
    fitted = JIND(preset, **QUICK, seed=1).fit(source).align(target).self_train(target)
    assert fitted.alignment.preset == preset
    fitted.save(tmp_path / "model")
    loaded = JIND.load(tmp_path / "model")
    same(loaded.predict(target, probabilities=True), fitted.predict(target, probabilities=True))
    table, codes = fitted.predict_and_code(target)
    same(table, fitted.predict(target))
    assert np.array_equal(codes, loaded.latent_codes(target))
    assert loaded.classifier == fitted.classifier
    same(
        JIND(preset, **QUICK, seed=1).fit(source).align(target).self_train(target).predict(target),
        fitted.predict(target),
    )


def test_probabilities_and_codes(cells, reference):
    table = reference.predict(cells[1], probabilities=True)
    columns = [f"probability of {name}" for name in sorted(set(cells[0].obs["label"]))]
    assert table[columns].sum(axis=1).to_numpy() == pytest.approx(1)
    assert table[columns].max(axis=1).to_numpy() == pytest.approx(table["confidence"].to_numpy(), abs=1e-12)
    assert reference.latent_codes(cells[1]).shape == (90, 256)


def test_a_matrix_with_genes_is_as_good_as_an_anndata(cells, reference):
    source, target = cells
    genes = target.var_names.tolist()
    by_matrix = JIND(**QUICK).fit(source.X, source.obs["label"], genes=source.var_names.tolist())
    same(
        by_matrix.predict(target.X, genes=genes).drop(columns="cell_id"),
        reference.predict(target).drop(columns="cell_id"),
    )
    same(reference.predict(target.X.toarray(), genes=genes), reference.predict(target.X.tocsc(), genes=genes))


def test_genes_are_matched_by_name(cells, reference, caplog):
    target = cells[1]
    reordered = ad.concat(
        [target[:, ::-1], ad.AnnData(sparse.csr_matrix((90, 2)), var=pd.DataFrame(index=["x", "y"]), obs=target.obs)],
        axis=1,
    )
    reordered.uns["x_kind"] = "counts"
    same(reference.predict(reordered), reference.predict(target))
    assert caplog.text == ""
    most = target[:, :48].copy()
    without = target.copy()
    without.X = sparse.csr_matrix(np.where(np.arange(60) < 48, target.X.toarray(), 0))
    same(reference.predict(most), reference.predict(without))
    assert "the target lacks 20.0 % of the model's genes" in caplog.text


def test_genes_that_are_numbers_are_warned_of(cells, caplog, tmp_path):
    source = cells[0]
    numbered = ad.AnnData(source.X, obs=source.obs)
    warning = "source: var_names (0, 1, 2, ...) are numbers"
    fitted = JIND(**QUICK).fit(numbered)
    assert warning in caplog.text
    fitted.save(tmp_path)
    caplog.clear()
    JIND.load(tmp_path)
    assert f"{tmp_path}: var_names" in caplog.text


def test_too_few_genes_are_refused(cells, reference):
    other = cells[1].copy()
    other.var_names = [f"ENSG{i}" for i in range(60)]
    with pytest.raises(
        InputError, match=r"has 0 of the model's 60 genes \(0\.0%\), at least 50% .* gene0, gene1, gene2, .* ENSG0"
    ):
        reference.align(other)


def test_wrong_calls_are_refused(cells):
    source = cells[0]
    with pytest.raises(InputError, match=r"no obs column 'cell_type' \(there are: label, batch\)"):
        JIND().fit(source, label_key="cell_type")
    with pytest.raises(InputError, match="3 labels for 150 cells"):
        JIND().fit(source, ["a", "b", "c"])
    with pytest.raises(InputError, match="60 columns needs as many gene names; no were given"):
        JIND().fit(source.X, source.obs["label"])
    with pytest.raises(InputError, match="X holds negative values, which 'counts' cannot have"):
        JIND().fit(-source.X, source.obs["label"], genes=source.var_names.tolist())
    with pytest.raises(InputError, match="the source has 1 cells; JIND needs two"):
        JIND().fit(source[:1])


def test_logarithms_are_not_taken_for_counts(cells, reference, caplog):
    source = cells[0]
    logs = ad.AnnData(
        np.log1p(source.X.toarray() / source.X.toarray().sum(axis=1, keepdims=True) * 1e4),
        obs=source.obs,
        var=source.var,
    )
    with pytest.raises(InputError, match=r"X of the cells: x_kind is 'counts', but X holds .* state x_kind: log"):
        JIND(**QUICK).fit(logs)
    with pytest.raises(InputError, match="x_kind is 'counts', but X holds"):
        reference.predict(logs)
    logs.uns["x_kind"] = "counts"  # the caller knows better
    assert JIND(**QUICK).fit(logs, x_kind="log").model_.x_kind == "log"


def test_cells_without_a_label_are_left_out(cells, caplog):
    source = cells[0]
    labels = source.obs["label"].astype(object).copy()
    labels.iloc[:10] = np.nan
    fitted = JIND(**QUICK).fit(source, labels)
    assert fitted.model_.classes == sorted(set(source.obs["label"]))
    assert "10 of 150 cells have no label and are left out" in caplog.text
    labels.iloc[:10] = "unassigned"
    with pytest.raises(InputError, match="labels: 'unassigned' is what rejected cells get"):
        JIND().fit(source, labels)


def test_a_target_on_disk_is_read_block_by_block(cells, reference, tmp_path, monkeypatch):
    target = cells[1]
    target.write_h5ad(tmp_path / "target.h5ad")
    backed = ad.read_h5ad(tmp_path / "target.h5ad", backed="r")
    monkeypatch.setattr("jindbench.jind.expression.BLOCK", 40)
    same(reference.predict(backed), reference.predict(target))
    unstated = ad.AnnData(target.X, obs=target.obs, var=target.var)
    unstated.write_h5ad(tmp_path / "unstated.h5ad")
    same(reference.predict(backed[:30]), reference.predict(target[:30]))
    same(reference.predict(ad.read_h5ad(tmp_path / "unstated.h5ad", backed="r")), reference.predict(target))


def test_the_speed_benchmark_measures_every_stage(monkeypatch):
    short = functools.partial(speed.AlignmentParameters, short_epoch_iterations=2)
    monkeypatch.setattr(speed, "AlignmentParameters", short)
    table = speed.bench(200, 150, 40, density=0.2, preset="published", precision="float32").set_index("stage")
    assert list(table.index) == [
        "transform source",
        "train",
        "transform target",
        "align",
        "self-train",
        "predict",
        "total",
    ]
    # Fifteen epochs on 160 of the 200 cells: the first layer forward and back for its weights is the least.
    assert table.loc["train", "gflop"] * 1e9 > 15 * 160 * 2 * 2 * 40 * 256
    assert table.loc["total", "seconds"] == pytest.approx(table["seconds"].iloc[:-1].sum())


@pytest.mark.parametrize("n_types", [2, 40])
def test_few_and_many_types_in_small_batches(n_types):
    rng = np.random.default_rng(0)
    labels = np.arange(80) % n_types
    X = rng.poisson(1 + 8 * (labels[:, None] == np.arange(n_types)), (80, n_types))
    genes = [f"g{i}" for i in range(n_types)]
    fitted = JIND("published", **QUICK).fit(sparse.csr_matrix(X[:50]), labels[:50].astype(str), genes=genes)
    plus = fitted.align(X[50:], genes=genes).self_train(X[50:], genes=genes)
    table = plus.predict(X[50:], genes=genes)
    assert table["cell_id"].tolist() == [str(i) for i in range(30)]
    assert set(table["raw_label"]) <= set(labels.astype(str))


def test_the_example_in_the_documents_runs(cells, tmp_path, monkeypatch):
    """docs/python.md, on the toy cells and with few epochs."""
    text = (Path(__file__).parents[2] / "docs/python.md").read_text()
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL))
    assert "JIND(" in code
    source, target = cells
    source.obs["cell_type"] = source.obs["label"]
    source.write_h5ad(tmp_path / "reference.h5ad")
    for name in ("monday.h5ad", "tuesday.h5ad"):
        target.write_h5ad(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    namespace = {}
    exec(code.replace('preset="published"', f'preset="published", **{QUICK!r}'), namespace)
    assert len(namespace["table"]) == 90

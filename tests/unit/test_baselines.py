"""Baselines and controls on computations with known answers."""

import shutil
import subprocess

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from scipy.special import expit
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from jindbench.execution.components import run_method
from jindbench.methods import actinn, celltypist, knn, logreg, random_by_frequency, scpred, svm_rej, true_labels


def cells(n, seed, labels=True, x_kind="counts"):
    """Counts of three types, each with three genes of its own; 12 genes, one never expressed."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    mean = 1 + 3 * (np.arange(12)[None] // 3 == kind[:, None])
    mean[:, 11] = 0
    X = sparse.csr_matrix(rng.poisson(mean), dtype=np.float32)
    obs = pd.DataFrame({"label": np.array(["A", "B", "C"])[kind]}, index=[f"c{i:03}" for i in range(n)])
    return ad.AnnData(
        X, obs=obs if labels else obs[[]], var=pd.DataFrame(index=[f"g{i}" for i in range(12)]), uns={"x_kind": x_kind}
    )


SOURCE, TARGET = cells(200, 0), cells(90, 1, labels=False)
COUNTS = SOURCE.X.toarray(), TARGET.X.toarray()
LOG2 = {name: np.log2(1 + X) for name, X in zip(("source", "target"), COUNTS, strict=True)}
LABELS = SOURCE.obs["label"].to_numpy(dtype=str)


def run(method, tmp_path, source=SOURCE, target=TARGET, **parameters):
    chosen = method.Parameters(**parameters)
    return run_method(method, source, target, chosen, seed=0, threads=1, model_dir=tmp_path)


def test_knn_is_scikit_learns_on_dense_components(tmp_path):
    source, target = (np.log2(1 + 10_000 * X / X.sum(axis=1, keepdims=True)) for X in COUNTS)
    pca = PCA(5, svd_solver="full").fit(source)
    model = KNeighborsClassifier(15).fit(pca.transform(source), LABELS)
    expected = model.predict_proba(pca.transform(target))
    assert run(knn, tmp_path, n_components=5).probabilities.to_numpy() == pytest.approx(expected)


def test_logistic_regression_is_scikit_learns_on_genes_as_they_are_and_standardised(tmp_path):
    source, target = (np.log2(1 + 10_000 * X / X.sum(axis=1, keepdims=True)) for X in COUNTS)
    plain = LogisticRegression(max_iter=1000).fit(source, LABELS)
    assert run(logreg, tmp_path).probabilities.to_numpy() == pytest.approx(plain.predict_proba(target), abs=0.01)
    scaler = StandardScaler().fit(source)  # centred: the intercept takes that up
    scaled = LogisticRegression(max_iter=1000).fit(scaler.transform(source), LABELS)
    expected = scaled.predict_proba(scaler.transform(target))
    assert run(logreg, tmp_path, scale=True).probabilities.to_numpy() == pytest.approx(expected, abs=0.02)


def test_logistic_regression_says_when_it_has_not_converged(tmp_path, caplog):
    run(logreg, tmp_path, max_iter=2)
    assert "not converged after 2 iterations" in caplog.text


@pytest.mark.parametrize("with_mean", [False, True])
def test_celltypist_is_one_regression_for_each_type(with_mean, tmp_path):
    source, target = (np.log1p(10_000 * X / X.sum(axis=1, keepdims=True)) for X in COUNTS)
    scaler = StandardScaler(with_mean=with_mean).fit(source[:, :11])
    as_stored = np.asarray if with_mean else sparse.csr_matrix
    Z, target_Z = (as_stored(np.minimum(scaler.transform(X[:, :11]), 10)) for X in (source, target))
    model = SGDClassifier(loss="log_loss", alpha=0.1, max_iter=1000, random_state=0).fit(Z, LABELS)
    scores = model.decision_function(target_Z)
    predicted = run(
        celltypist, tmp_path, alpha=0.1, with_mean=with_mean
    )  # a weak penalty on so few genes does not converge
    assert predicted.table["raw_label"].tolist() == model.classes_[scores.argmax(axis=1)].tolist()
    assert predicted.table["confidence"].to_numpy() == pytest.approx(expit(scores.max(axis=1)), abs=1e-6)
    assert ((predicted.table["label"] == "unassigned") == (predicted.table["confidence"] < 0.5)).all()


def test_random_types_have_the_sources_frequencies(tmp_path):
    many = cells(1500, 2, labels=False)
    many.obs_names = [f"c{i}" for i in range(1500)]
    table = run(random_by_frequency, tmp_path, target=many).table
    drawn = table["raw_label"].value_counts(normalize=True)
    expected = SOURCE.obs["label"].value_counts(normalize=True)
    assert (drawn - expected).abs().max() < 0.04
    assert table["threshold"].isna().all()


def test_true_labels_are_right_and_reject_what_the_source_lacks(tmp_path):
    labelled = cells(90, 1)
    known = labelled.obs["label"].to_numpy() != "C"
    source = SOURCE[SOURCE.obs["label"] != "C"]
    table = run(true_labels, tmp_path, source=source, target=labelled).table
    assert ((table["label"] != "unassigned") == known).all()
    assert (table["label"][known] == labelled.obs["label"].to_numpy()[known]).all()


def test_svm_takes_all_genes_or_the_most_variable(tmp_path):
    few, many, every = (run(svm_rej, tmp_path, n_genes=n).probabilities.to_numpy() for n in (3, 12, None))
    assert np.array_equal(many, every)
    assert not np.allclose(few, every)


# ACTINN


def test_actinns_gene_filter_by_hand():
    """Of 200 genes, at both ends of total expression and then of std / mean, those beyond the percentiles go."""
    rng = np.random.default_rng(0)
    X = rng.gamma(1 + rng.random(200) * 5, 1, (50, 200)) * rng.random(200)
    X[:, 7] = 0
    total = X.sum(axis=0)
    first = np.flatnonzero((total >= np.percentile(total, 1)) & (total <= np.percentile(total, 99)))
    variation = X[:, first].std(axis=0) / X[:, first].mean(axis=0)
    expected = first[(variation >= np.percentile(variation, 1)) & (variation <= np.percentile(variation, 99))]
    found = actinn.genes_within_percentiles(sparse.csr_matrix(X[:30]), sparse.csr_matrix(X[30:]))
    assert found.tolist() == expected.tolist()
    assert 7 not in found
    assert len(found) < 198


def test_actinns_network_and_penalty():
    torch.manual_seed(0)
    network = actinn.network(12, 3)
    assert [tuple(p.shape) for p in network.parameters()] == [
        (100, 12),
        (100,),
        (50, 100),
        (50,),
        (25, 50),
        (25,),
        (3, 25),
        (3,),
    ]
    assert all((p == 0).all() for p in network.parameters() if p.ndim == 1)
    bound = (6 / (100 + 12)) ** 0.5  # Glorot's
    assert bound * 0.95 < network[0].weight.abs().max() <= bound

    # One epoch of one batch against Adam on the loss written out.
    parameters, y = (
        actinn.Parameters(epochs=1, batch_size=200, l2=0.5),
        torch.from_numpy(np.unique(LABELS, return_inverse=True)[1]),
    )
    torch.manual_seed(0)
    plain = actinn.network(12, 3)
    optimizer = torch.optim.Adam(plain.parameters(), lr=1e-4)
    x = torch.from_numpy(LOG2["source"]).float()
    loss = torch.nn.functional.cross_entropy(plain(x), y)
    penalty = sum((p**2).sum() / 2 for p in plain.parameters() if p.ndim == 2)
    (loss + 0.5 * penalty).backward()
    optimizer.step()
    history = actinn.train(network, sparse.csr_matrix(LOG2["source"].astype(np.float32)), y, parameters)
    assert history["train_loss"].iloc[0] == pytest.approx(loss.item(), rel=1e-5)
    for one, other in zip(network.parameters(), plain.parameters(), strict=True):
        assert one.detach().numpy() == pytest.approx(other.detach().numpy(), abs=1e-6)


def test_actinns_learning_rate_falls_and_it_learns(tmp_path):
    predicted = run(actinn, tmp_path, learning_rate=0.01, decay_steps=4, epochs=10)
    history = pd.read_csv(tmp_path / "history.tsv", sep="\t")
    steps = 2 * np.arange(1, 11)  # 200 cells: two mini-batches an epoch
    assert history["learning_rate"].to_numpy() == pytest.approx(0.01 * 0.95 ** (steps // 4))
    assert history["kept"].tolist() == [False] * 9 + [True]
    truth = cells(90, 1).obs["label"]
    assert (predicted.table.set_index("cell_id")["raw_label"] == truth).mean() > 0.8
    rejected = predicted.table["label"] == "unassigned"
    assert (rejected == (predicted.table["confidence"] <= 0.9)).all()


# scPred


@pytest.mark.parametrize(("n", "ties"), [(30, False), (30, True), (80, False)])
def test_rank_sum_and_fdr_are_rs(tmp_path, n, ties):
    if shutil.which("Rscript") is None:
        pytest.skip("Rscript was not found (make setup installs it where it can)")
    rng = np.random.default_rng(n)
    scores = rng.normal(size=(n, 5)) + 0.7 * (np.arange(n)[:, None] < n // 3) * np.arange(5)
    scores = np.round(scores, 1) if ties else scores
    np.savetxt(tmp_path / "scores.csv", scores, delimiter=",")
    code = f"""x <- as.matrix(read.csv("scores.csv", header = FALSE)); is <- seq_len({n}) <= {n // 3}
      p <- suppressWarnings(apply(x, 2, function(v) wilcox.test(v[is], v[!is])$p.value))
      cat(format(c(p, p.adjust(p, "fdr")), digits = 12))"""
    out = subprocess.run(["Rscript", "-e", code], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    expected = np.array(out.split(), dtype=float)
    percent = np.array([40, 30, 20, 9, 0.9])
    table = scpred.informative_components(scores, np.arange(n) < n // 3, percent, scpred.Parameters())
    assert table["p_value"].to_numpy() == pytest.approx(expected[:5], rel=1e-6)
    assert table["fdr"].to_numpy() == pytest.approx(expected[5:], rel=1e-6)
    assert (table["kept"] == (expected[5:] < 0.05)).all()


def test_components_with_little_variance_are_not_even_tested():
    """The limit is .01 % as in scPred, not a share of .01: variances 99.97, .02 and .01 of 100 are above, above, at it."""
    scores = np.random.default_rng(0).normal(size=(60, 3)) + 5 * (np.arange(60)[:, None] < 20)
    percent = np.array([99.97, 0.02, 0.01])
    table = scpred.informative_components(scores, np.arange(60) < 20, percent, scpred.Parameters())
    assert table["kept"].tolist() == [True, True, False]
    assert table["p_value"].isna().tolist() == [False, False, True]


def test_components_are_those_of_centred_and_scaled_genes():
    scores, target_scores, percent = scpred.components(SOURCE, TARGET, 4, seed=0)
    Z = LOG2["source"][:, :11]  # the last gene does not vary
    centre, scale = Z.mean(axis=0), Z.std(axis=0, ddof=1)
    U, S, V = np.linalg.svd((Z - centre) / scale, full_matrices=False)
    assert np.abs(scores) == pytest.approx(np.abs(U[:, :4] * S[:4]), abs=1e-4)
    expected = (LOG2["target"][:, :11] - centre) / scale @ V[:4].T
    assert np.abs(target_scores) == pytest.approx(np.abs(expected), abs=1e-4)
    assert percent == pytest.approx(100 * S[:4] ** 2 / (S[:4] ** 2).sum(), abs=1e-3)


@pytest.mark.parametrize("kernel", ["linear", "radial"])
def test_scpred_learns_and_rejects_below_its_threshold(tmp_path, kernel):
    predicted = run(scpred, tmp_path, kernel=kernel)
    truth = cells(90, 1).obs["label"]
    assert (predicted.table.set_index("cell_id")["raw_label"] == truth).mean() > 0.85
    assert ((predicted.table["label"] == "unassigned") == (predicted.table["confidence"] < 0.9)).all()
    assert (tmp_path / "components.tsv").exists()


def test_two_types_are_told_apart_by_one_model(tmp_path):
    source = SOURCE[SOURCE.obs["label"] != "C"].copy()
    predicted = run(scpred, tmp_path, source=source)
    assert predicted.probabilities.columns.tolist() == ["A", "B"]
    assert predicted.table["confidence"].min() >= 0.5  # p and 1 - p


def test_kernel_width_is_between_the_inverse_quantiles_of_all_pairs():
    Z = np.random.default_rng(0).normal(size=(400, 3))
    squared = ((Z[:, None] - Z[None]) ** 2).sum(axis=2)[np.triu_indices(400, 1)]
    expected = np.mean(1 / np.quantile(squared, [0.1, 0.9]))
    assert scpred.kernel_width(Z, seed=0) == pytest.approx(expected, rel=0.25)  # 200 of 79,800 pairs

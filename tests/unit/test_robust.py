"""The preset `robust`: composition, moments and guard, on cases computed by hand or simulated with a known answer."""

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from anndata import AnnData
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from jindbench.errors import InputError
from jindbench.jind import classifier, composition, linear, moments
from jindbench.jind.alignment import align
from jindbench.jind.model import JINDModel
from jindbench.jind.parameters import AlignmentParameters, ClassifierParameters, SelfTrainingParameters
from jindbench.jind.self_training import self_train
from jindbench.names import X_KIND

ROBUST = AlignmentParameters(preset="robust")
CENTRES = np.random.default_rng(0).gamma(1, 2, (3, 30))


def draw(n, shares, shift, seed):
    """Cells of three types, two of which overlap; `shift` scales a third of the genes."""
    rng = np.random.default_rng(seed)
    y = rng.choice(3, n, p=shares)
    centres = CENTRES.copy()
    centres[1] = 0.5 * centres[0] + 0.5 * centres[1]
    factor = np.where(np.arange(30) % 3 == 0, shift, 1)
    return sparse.csr_matrix(np.log1p(rng.poisson(centres[y] * factor)), dtype=np.float32), y


def accuracy(model, X, y):
    return (model.probabilities(X).argmax(dim=1).numpy() == y).mean()


@pytest.fixture(scope="module")
def model():
    X, y = draw(400, [0.5, 0.3, 0.2], 1, seed=1)
    parameters = ClassifierParameters(preset="robust", epochs=10)
    labels = np.array(["a", "b", "c"])[y]
    return classifier.train_classifier(X, labels, [f"g{i}" for i in range(30)], "log", parameters, seed=0)[0]


def test_the_composition_of_certain_cells_is_their_count_and_the_pseudo_cells():
    probabilities = torch.eye(2, dtype=torch.float64)[[0, 0, 0, 1]]
    found = composition.composition(probabilities, torch.tensor([0.5, 0.5], dtype=torch.float64), pseudo_cells=4)
    assert found.tolist() == pytest.approx([(3 + 2) / 8, (1 + 2) / 8])


def test_the_composition_of_uncertain_cells_is_found_where_counting_labels_is_wrong():
    rng = np.random.default_rng(0)  # two normal distributions, one standard deviation apart, 90 % of the first
    x = np.where(rng.random(20_000) < 0.9, rng.normal(-0.5, 1, 20_000), rng.normal(0.5, 1, 20_000))
    first = 1 / (1 + np.exp(x))  # Bayes' rule for equal shares
    probabilities = torch.from_numpy(np.column_stack([first, 1 - first]))
    assert (first > 0.5).mean() < 0.7
    found = composition.composition(probabilities, torch.tensor([0.5, 0.5], dtype=torch.float64), pseudo_cells=10)
    assert found[0].item() == pytest.approx(0.9, abs=0.02)


def test_rescaled_codes_have_the_moments_of_the_weighted_source():
    rng = np.random.default_rng(0)
    source, target = rng.normal(1, 2, (50, 256)), rng.normal(-3, 0.5, (20, 256))
    weights = rng.dirichlet(np.ones(50))
    arguments = [torch.from_numpy(values).float() for values in (source, weights, target)]
    mapped = moments.rescaling(*arguments, moment_cells=0)(None, arguments[2]).numpy()
    mean = np.average(source, axis=0, weights=weights)
    assert mapped.mean(axis=0) == pytest.approx(mean, abs=1e-4)
    assert mapped.var(axis=0) == pytest.approx(np.average((source - mean) ** 2, axis=0, weights=weights), rel=1e-3)


def test_a_target_of_other_shares_gains_and_the_model_is_not_changed(model):
    X, y = draw(300, [0.02, 0.9, 0.08], 1, seed=2)
    before = model.probabilities(X)
    aligned, history = align(model, X, ROBUST, seed=0)
    assert accuracy(aligned, X, y) > accuracy(model, X, y) + 0.02
    assert history["kept"].tolist() == [False, True]
    assert torch.equal(model.probabilities(X), before)
    assert np.array_equal(aligned.novelty(X), model.novelty(X))  # that of the unaligned model
    assert aligned.latent_codes(X).shape == (300, 3 * 256)


def test_labels_novelty_and_codes_take_one_pass_of_each_encoder(model):
    X, _ = draw(50, [0.5, 0.3, 0.2], 1, seed=2)
    aligned, calls = align(model, X, ROBUST, seed=0)[0], []
    hooks = [member.encoder.register_forward_hook(lambda *_: calls.append(1)) for member in aligned.members]
    genes = pd.DataFrame(index=model.genes)
    aligned.predict_and_code(AnnData(X, var=genes, uns={X_KIND: "log"}))
    for hook in hooks:
        hook.remove()
    assert len(calls) == 3


def test_the_order_of_cells_makes_no_difference(model):
    X, _ = draw(100, [0.1, 0.8, 0.1], 1.5, seed=3)
    order = np.random.default_rng(0).permutation(100)
    plain, shuffled = (align(model, cells, ROBUST, seed=0)[0].probabilities(cells) for cells in (X, X[order]))
    assert shuffled.numpy() == pytest.approx(plain[order].numpy(), abs=1e-6)


def test_alignment_that_relabels_accepted_cells_is_refused_and_said(model, caplog, monkeypatch):
    X, _ = draw(200, [0.5, 0.3, 0.2], 1, seed=4)
    # A source that is said to be nearly all type a: most of those in the target would get another label.
    shares = torch.tensor([0.999, 5e-4, 5e-4], dtype=torch.float64)
    monkeypatch.setattr(type(model), "validation_shares", property(lambda _: shares))
    with caplog.at_level(logging.WARNING):
        kept, history = align(model, X, ROBUST, seed=0)
    assert kept is model
    assert history["kept"].tolist() == [True, False]
    assert history["kept_labels"].iloc[1] < 0.8
    assert "the target stays unaligned" in caplog.text


def test_probabilities_are_the_mean_of_three_models_that_differ(model):
    X, _ = draw(50, [0.4, 0.4, 0.2], 1, seed=5)
    each = [member.probabilities(X) for member in model.members]
    assert len(each) == 3
    assert not torch.equal(each[0], each[1])
    assert model.probabilities(X).numpy() == pytest.approx(sum(each).numpy() / 3)


def test_novelty_is_the_mean_distance_below_each_models_own_thresholds_and_the_unlikeness(model):
    X, _ = draw(50, [0.4, 0.4, 0.2], 1, seed=5)
    distances = []
    for member in model.members:
        probabilities = member.probabilities(X).numpy()
        thresholds = member.thresholds()
        distances.append([thresholds[p.argmax()] - p.max() for p in probabilities])
    unlikeness = model.profiles.unlikeness(X, model.probabilities(X).argmax(dim=1).numpy())
    assert model.novelty(X) == pytest.approx(np.mean(distances, axis=0) + 4 * unlikeness)
    assert len({tuple(member.thresholds()) for member in model.members}) == 3


def test_an_estimate_that_makes_the_cells_less_likely_has_no_say(model, monkeypatch):
    X, _ = draw(200, [0.5, 0.3, 0.2], 1, seed=4)
    wrong = torch.tensor([5e-4, 0.9, 0.0995], dtype=torch.float64)
    monkeypatch.setattr(moments, "composition", lambda *_, **__: wrong)
    aligned, _ = align(replace(model, linear=None), X, ROBUST, seed=0)  # which would refuse
    assert aligned.type_weights.tolist() == [1, 1, 1]
    assert aligned.aligned_share == 0.5


def test_without_evidence_of_other_shares_both_models_have_an_equal_say(model):
    """A target of the source's own composition, and one of a single type."""
    alike, _ = align(model, draw(400, [0.5, 0.3, 0.2], 1, seed=8)[0], ROBUST, seed=0)
    other, _ = align(model, draw(400, [0, 1, 0], 1, seed=9)[0], ROBUST, seed=0)
    assert 0.5 <= alike.aligned_share < 0.55
    assert 0.7 < other.aligned_share <= 1
    X, _ = draw(20, [0.4, 0.4, 0.2], 1, seed=10)
    mean = torch.stack([m.classifier(m.latent_codes(X)).softmax(dim=1) for m in other.members])
    weighted = mean.double().mean(dim=0) * other.type_weights
    aligned = weighted / weighted.sum(dim=1, keepdim=True)
    expected = other.aligned_share * aligned + (1 - other.aligned_share) * model.probabilities(X)
    assert other.probabilities(X).numpy() == pytest.approx(expected.numpy(), abs=1e-6)


def test_alignment_that_the_linear_model_speaks_against_is_refused_and_said(model, caplog, monkeypatch):
    X, _ = draw(300, [0.5, 0.3, 0.2], 1, seed=4)
    history = align(model, X, ROBUST, seed=0)[1]
    assert history["agreement"].between(0.8, 1).all()
    agreed = iter([0.95, 0.85])
    monkeypatch.setattr(moments, "_agreement", lambda *_: next(agreed))
    with caplog.at_level(logging.WARNING):
        kept, history = align(model, X, ROBUST, seed=0)
    assert kept is model
    assert history["kept"].tolist() == [True, False]
    assert "give the same label from 95.0 to 85.0 %; the target stays unaligned" in caplog.text


def test_a_strong_batch_effect_is_not_taken_for_another_composition(model, caplog):
    """Cells of one type are explained by its share; cells halfway between two types by no share."""
    X = draw(400, [0, 1, 0], 1, seed=9)[0]
    halfway = 0.5 * (draw(400, [1, 0, 0], 1, seed=15)[0] + draw(400, [0, 0, 1], 1, seed=16)[0])
    for cells, is_strange in ((X, False), (halfway, True)):
        with caplog.at_level(logging.WARNING):
            aligned, history = align(replace(model, linear_share=0.5), cells, ROBUST, seed=0)
        assert ("a strong batch effect" in caplog.text) == is_strange
        assert (history["unexplained"] > composition.STRANGE[1]).all() == is_strange
        assert (aligned.aligned_share == 0.5) == is_strange


def test_the_linear_model_is_scikit_learns_and_its_codes_of_the_source_are_held_out():
    X, y = draw(300, [0.5, 0.3, 0.2], 1, seed=12)
    y = np.where(y == 2, 1, y)  # two types, which scikit-learn has one column for
    y[np.random.default_rng(0).random(300) < 0.3] = 2  # and one of which nothing can be learnt
    y[0] = 3  # alone of its type
    for types in (2, 4):
        rows = np.flatnonzero(y < types)
        parameters = ClassifierParameters(preset="robust", epochs=1, members=1)
        names = [f"g{i}" for i in range(30)]
        found = classifier.train_classifier(X[rows], y[rows].astype(str), names, "log", parameters, seed=0)[0]
        expected = LogisticRegression(C=2, max_iter=1000).fit(X[rows], y[rows]).predict_proba(X)
        assert found.linear.probabilities(X).numpy() == pytest.approx(expected, abs=1e-3)
    in_sample = (found.linear.probabilities(X).argmax(dim=1).numpy() == y)[y == 2].mean()
    held_out = (found.linear.source_codes.argmax(dim=1).numpy() == y)[y == 2].mean()
    assert held_out < in_sample - 0.1


def test_the_consensus_averages_networks_and_linear_model(tmp_path):
    X, y = draw(300, [0.5, 0.3, 0.2], 1, seed=13)
    parameters = ClassifierParameters(preset="consensus", epochs=5, members=2)
    names = [f"g{i}" for i in range(30)]
    found, history = classifier.train_classifier(X, y.astype(str), names, "log", parameters, seed=0)
    assert found.linear_share > 0.5  # after five epochs the networks are worse
    found = replace(found, linear_share=(share := 0.4))
    each = [m.probabilities(X) for m in (*found.members, found.linear)]
    expected = (1 - share) * (each[0] + each[1]) / 2 + share * each[2]
    assert found.probabilities(X).numpy() == pytest.approx(expected.numpy())
    target, of_target = draw(300, [0.02, 0.9, 0.08], 1.2, seed=14)
    aligned, _ = align(found, target, AlignmentParameters(preset="consensus"), seed=0)
    assert accuracy(aligned, target, of_target) > accuracy(found, target, of_target)
    aligned.save(tmp_path, history)
    loaded = JINDModel.load(tmp_path, "cpu")
    assert torch.equal(loaded.probabilities(target), aligned.probabilities(target))
    assert np.array_equal(loaded.novelty(target), aligned.novelty(target))


def test_what_held_out_cells_say_of_two_models_counts_by_their_number():
    good, bad = (torch.tensor([[p, 1 - p]], dtype=torch.float64) for p in (0.9, 0.4))
    share = [linear.best_share(bad.repeat(n, 1), good.repeat(n, 1), torch.zeros(n, dtype=int)) for n in (1, 10, 1000)]
    assert 0.5 < share[0] < share[1] < share[2] == 1


def test_even_batches_leave_no_single_cell_over(monkeypatch):
    seen = []
    loss = classifier.weighted_cross_entropy
    monkeypatch.setattr(
        classifier, "weighted_cross_entropy", lambda logits, *rest: (seen.append(len(logits)), loss(logits, *rest))[1]
    )
    X, y = draw(129 + 55, [0.4, 0.4, 0.2], 1, seed=6)  # 129 to train
    parameters = ClassifierParameters(preset="robust", epochs=1, members=1)
    classifier.train_classifier(X, y.astype(str), [f"g{i}" for i in range(30)], "log", parameters, seed=0)
    assert seen == [129]


def test_self_training_that_relabels_many_cells_is_left_out_and_said(model, caplog):
    X, _ = draw(300, [0.2, 0.5, 0.3], 1.2, seed=11)
    bold = SelfTrainingParameters(preset="robust", learning_rate=0.01, kept_labels=0)
    trained, _ = self_train(model, X, bold, seed=0)
    kept = (trained.probabilities(X).argmax(dim=1) == model.probabilities(X).argmax(dim=1)).double().mean().item()
    assert kept < 1
    allowed, history = self_train(model, X, bold.model_copy(update={"kept_labels": kept}), seed=0)
    assert torch.equal(allowed.probabilities(X), trained.probabilities(X))
    assert history["kept"].sum() == 3
    with caplog.at_level(logging.WARNING):
        same, history = self_train(model, X, bold.model_copy(update={"kept_labels": kept + 1e-3}), seed=0)
    assert same is model
    assert not history["kept"].any()
    assert f"change the label of {100 * (1 - kept):.1f} % of the cells" in caplog.text


def test_the_adversary_is_for_one_model(model):
    with pytest.raises(InputError, match="one prediction model, not 3"):
        align(model, draw(20, [0.4, 0.4, 0.2], 1, seed=7)[0], AlignmentParameters(), seed=0)

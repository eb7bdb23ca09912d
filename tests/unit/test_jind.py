"""JIND against the paper's Methods, each equation and hyper-parameter on a case computed by hand."""

import copy
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from torch import nn

from jindbench.jind import alignment, classifier, optimizers, self_training
from jindbench.jind.model import JINDModel, has_bfloat16, precision
from jindbench.jind.networks import Classifier, Discriminator, Encoder, Generator, seeded
from jindbench.jind.parameters import AlignmentParameters, ClassifierParameters, SelfTrainingParameters
from jindbench.jind.thresholds import type_thresholds

SHORT = ClassifierParameters(epochs=6)
SHORT_ALIGNMENT = AlignmentParameters(epochs=2, short_epoch_iterations=3, good_epochs=9)


@pytest.fixture(scope="module")
def cells():
    """Three types that 30 genes tell apart, source and shifted target, as sparse matrices with labels."""
    rng = np.random.default_rng(0)
    centres = rng.gamma(1, 2, (3, 30))

    def draw(n, shift):
        labels = rng.choice(3, n, p=[0.6, 0.3, 0.1])
        X = np.log2(1 + rng.poisson(centres[labels] * shift))
        return sparse.csr_matrix(X, dtype=np.float32), np.array(["a", "b", "c"])[labels]

    return draw(150, 1.0), draw(90, 1.3)


def train(X, labels, parameters, seed=0):
    return classifier.train_classifier(X, labels, [f"g{i}" for i in range(X.shape[1])], "log", parameters, seed)


@pytest.fixture(scope="module")
def model(cells):
    (X, labels), _ = cells
    return train(X, labels, SHORT)[0]


@pytest.fixture(scope="module")
def aligned(model, cells):
    return alignment.align(model, cells[1][0], SHORT_ALIGNMENT, seed=0)[0]


def shapes(network):
    return [tuple(layer.weight.shape) for layer in network.modules() if isinstance(layer, nn.Linear)]


def state(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(network, before):
    return all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


# --- Networks (Methods, 'Prediction model' and 'Network architectures')


def test_layers_have_the_papers_sizes():
    assert shapes(Encoder(5000, 0.2)) == [(256, 5000)]
    assert shapes(Classifier(7)) == [(256, 256), (7, 256)]
    # S and B: their first layers of 512 are computed as one.
    assert shapes(Generator(5000)) == [(1024, 5000)] + [(512, 512), (256, 512)] * 2
    assert shapes(Discriminator(0.2)) == [(512, 256), (256, 512), (256, 256), (1, 256)]


def test_the_latent_code_is_taken_before_the_relu():
    encoder = Encoder(4, 0.2).eval()
    nn.init.constant_(encoder.hidden.bias, -1.0)
    assert (encoder(torch.zeros(1, 4)) == -1).all()
    classify = Classifier(3)  # P begins with the ReLU: negative codes look like zero
    assert torch.equal(classify(torch.full((1, 256), -1.0)), classify(torch.zeros(1, 256)))


def test_dropout_is_on_in_training_only():
    encoder = Encoder(4, 0.2)
    nn.init.constant_(encoder.hidden.bias, 1.0)
    with seeded(0):
        code = encoder.train()(torch.zeros(200, 4))
    assert (code == 0).float().mean().item() == pytest.approx(0.2, abs=0.01)
    assert torch.allclose(code[code != 0], torch.tensor(1 / 0.8))
    assert (encoder.eval()(torch.zeros(1, 4)) == 1).all()


def test_generator_scales_and_shifts_and_starts_as_the_identity():
    generator, x, h = Generator(10), torch.randn(5, 10), torch.randn(5, 256)
    scale, shift = generator.scale_and_shift(x)
    assert (scale == 1).all()
    assert (shift == 0).all()
    assert torch.equal(generator(x, h), h)
    nn.init.constant_(generator.scale_offset[-1].bias, 1.0)
    nn.init.constant_(generator.shift[-1].bias, 3.0)
    assert torch.allclose(generator(x, h), 2 * h + 3)  # G(x, h) = S(x) * h + B(x) with S = 2, B = 3


# --- Prediction model


def test_class_weights_eq_2():
    y = torch.tensor([0, 0, 0, 1])  # shares .75 and .25, K = 2
    expected = [2 / (2 * (0.01 + 0.75)), 2 / (2 * (0.01 + 0.25))]
    assert classifier.class_weights(y, 2, 0.01).tolist() == pytest.approx(expected)


def test_loss_eq_1():
    probabilities = torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]])
    weights = torch.tensor([1.0, 3.0, 7.0])
    loss = classifier.weighted_cross_entropy(probabilities.log(), torch.tensor([0, 1]), weights)
    assert loss.item() == pytest.approx((-1 * math.log(0.5) - 3 * math.log(0.8)) / (1 + 3))


def test_defaults_are_the_papers_text():
    p = ClassifierParameters()
    assert (p.n_genes, p.dropout, p.weight_epsilon) == (5000, 0.2, 0.01)
    assert (p.validation_share, p.epochs, p.learning_rate, p.patience, p.outlier_fraction) == (0.3, 30, 1e-3, 5, 0.05)
    p = AlignmentParameters()
    assert (p.penalty, p.learning_rate, p.batch_size, p.discriminator_steps) == (1e-3, 1e-4, 512, 2)
    assert (p.generator_weight_decay, p.discriminator_weight_decay) == (1e-2, 1e-6)
    assert (p.leaky_slope, p.epochs, p.short_epoch, p.short_epoch_iterations) == (0.2, 20, 50, 40)
    assert (p.equilibrium_ceiling, p.good_epochs) == (0.78, 3)
    p = SelfTrainingParameters()
    assert (p.outlier_fraction, p.validation_share, p.epochs, p.batch_size, p.learning_rate) == (0.3, 0.3, 10, 32, 1e-4)


def test_split_is_70_to_30():
    rows, validation = classifier.split_rows(np.zeros(100), 0.3, 0)
    assert (len(rows), len(validation)) == (70, 30)
    assert sorted([*rows, *validation]) == list(range(100))
    assert [len(part) for part in classifier.split_rows(np.zeros(2), 0.01, 0)] == [1, 1]


def test_stratified_split_keeps_the_composition():
    y = np.array([0] * 50 + [1] * 10)
    rows, validation = classifier.split_rows(y, 0.2, 0, stratified=True)
    assert sorted([*rows, *validation]) == list(range(60))
    assert np.bincount(y[validation]).tolist() == [10, 2]


@pytest.mark.parametrize("counts", [(50, 1), (2, 2, 2)])
def test_types_too_small_to_be_stratified(counts):
    """A single cell cannot lie on both sides; one validation cell cannot show three types."""
    y = np.repeat(np.arange(len(counts)), counts)
    rows, validation = classifier.split_rows(y, 0.2, 0, stratified=True)
    assert len(validation) == round(0.2 * len(y))
    assert sorted([*rows, *validation]) == list(range(len(y)))


def test_learning_rate_is_halved_after_more_than_five_flat_epochs():
    network = nn.Linear(2, 1)  # one type: the loss is 0 in every epoch
    rows = np.arange(4)
    history = classifier.train_best_epoch(
        network,
        lambda rows: network(torch.ones(len(rows), 2)),
        torch.zeros(4, dtype=torch.long),
        rows,
        rows,
        torch.ones(1),
        ClassifierParameters(epochs=14),
    )
    # Epoch 1 sets the level, 2 to 7 are flat: halved for epoch 8, then six more.
    assert history["learning_rate"].tolist() == [1e-3] * 7 + [5e-4] * 6 + [2.5e-4]


def test_first_epoch_with_the_best_validation_accuracy_is_kept(cells):
    (X, labels), _ = cells
    parameters = ClassifierParameters(epochs=12)
    model, history = train(X, labels, parameters, seed=1)
    kept = history.loc[history["kept"], "epoch"].tolist()
    assert kept == [history.loc[history["validation_accuracy"].idxmax(), "epoch"]]
    assert kept != [12]  # or the test could not tell it from the last
    # The stored state is that epoch's: training for just that long ends in it.
    again, _ = train(X, labels, parameters.model_copy(update={"epochs": kept[0]}), seed=1)
    assert np.array_equal(model.probabilities(X), again.probabilities(X))


def test_training_stops_after_the_dry_epochs_with_the_state_that_all_epochs_would_keep(cells):
    (X, labels), _ = cells
    model, history = train(X, labels, ClassifierParameters(epochs=12), seed=1)
    kept = history.loc[history["kept"], "epoch"].item()
    assert kept + 3 < 12  # or nothing would be saved
    sooner, shorter = train(X, labels, ClassifierParameters(epochs=12, dry_epochs=3), seed=1)
    assert shorter["epoch"].max() == kept + 3
    assert np.array_equal(sooner.probabilities(X), model.probabilities(X))
    _, of_two = train(X, labels, ClassifierParameters(epochs=12, dry_epochs=3, members=2), seed=1)
    assert of_two["epoch"].tolist() == [*range(1, len(of_two) + 1)]


# --- Thresholds (Methods, 'Filtering')


def quantile(*arguments):
    return type_thresholds(*arguments, rule="quantile", without_cells=0.9)


def test_threshold_is_the_highest_probability_of_the_bottom_quantile():
    confidence = np.array([0.50 + 0.02 * i for i in range(20)])  # 5 % of 20 cells: the lowest
    tau = quantile(confidence, np.zeros(20, dtype=int), 2, 0.05)
    assert tau.tolist() == [0.50, 0.9]  # no cell is assigned to the second type
    ten = np.array([0.9, 0.1, 0.8, 0.2, 0.7, 0.3, 0.6, 0.4, 0.5, 1.0])  # 30 % of 10 cells: .1, .2, .3
    assert quantile(ten, np.zeros(10, dtype=int), 1, 0.3).tolist() == [0.3]


def test_each_type_has_its_own_threshold():
    confidence, assigned = np.array([0.9, 0.6, 0.7, 0.8]), np.array([0, 1, 0, 1])
    assert quantile(confidence, assigned, 2, 0.05).tolist() == [0.7, 0.6]


def test_a_type_with_too_few_validation_cells_has_the_threshold_of_one_without_any():
    confidence, assigned = np.array([0.3, 0.95, 0.8, 0.7]), np.array([1, 0, 0, 0])
    by_type = {"rule": "quantile", "without_cells": 0.9}
    assert type_thresholds(confidence, assigned, 3, 0.5, **by_type).tolist() == [0.8, 0.3, 0.9]
    assert type_thresholds(confidence, assigned, 3, 0.5, **by_type, fewest=2).tolist() == [0.8, 0.9, 0.9]


def test_outlier_fraction_of_zero_rejects_no_validation_cell():
    assert quantile(np.array([0.4]), np.array([0]), 2, 0.0).tolist() == [0.0, 0.9]


def test_threshold_by_rank_as_in_the_authors_code():
    def rank(*arguments):
        return type_thresholds(*arguments, rule="rank", without_cells=0.9)

    confidence = np.array([0.50 + 0.02 * i for i in range(20)])  # int(.05 * 20) + 1 = 2
    assert rank(confidence, np.zeros(20, dtype=int), 1, 0.05).tolist() == [0.54]
    assert rank(np.array([0.7]), np.array([0]), 1, 0.05).tolist() == [0.9]  # there is no number 1


def test_a_label_needs_more_than_the_threshold_or_with_rank_as_much(model):
    def at(tau):  # a cell of each type, with a probability that equals its threshold
        return torch.diag(torch.from_numpy(tau))

    assert not model.accepted(at(model.thresholds())).any()
    assert model.accepted(at(model.thresholds()) + 1e-9 * torch.eye(3)).all()
    by_rank = replace(model, parameters=SHORT.model_copy(update={"threshold_rule": "rank"}))
    assert by_rank.accepted(at(by_rank.thresholds())).all()


def test_a_threshold_that_rests_on_one_cell_is_said(cells, caplog):
    """A cell of a fourth type that looks like no other: the only one in the validation cells that is taken for it."""
    (X, labels), _ = cells
    odd = sparse.csr_matrix(np.where(np.arange(X.shape[1]) < 10, 20, 0).astype(np.float32))
    X, labels = sparse.vstack([X, *[odd] * 6], format="csr"), np.append(labels, ["odd"] * 6)
    counts = {
        seed: (labels[classifier.split_rows(np.zeros(len(labels)), 0.3, seed)[1]] == "odd").sum() for seed in range(50)
    }
    seed = next(seed for seed, n in counts.items() if n == 1)
    longer = SHORT.model_copy(update={"epochs": 30})
    train(X, labels, longer, seed=seed)
    assert "the threshold of odd rests on one validation cell" in caplog.text
    caplog.clear()
    train(X, labels, longer.model_copy(update={"threshold_cells": 2}), seed=seed)
    assert "rests on one validation cell" not in caplog.text


def test_thresholds_come_from_the_validation_cells(cells):
    """With the cells outside the training rows, and all of them."""
    (X, labels), _ = cells
    fitted, _ = train(X, labels, SHORT)
    _, validation = classifier.split_rows(np.zeros(150), 0.3, 0)
    assert fitted.validation.shape == (45, len(fitted.classes))
    assert torch.equal(fitted.validation, fitted.probabilities(X[validation]))


def test_certain_cells_can_still_be_told_apart(model, cells):
    """In float32 the surest probabilities are all 1, a threshold among them is 1, and no cell is above it."""
    certain = replace(model, classifier=copy.deepcopy(model.classifier))
    top = certain.classifier(certain.latent_codes(cells[0][0])).topk(2, dim=1).values
    for values in certain.classifier.layers[-1].parameters():  # the surest cell gets a probability of 1 - exp(-30)
        values.mul_(30 / (top[:, 0] - top[:, 1]).max())
    confidence = certain.probabilities(cells[0][0]).max(dim=1).values
    assert (confidence.float() == 1).sum() > 5
    assert (confidence < 1).all()


# --- Alignment (Methods, 'Adversarial training'); D = sigmoid(z), so z = log(D / (1 - D))


def logit(d):
    return torch.logit(torch.tensor(d))


def test_generator_loss_eq_3_and_5():
    scale = torch.ones(2, 256)
    assert alignment.generator_loss(logit([0.8, 0.5]), scale, 0.001).item() == pytest.approx(
        -(math.log(0.8) + math.log(0.5)) / 2
    )
    scale[0, 0], scale[0, 1], scale[1, 5] = 4.0, 5.0, 0.0  # ||S - 1|| = 5 and 1
    assert alignment.generator_loss(logit([0.8, 0.5]), scale, 0.001).item() == pytest.approx(
        -(math.log(0.8) + math.log(0.5)) / 2 + 0.001 * (5 + 1) / 2
    )


def test_discriminator_loss_eq_4():
    loss = alignment.discriminator_loss(logit([0.9, 0.6]), logit([0.2]))
    assert loss.item() == pytest.approx(-0.5 * (math.log(0.9) + math.log(0.6)) / 2 - 0.5 * math.log(1 - 0.2))


def test_penalty_has_a_gradient_at_the_identity():
    scale = torch.ones(3, 256, requires_grad=True)
    alignment.generator_loss(torch.zeros(3), scale, 0.001).backward()
    assert torch.isfinite(scale.grad).all()


def test_two_discriminator_steps_for_each_generator_step(model, cells, monkeypatch):
    """And each step changes its own network and not the other."""
    made, steps, rmsprop = [], [], optimizers.rmsprop

    def recorded(parameters, learning_rate, weight_decay):
        parameters = list(parameters)
        optimizer = rmsprop(parameters, learning_rate, weight_decay)
        name, step = "DG"[len(made)], optimizer.step
        made.append((parameters, learning_rate, weight_decay))

        def checked():
            before = [[p.clone() for p in parameters] for parameters, *_ in made]
            step()
            changed = [
                any(not torch.equal(p, q) for p, q in zip(old, new, strict=True))
                for old, (new, *_) in zip(before, made, strict=True)
            ]
            assert changed == [name == "D", name == "G"]
            steps.append(name)

        optimizer.step = checked
        return optimizer

    monkeypatch.setattr(optimizers, "rmsprop", recorded)
    alignment.align(model, cells[1][0], AlignmentParameters(epochs=1, short_epoch_iterations=3), seed=0)
    assert "".join(steps) == "GDD" * 3
    assert [options for _, *options in made] == [[1e-4, 1e-6], [1e-4, 1e-2]]


def test_a_large_penalty_holds_the_scale_at_one(model, cells):
    target = cells[1][0]

    def distance(penalty):
        parameters = AlignmentParameters(epochs=1, short_epoch_iterations=30, penalty=penalty)
        generator = alignment.align(model, target, parameters, seed=0)[0].generator
        return (generator.scale_and_shift(torch.from_numpy(target.toarray()))[0] - 1).norm().item()

    assert distance(1000.0) < 0.5 * distance(0.0)


def test_an_epoch_has_forty_iterations_or_one_for_each_of_fifty_batches(model, cells, monkeypatch):
    target, calls = cells[1][0], []  # 90 cells
    step = alignment.Game.generator_step
    monkeypatch.setattr(alignment.Game, "generator_step", lambda self, train: calls.append(1) or step(self, train))
    for batch_size, expected in ((90, 40), (2, 40), (1, 90)):
        calls.clear()
        alignment.align(model, target, AlignmentParameters(epochs=1, batch_size=batch_size), seed=0)
        assert len(calls) == expected


def test_both_sides_are_drawn_from_all_their_cells(model, cells):
    game = alignment.Game(model, cells[1][0], AlignmentParameters(batch_size=40))
    with seeded(0):
        source = torch.cat([game.draw_source() for _ in range(40)])
        target = torch.cat([game.draw_target()[1] for _ in range(40)])
    assert len(torch.unique(source, dim=0)) == len(torch.unique(model.source_codes, dim=0))
    assert len(torch.unique(target, dim=0)) == len(torch.unique(game.target_codes, dim=0))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lambda p: optimizers.Adam(p, 1e-2), lambda p: torch.optim.Adam(p, lr=1e-2)),
        (lambda p: optimizers.rmsprop(p, 1e-2, 0.01), lambda p: torch.optim.RMSprop(p, lr=1e-2, weight_decay=0.01)),
    ],
    ids=["adam", "rmsprop"],
)
def test_optimizers_are_torchs(ours, theirs):
    with seeded(0):
        start, x = torch.randn(20, 30), torch.randn(30)
    ends = []
    for optimizer in (ours, theirs):
        parameter = start.clone().requires_grad_(True)
        optimizer = optimizer([parameter])
        for _ in range(50):
            optimizer.zero_grad()
            ((parameter @ x) ** 2).sum().backward()
            optimizer.step()
        ends.append(parameter)
    assert torch.allclose(*ends, atol=1e-5)


def test_input_shift_is_added_to_the_genes():
    generator, encoder = Generator(6, identity_start=False, input_shift=True), Encoder(6, 0.0)
    plain = Generator(6, identity_start=False)
    plain.load_state_dict({k: v for k, v in generator.state_dict().items() if k != "input_shift"})
    nn.init.normal_(generator.input_shift)
    x = torch.randn(4, 6)
    shifted = x + generator.input_shift
    code = generator(x, encoder(x, generator.input_shift))
    assert torch.allclose(code, plain(shifted, encoder(shifted)), atol=1e-5)


def test_codes_are_aligned_after_the_relu_if_asked_for():
    generator = Generator(6, identity_start=False, after_relu=True)
    x, h = torch.randn(4, 6), torch.randn(4, 256)
    scale, shift = generator.scale_and_shift(x)
    assert torch.equal(generator(x, h), scale * h.clamp(min=0) + shift)


def test_a_model_aligned_after_the_relu_is_stored_as_such(model, cells, tmp_path):
    target = cells[1][0]
    parameters = SHORT_ALIGNMENT.model_copy(update={"after_relu": True})
    aligned, history = alignment.align(model, target, parameters, seed=0)
    aligned.save(tmp_path, history)
    loaded = type(aligned).load(tmp_path, "cpu")
    assert np.array_equal(loaded.probabilities(target), aligned.probabilities(target))
    before, _ = alignment.align(model, target, SHORT_ALIGNMENT, seed=0)
    assert not np.array_equal(before.probabilities(target), aligned.probabilities(target))


def test_alignment_trains_the_generator_alone_and_spares_the_reference(model, cells):
    target = cells[1][0]
    before, plain = (state(model.encoder), state(model.classifier)), model.probabilities(target)
    first, _ = alignment.align(model, target, SHORT_ALIGNMENT, seed=0)
    second, _ = alignment.align(model, target, SHORT_ALIGNMENT, seed=0)
    assert same(model.encoder, before[0])
    assert same(model.classifier, before[1])
    assert model.generator is None
    assert np.array_equal(model.probabilities(target), plain)
    assert not np.array_equal(first.probabilities(target), plain)
    assert np.array_equal(first.probabilities(target), second.probabilities(target))  # one reference, many targets
    assert np.array_equal(first.thresholds(), model.thresholds())


def test_alignment_stops_at_the_third_good_epoch_and_keeps_it(model, cells):
    loose = AlignmentParameters(epochs=9, short_epoch_iterations=2, equilibrium_ceiling=100.0)
    _, history = alignment.align(model, cells[1][0], loose, seed=0)
    assert history["epoch"].tolist() == [0, 1, 2, 3]
    assert history["kept"].tolist() == [False, False, False, True]


def test_without_a_good_epoch_the_last_is_kept_and_said_so(model, cells, caplog):
    strict = AlignmentParameters(epochs=4, short_epoch_iterations=2, equilibrium_ceiling=1e-6)
    _, history = alignment.align(model, cells[1][0], strict, seed=0)
    assert history["kept"].tolist() == [False, False, False, False, True]
    assert "did not converge" in caplog.text


PUBLISHED = {"preset": "published", "equilibrium_floor": 0.0}


def test_fewest_rejected_keeps_the_unaligned_start_if_nothing_is_better(model, cells, caplog):
    never = AlignmentParameters(**PUBLISHED, short_epoch_iterations=2, equilibrium_ceiling=1e-6)
    result, history = alignment.align(model, cells[1][0], never, seed=0)
    assert history["epoch"].tolist() == list(range(8))  # the start and seven dry epochs
    assert history.loc[history["kept"], "epoch"].tolist() == [0]
    assert result.generator is None
    assert "the unaligned start is kept" in caplog.text


def test_fewest_rejected_keeps_the_best_epoch(model, cells, monkeypatch):
    rates = [0.5, 0.6, 0.4, 0.45, 0.3] + [0.3] * 7  # the start, then the epochs: the fourth is the best
    left = iter(rates)
    monkeypatch.setattr(alignment.Game, "rejection_rate", lambda self, generator: next(left))
    always = AlignmentParameters(**PUBLISHED, short_epoch_iterations=2, equilibrium_ceiling=100.0)
    result, history = alignment.align(model, cells[1][0], always, seed=0)
    assert history.loc[history["kept"], "epoch"].tolist() == [4]
    assert history["epoch"].tolist() == list(range(12))  # and seven dry ones
    assert history.loc[history["good"], "epoch"].tolist() == [2, 4]
    assert result.generator is not None


def test_a_collapsed_loss_starts_the_generator_anew(model, cells, monkeypatch, caplog):
    starts, start = [], alignment.Game.start_generator
    monkeypatch.setattr(alignment.Game, "start_generator", lambda self: starts.append(1) or start(self))
    monkeypatch.setattr(alignment, "COLLAPSED", 100.0)
    parameters = AlignmentParameters(epochs=1, short_epoch_iterations=3, restart_at_zero_loss=True)
    alignment.align(model, cells[1][0], parameters, seed=0)
    assert len(starts) == 1 + 3
    assert "the generator starts anew" in caplog.text


# --- JIND+ (Methods, 'JIND+')


def test_self_training_changes_the_prediction_model_and_nothing_else(aligned, cells):
    target = cells[1][0]
    before = [state(network) for network in (aligned.encoder, aligned.classifier, aligned.generator)]
    plus, history = self_training.self_train(aligned, target, SelfTrainingParameters(epochs=3), seed=0)
    networks = (aligned.encoder, aligned.classifier, aligned.generator)
    assert all(same(network, old) for network, old in zip(networks, before, strict=True))
    assert not same(plus.encoder, before[0])
    assert not same(plus.classifier, before[1])
    assert same(plus.generator, before[2])
    assert np.array_equal(plus.thresholds(), aligned.thresholds())
    assert len(history) == 3


def test_self_training_uses_cells_above_the_threshold_with_their_predicted_label(aligned, cells, monkeypatch):
    seen = {}

    def capture(networks, logits_of, y, train, validation, weights, parameters):
        seen.update(y=y, train=train, validation=validation, weights=weights)

    def capture_all(networks, logits_of, y, train, validation, weights, parameters, **options):
        seen["logits"] = logits_of(np.arange(len(y)))
        capture(networks, logits_of, y, train, validation, weights, parameters)
        return pd.DataFrame({"epoch": [1]})

    monkeypatch.setattr(self_training, "train_best_epoch", capture_all)
    target = cells[1][0]
    self_training.self_train(aligned, target, SelfTrainingParameters(), seed=0)
    probabilities = aligned.probabilities(target).numpy()
    confident = probabilities.max(axis=1) > aligned.thresholds(0.3)[probabilities.argmax(axis=1)]
    assert 2 < confident.sum() < len(confident)
    assert seen["y"].tolist() == probabilities.argmax(axis=1)[confident].tolist()
    assert len(seen["validation"]) == round(0.3 * confident.sum())
    assert torch.equal(seen["weights"], aligned.class_weights)
    codes = aligned.latent_codes(target[confident])  # through the generator
    assert torch.allclose(seen["logits"], aligned.classifier(codes), atol=1e-5)


def test_published_self_training_trains_the_encoder_alone(aligned, cells):
    published = SelfTrainingParameters(preset="published", epochs=2)
    before = state(aligned.classifier)
    plus, _ = self_training.self_train(aligned, cells[1][0], published, seed=0)
    assert same(plus.classifier, before)
    assert not same(plus.encoder, state(aligned.encoder))


def test_self_training_of_a_loaded_model_is_the_same(aligned, cells, tmp_path):
    """Dropout included, which is no weight."""
    aligned.save(tmp_path, pd.DataFrame({"epoch": [1]}))
    target, parameters = cells[1][0], SelfTrainingParameters(epochs=2)
    runs = [
        self_training.self_train(start, target, parameters, seed=0)[0].probabilities(target)
        for start in (aligned, JINDModel.load(tmp_path, "cpu"))
    ]
    assert torch.equal(*runs)
    assert JINDModel.load(tmp_path, "cpu").encoder.dropout.p == 0.2


def test_training_weighs_the_cells_by_type(cells, monkeypatch):
    (X, labels), _ = cells
    seen, loss = [], classifier.weighted_cross_entropy
    monkeypatch.setattr(classifier, "weighted_cross_entropy", lambda z, y, w: seen.append(w) or loss(z, y, w))
    train(X, labels, ClassifierParameters(epochs=1))
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    assert seen[0].tolist() == pytest.approx(list(2 / (3 * (0.01 + shares))))


def test_bfloat16_gives_nearly_the_same(model, cells):
    target, labels = cells[1][0], []
    for name in ("float32", "bfloat16"):
        parameters = SHORT_ALIGNMENT.model_copy(update={"precision": name})
        result, _ = alignment.align(model, target, parameters, seed=0)
        labels.append(result.probabilities(target).argmax(dim=1))
    assert (labels[0] == labels[1]).double().mean() > 0.95


def test_bfloat16_is_float32_on_a_processor_without_it(monkeypatch, caplog):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_f": True, "avx512_bf16": False})
    has_bfloat16.cache_clear()
    try:
        for _ in range(2):
            with precision(torch.device("cpu"), "bfloat16"):
                assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
    finally:
        has_bfloat16.cache_clear()
    assert [record.message for record in caplog.records] == [
        "precision: bfloat16, but this processor has no instructions for it: float32 instead"
    ]


def test_confident_by_rank_are_the_upper_share_of_each_assigned_type(model):
    sure = torch.linspace(0.5, 0.9, 20, dtype=torch.float64)  # type 0: the lowest of 20 is the bottom 5 %
    unsure = torch.tensor([0.4, 0.5], dtype=torch.float64)  # type 1: of two cells none lies in the bottom 5 %
    probabilities = torch.zeros(22, 3, dtype=torch.float64)
    probabilities[:20, 0], probabilities[20:, 1] = sure, unsure
    chosen = self_training.confident_cells(model, probabilities, SelfTrainingParameters(preset="published"))
    assert torch.nonzero(~chosen).flatten().tolist() == [0]


def test_self_training_without_confident_cells_leaves_the_model(aligned, cells, caplog):
    certain = SelfTrainingParameters(outlier_fraction=0.99)
    few = cells[1][0][:1]
    plus, history = self_training.self_train(aligned, few, certain, seed=0)
    assert plus is aligned
    assert history.empty
    assert "left out" in caplog.text


# --- The whole


def test_same_seed_same_numbers(cells):
    (X, labels), _ = cells
    runs = [train(X, labels, SHORT, seed)[0].probabilities(X) for seed in (0, 0, 1)]
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_training_leaves_the_callers_random_state(cells):
    (X, labels), _ = cells
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    train(X, labels, ClassifierParameters(epochs=1))
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("stage", ["model", "aligned"])
def test_a_loaded_model_predicts_the_same(stage, cells, tmp_path, request):
    fitted = request.getfixturevalue(stage)
    fitted.save(tmp_path, pd.DataFrame({"epoch": [1]}))
    loaded, target = JINDModel.load(tmp_path, "cpu"), cells[1][0]
    assert np.array_equal(loaded.probabilities(target), fitted.probabilities(target))
    assert np.array_equal(loaded.thresholds(), fitted.thresholds())
    assert (loaded.genes, loaded.classes) == (fitted.genes, fitted.classes)
    assert not list(tmp_path.glob("*.pt")) + list(tmp_path.glob("*.pkl"))

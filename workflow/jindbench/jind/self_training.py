"""JIND+: training the prediction model again on the confident predictions of the target (paper, Methods, 'JIND+')."""

import copy
import logging
from dataclasses import replace

import pandas as pd
import torch
from scipy import sparse
from torch import Tensor, nn

from jindbench.jind.classifier import HISTORY, class_weights, split_rows, train_best_epoch
from jindbench.jind.model import JINDModel, Rows
from jindbench.jind.networks import frozen, seeded
from jindbench.jind.parameters import SelfTrainingParameters

log = logging.getLogger(__name__)


def self_train(
    model: JINDModel, X: sparse.csr_matrix, parameters: SelfTrainingParameters, seed: int, *, progress: bool = False
) -> tuple[JINDModel, pd.DataFrame]:
    """Fine-tune the prediction model on the target's confident predictions; the generator stays fixed.

    The thresholds stay as they are.

    Parameters
    ----------
    model
        After alignment; it is not changed.
    X
        Transformed expression of the target, N_t x M.
    progress
        Show a progress bar.

    Returns
    -------
    The self-trained model and the table of its epochs. The model comes back as it is with fewer than two confident
    cells, for there is nothing to train on and the table is empty; and if too many cells would get another label.
    """
    probabilities = model.probabilities(X)
    confident = torch.nonzero(confident_cells(model, probabilities, parameters)).squeeze(1)
    log.info("%d of %d cells are confident and serve as labelled cells", len(confident), X.shape[0])
    if len(confident) < 2:
        log.warning("self-training was left out: it needs two confident cells")
        return model, pd.DataFrame(columns=HISTORY)

    labels = probabilities.argmax(dim=1)
    cells = X[confident.cpu().numpy()]
    trained = [
        _self_train_member(member, cells, labels[confident], parameters, seed + i, progress=progress)
        for i, member in enumerate(model.members)
    ]
    members = [member for member, _ in trained]
    reference = model.reference or model.without_alignment().without_source()
    plus = replace(
        members[0], others=tuple(members[1:]), linear=model.linear, linear_share=model.linear_share, reference=reference
    )
    histories = [table.assign(epoch=table["epoch"] + i * parameters.epochs) for i, (_, table) in enumerate(trained)]
    history = pd.concat(histories, ignore_index=True)
    if parameters.kept_labels > 0:
        kept = (plus.probabilities(X).argmax(dim=1) == labels).double().mean().item()
        if kept < parameters.kept_labels:
            log.warning(
                "self-training would change the label of %.1f %% of the cells, more than %.1f %%; it is left out",
                *(100 * (1 - kept), 100 * (1 - parameters.kept_labels)),
            )
            return model, history.assign(kept=False)
    return plus, history


def _self_train_member(
    model: JINDModel,
    X: sparse.csr_matrix,
    y: Tensor,
    parameters: SelfTrainingParameters,
    seed: int,
    *,
    progress: bool,
) -> tuple[JINDModel, pd.DataFrame]:
    """One prediction model, trained on the confident cells X and their labels y."""
    weights = model.class_weights
    if parameters.class_weights == "confident_cells":
        weights = class_weights(y, len(model.classes), model.parameters.weight_epsilon)
    encoder, classifier = copy.deepcopy(model.encoder), copy.deepcopy(model.classifier)
    encoder.requires_grad_(True)
    classifier.requires_grad_(parameters.trained == "prediction_model")
    generator = model.generator
    if generator is not None:  # it is fixed: S(x) and B(x) are computed once
        scale_and_shift = model.blockwise(X, lambda x: torch.cat(generator.scale_and_shift(x), dim=1))

    cells = Rows(X, model.device, again=True)

    def logits_of(rows):
        x = cells[rows]
        if generator is None:
            return classifier(encoder(x))
        scale, shift = scale_and_shift[rows].chunk(2, dim=1)
        return classifier(generator.aligned(scale, shift, encoder(x, generator.input_shift)))

    train, validation = split_rows(y.cpu().numpy(), parameters.validation_share, seed)
    with seeded(seed):
        history = train_best_epoch(
            nn.ModuleDict({"encoder": encoder, "classifier": classifier}),
            logits_of,
            y,
            train,
            validation,
            weights,
            parameters,
            keep_last_of_the_best=parameters.keep_last_of_the_best,
            progress="self-train" if progress else None,
        )
    return replace(model, encoder=frozen(encoder), classifier=frozen(classifier)), history


def confident_cells(model: JINDModel, probabilities: Tensor, parameters: SelfTrainingParameters) -> Tensor:
    """Which of n cells (probabilities n x K) are labelled by their own prediction, n booleans."""
    if parameters.confident == "thresholds":
        return model.accepted(probabilities, parameters.outlier_fraction)
    confidence, assigned = (values.cpu().numpy() for values in probabilities.max(dim=1))
    rank = pd.Series(confidence).groupby(assigned).rank(pct=True)  # the share of the type's cells that are no surer
    return torch.from_numpy((rank > parameters.outlier_fraction).to_numpy()).to(probabilities.device)

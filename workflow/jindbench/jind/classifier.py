"""Training stage: the prediction model (paper, Methods, 'Training stage')."""

import logging
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from tqdm import tqdm

from jindbench.data.matrix import BLOCK
from jindbench.errors import InputError
from jindbench.jind import optimizers
from jindbench.jind.linear import best_share, train_linear
from jindbench.jind.model import JINDModel, Rows, blocks, choose_device, precision
from jindbench.jind.networks import LATENT, Classifier, Encoder, frozen, seeded
from jindbench.jind.parameters import ClassifierParameters, SelfTrainingParameters
from jindbench.jind.profiles import Profiles

log = logging.getLogger(__name__)

HISTORY = ["epoch", "train_loss", "validation_accuracy", "learning_rate", "kept"]


def class_weights(y: Tensor, n_types: int, epsilon: float) -> Tensor:
    """Eq. 2: w_k = 2 / (K (epsilon + n_k)), where n_k is the share of type k among the cells."""
    shares = torch.bincount(y, minlength=n_types) / len(y)
    return 2 / (n_types * (epsilon + shares))


def weighted_cross_entropy(logits: Tensor, y: Tensor, weights: Tensor) -> Tensor:
    """Eq. 1, -w_k log(y_hat_k) for a cell of type k, over a mini-batch.

    The paper writes the loss of one cell. Over a mini-batch it is the sum divided by the sum of the cells' weights, as
    in the authors' code. (The paper's Eq. 1 lacks the minus sign.)
    """
    losses = -weights[y] * logits.log_softmax(dim=1)[torch.arange(len(y), device=y.device), y]
    return losses.sum() / weights[y].sum()


def train_classifier(
    X: sparse.csr_matrix,
    labels: np.ndarray,
    genes: list[str],
    x_kind: str,
    parameters: ClassifierParameters,
    seed: int,
    *,
    progress: bool = False,
) -> tuple[JINDModel, pd.DataFrame]:
    """Train encoder and classifier on the source and find what the thresholds need.

    Where the parameters ask for several prediction models, all have the same cells for validation: thresholds are for
    their averaged probabilities.

    Parameters
    ----------
    X
        Transformed expression of the source, N_s x M.
    labels
        Cell types, N_s.
    genes
        Names of the M genes.
    x_kind
        What the source's X held before it was transformed; kept with the model.
    progress
        Show a progress bar.

    Returns
    -------
    The model, and a table with losses and validation accuracy for each epoch; the epochs of several models are counted
    on from one to the next.

    Raises
    ------
    InputError
        If there are fewer than two cells: one to train, one to validate.
    """
    if len(labels) < 2:
        raise InputError(f"the source has {len(labels)} cells; JIND needs two, one to train and one to validate")
    device = choose_device(parameters.device)
    classes, y = np.unique(labels, return_inverse=True)
    train, validation = split_rows(y, parameters.validation_share, seed, stratified=parameters.stratified)
    y = torch.from_numpy(y).to(device)
    weights = class_weights(y, len(classes), parameters.weight_epsilon)
    cells, members, histories = Rows(X, device, again=True), [], []
    with seeded(seed):
        for _ in range(parameters.members):
            encoder = Encoder(X.shape[1], parameters.dropout, parameters.noise).to(device)
            classifier = Classifier(len(classes)).to(device)
            epochs = train_best_epoch(
                nn.ModuleDict({"encoder": encoder, "classifier": classifier}),
                lambda rows, encoder=encoder, classifier=classifier: classifier(encoder(cells[rows])),
                y,
                train,
                validation,
                weights,
                parameters,
                even_batches=parameters.even_batches,
                dry_epochs=parameters.dry_epochs,
                progress="train" if progress else None,
            )
            histories.append(epochs.assign(epoch=epochs["epoch"] + sum(map(len, histories))))
            member = JINDModel(
                genes=list(genes),
                classes=classes.tolist(),
                x_kind=x_kind,
                parameters=parameters,
                encoder=frozen(encoder),
                classifier=frozen(classifier),
                class_weights=weights,
                validation_probabilities=torch.empty(0, len(classes), device=device),
                validation_types=y[validation],
                source_codes=torch.empty(0, LATENT, device=device),
                source_types=y,
            )
            codes, probabilities = member.latent_codes(cells), member.probabilities(X[validation])
            members.append(replace(member, source_codes=codes, validation_probabilities=probabilities))
    profiles = Profiles.of(X, y.cpu().numpy(), len(classes)) if parameters.profile_weight else None
    model = replace(members[0], others=tuple(members[1:]), profiles=profiles)
    if parameters.linear != "none":
        linear = train_linear(members[0], X, validation)
        share = best_share(model.validation, linear.validation_probabilities, y[validation])
        model = replace(model, linear=linear, linear_share=share if parameters.linear == "member" else 0.0)
    numbers = np.bincount(model.validation.argmax(dim=1).cpu().numpy(), minlength=len(classes))
    alone = classes[(numbers == 1) & (numbers >= parameters.threshold_cells)]
    if len(alone) > 0 and parameters.threshold_rule == "quantile":
        log.warning(
            "the threshold of %s rests on one validation cell: a cell is rejected unless it is surer than that one",
            ", ".join(alone),
        )
    return model, pd.concat(histories, ignore_index=True)


def split_rows(
    y: np.ndarray, validation_share: float, seed: int, *, stratified: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Random rows for training and for validation, at least one of each.

    `stratified`: in both with the shares that the types of `y` have, as far as the numbers of cells allow; where a type
    has but one cell, or a side fewer cells than there are types, without regard to types.
    """
    n_validation = min(max(round(validation_share * len(y)), 1), len(y) - 1)
    _, n_k = np.unique(y, return_counts=True)
    possible = n_k.min() > 1 and min(n_validation, len(y) - n_validation) >= len(n_k)
    return train_test_split(
        np.arange(len(y)), test_size=n_validation, random_state=seed, stratify=y if stratified and possible else None
    )


def train_best_epoch(
    networks: nn.Module,
    logits_of: Callable[[np.ndarray], Tensor],
    y: Tensor,
    train: np.ndarray,
    validation: np.ndarray,
    weights: Tensor,
    parameters: ClassifierParameters | SelfTrainingParameters,
    *,
    even_batches: bool = False,
    dry_epochs: int | None = None,
    keep_last_of_the_best: bool = False,
    progress: str | None = None,
) -> pd.DataFrame:
    """Train with Adam and keep the state of the epoch with the best validation accuracy.

    Methods, 'Training Details': the learning rate is halved when the training loss stays flat. Self-training uses the
    same procedure with its own parameters.

    Parameters
    ----------
    networks
        What is trained; left with the kept state.
    logits_of
        Forward pass for the cells in the given rows.
    y
        Type of every cell that `train` and `validation` point to.
    weights
        w_k of Eq. 2.
    even_batches
        Cut the cells into mini-batches of about equal size, instead of leaving over what may be a single cell.
    dry_epochs
        Stop after this many epochs in a row that were not kept; None: never.
    keep_last_of_the_best
        Of several epochs with the best accuracy keep the last instead of the first.
    progress
        What a progress bar is called; None for no bar.

    Returns
    -------
    One row for each epoch: train_loss, validation_accuracy, learning_rate, kept.
    """
    trained = [parameter for parameter in networks.parameters() if parameter.requires_grad]
    optimizer = optimizers.Adam(trained, parameters.learning_rate)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=parameters.patience, threshold=parameters.flat_share
    )
    best_accuracy, best_epoch, best_state, history = -1.0, 0, None, []
    for epoch in tqdm(range(1, parameters.epochs + 1), desc=progress, disable=progress is None, unit="epoch"):
        networks.train()
        order = train[torch.randperm(len(train)).numpy()]
        if even_batches:
            batches = np.array_split(order, max(round(len(order) / parameters.batch_size), 1))
        else:
            batches = blocks(order, parameters.batch_size)
        total_loss = 0.0
        for rows in batches:
            with precision(y.device, parameters.precision):
                logits = logits_of(rows)
            loss = weighted_cross_entropy(logits.float(), y[rows], weights)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total_loss += loss.item()
        loss, accuracy = total_loss / len(batches), _accuracy(networks, logits_of, y, validation)
        history.append(
            {
                "epoch": epoch,
                "train_loss": loss,
                "validation_accuracy": accuracy,
                "learning_rate": optimizer.param_groups[0]["lr"],
            }
        )
        log.info("epoch %d: training loss %.4f, validation accuracy %.4f", epoch, loss, accuracy)
        schedule.step(loss)
        if accuracy > best_accuracy or (keep_last_of_the_best and accuracy == best_accuracy):
            best_accuracy, best_epoch = accuracy, epoch
            best_state = {name: value.clone() for name, value in networks.state_dict().items()}
        elif dry_epochs is not None and epoch - best_epoch >= dry_epochs:
            break
    networks.load_state_dict(best_state)
    return pd.DataFrame(history).assign(kept=lambda table: table["epoch"] == best_epoch)


def _accuracy(networks: nn.Module, logits_of: Callable[[np.ndarray], Tensor], y: Tensor, rows: np.ndarray) -> float:
    networks.eval()
    with torch.no_grad():
        predicted = torch.cat([logits_of(block).argmax(dim=1) for block in blocks(rows, BLOCK)])
    return (predicted == y[rows]).double().mean().item()

"""Alignment of `robust` and `consensus`: by moments and composition, in closed form (docs/robust-alignment.md).

The paper's discriminator makes the target's codes look like the source's. Where the target has other shares of types,
it does so by moving cells from one type to another. Here the shares are estimated first, and the source is weighted to
them: what then differs between the codes is the batch, not the composition. No method of the paper.
"""

import logging
import math
from dataclasses import replace

import pandas as pd
import torch
from scipy import sparse
from torch import Tensor

from jindbench.jind.composition import STRANGE, composition, evidence, kept_labels, weights_by
from jindbench.jind.model import JINDModel
from jindbench.jind.networks import Rescaling, frozen
from jindbench.jind.parameters import AlignmentParameters
from jindbench.names import STAYS_UNALIGNED

AGREEMENT_FALL = 0.04  # of the networks with the linear model, at full evidence

log = logging.getLogger(__name__)


def source_weights(model: JINDModel, shares: Tensor) -> Tensor:
    """Weights of the source's cells, N_s, that sum to 1 and give its K types these shares."""
    counts = torch.bincount(model.source_types, minlength=len(shares))
    weights = (shares / counts.clamp(min=1))[model.source_types]
    return weights / weights.sum()


def unexplained(linear: JINDModel, X: sparse.csr_matrix, shares: Tensor) -> float:
    """By how much the linear model is less sure of the target's cells than these shares of the types would make it.

    Under label shift it is as sure of a type's cells in the target as in the source: so it is compared with held-out
    source cells, weighted to the shares. What is left is no matter of composition.

    Parameters
    ----------
    X
        Transformed expression of the target, N_t x M.
    shares
        Of the K types in the target, as estimated.
    """
    held_out = linear.source_codes.softmax(dim=1, dtype=torch.float64).max(dim=1).values
    expected = source_weights(linear, shares) @ held_out
    return (expected - linear.probabilities(X).max(dim=1).values.mean()).item()


def rescaling(source: Tensor, weights: Tensor, target: Tensor, moment_cells: float) -> Rescaling:
    """The scale and shift that give the target's codes the mean and variance of the weighted source, by dimension.

    Parameters
    ----------
    source, target
        Latent codes, N_s x 256 and n x 256.
    weights
        Of the source's cells, N_s; they sum to 1.
    moment_cells
        So many cells with the source's mean and variance count among the target's: a small target is moved little.
    """
    mean = weights @ source
    variance = weights @ (source - mean) ** 2
    own = len(target) / (len(target) + moment_cells)
    own_mean = own * target.mean(dim=0) + (1 - own) * mean
    own_variance = own * target.var(dim=0, correction=0) + (1 - own) * variance
    scale = torch.where(own_variance > 0, (variance / own_variance).sqrt(), 1.0)
    return frozen(Rescaling(scale, mean - scale * own_mean))


def align_moments(
    model: JINDModel, X: sparse.csr_matrix, parameters: AlignmentParameters
) -> tuple[JINDModel, pd.DataFrame]:
    """Align a target by the estimate of its composition. Nothing is random.

    1. The mean of the unaligned probabilities is the target's composition as it looks. In each prediction model the
       target's codes get mean and variance of the source's, which is weighted to it.
    2. The target's composition is also estimated under label shift, which goes further: it takes all that looks unlike
       the source for other shares. How far to believe it says the evidence, between 0 and 1, which falls where the
       linear model is less sure of the target than these shares would make it.
    3. The probability of a type is multiplied by the quotient of its shares in target and source to the power of the
       evidence; at 1 this is Bayes' rule.
    4. The unaligned probabilities have a say: half of it without evidence, none where it is 1. What both agree on is
       surer than what only one says.
    5. All stays unaligned if too many of the cells that the unaligned model accepts would get another label. It also
       does if the networks agree on fewer cells than before with a linear model that has no say in the probabilities.
       This has the same composition, and no moments of the target: where they are led astray, it is not. Another
       composition moves what is near a boundary, for which some disagreement is allowed, by the evidence.

    Parameters
    ----------
    model
        Before alignment; it is not changed.
    X
        Transformed expression of the target, N_t x M.

    Returns
    -------
    The aligned model, or the unaligned one, and a table of both states: rejection_rate, kept_labels (share of the
    cells accepted before that keep their label), agreement (share of the cells that the networks and the linear model
    give the same label; NaN without a linear model that judges), composition_distance (total variation of estimated
    and predicted composition) and unexplained (NaN without a linear model).
    """
    before = model.probabilities(X)
    seen = composition(before, model.validation_shares, parameters.pseudo_cells, steps=1)
    weights = source_weights(model, seen).float()

    def rescaled(member: JINDModel) -> JINDModel:
        codes = member.latent_codes(X)
        return replace(member, generator=rescaling(member.source_codes, weights, codes, parameters.moment_cells))

    members = [rescaled(member) for member in model.members]
    shares = composition(before, model.validation_shares, parameters.pseudo_cells)
    ratio = shares / model.validation_shares
    strange = math.nan if model.linear is None else unexplained(model.linear, X, shares)
    belief = evidence(before, ratio, strange)
    type_weights, aligned_share = weights_by(ratio, belief)
    composed = {"type_weights": type_weights, "aligned_share": aligned_share}
    aligned = replace(
        members[0],
        others=tuple(members[1:]),
        linear=model.linear and rescaled(model.linear),
        linear_share=model.linear_share,
        reference=model.without_source(),
        **composed,
    )
    after = aligned.probabilities(X)

    kept = kept_labels(before, after, model.accepted(before))
    agreed = agreed_after = math.nan
    if model.linear is not None and model.linear_share == 0:
        judge = replace(model.linear, reference=model.linear, **composed)
        agreed = _agreement(before, model.linear.probabilities(X))
        agreed_after = _agreement(after, judge.probabilities(X))
    fallen = agreed - agreed_after > AGREEMENT_FALL * belief
    good = kept >= parameters.kept_labels and not fallen
    history = pd.DataFrame(
        [
            _state(0, model, before, shares) | {"kept_labels": 1.0, "agreement": agreed, "kept": not good},
            _state(1, aligned, after, shares) | {"kept_labels": kept, "agreement": agreed_after, "kept": good},
        ]
    ).assign(unexplained=strange)
    log.info(
        "%.1f %% of the accepted cells keep their label after alignment; estimated composition (evidence for it, 0 to "
        "1: %.2f): %s",
        *(100 * kept, belief),
        ", ".join(f"{name} {share:.1%}" for name, share in zip(model.classes, shares.tolist(), strict=True)),
    )
    if strange > STRANGE[1]:
        log.warning(
            "the linear model is less sure of the target than of the source, and no composition explains %.2f of it: "
            "a strong batch effect; the target's composition cannot be estimated",
            strange,
        )
    if fallen:
        log.warning(
            "alignment would lower the share of cells that the networks and a linear model give the same label from "
            "%.1f to %.1f %%; %s",
            *(100 * agreed, 100 * agreed_after, STAYS_UNALIGNED),
        )
    elif not good:
        log.warning(
            "alignment would change the label of %.1f %% of the cells that are accepted without it, more than %.1f %%; "
            "%s",
            *(100 * (1 - kept), 100 * (1 - parameters.kept_labels), STAYS_UNALIGNED),
        )
    return aligned if good else model, history


def _agreement(probabilities: Tensor, others: Tensor) -> float:
    return (probabilities.argmax(dim=1) == others.argmax(dim=1)).double().mean().item()


def _state(epoch: int, model: JINDModel, probabilities: Tensor, shares: Tensor) -> dict[str, float]:
    predicted = torch.bincount(probabilities.argmax(dim=1), minlength=len(shares)) / len(probabilities)
    return {
        "epoch": epoch,
        "rejection_rate": 1 - model.accepted(probabilities).double().mean().item(),
        "composition_distance": (predicted - shares).abs().sum().item() / 2,
    }

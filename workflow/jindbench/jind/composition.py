"""The target's composition: its estimate, how far to believe it, and what it makes of probabilities.

No method of the paper; for the presets `robust` and `consensus`, and for other methods that annotate
(docs/robust-alignment.md).
"""

import math

from torch import Tensor

STEPS, TOLERANCE = 500, 1e-7  # of the EM algorithm
STRANGE = (0.08, 0.12)  # from where on unexplained confidence lowers the evidence, and where none is left


def composition(probabilities: Tensor, source_shares: Tensor, pseudo_cells: float, steps: int = STEPS) -> Tensor:
    """Shares of the K types among n cells, by maximum a posteriori under label shift (Saerens et al. 2002).

    Label shift: cells of a type look the same in source and target, only the types' shares differ. The EM algorithm
    starts from the source's shares, which also are the prior: so many cells of that composition are added.

    Parameters
    ----------
    probabilities
        n x K, of a classifier that learnt under `source_shares`.
    source_shares
        K, all above zero.
    steps
        Of the algorithm, at most; after one, the shares are the mean of the probabilities and the added cells.
    """
    n, shares = len(probabilities), source_shares
    for _ in range(steps):
        posterior = probabilities * (shares / source_shares)
        posterior /= posterior.sum(dim=1, keepdim=True)
        before, shares = shares, (posterior.sum(dim=0) + pseudo_cells * source_shares) / (n + pseudo_cells)
        if (shares - before).abs().sum() < TOLERANCE:
            break
    return shares


def evidence(probabilities: Tensor, ratio: Tensor, unexplained: float) -> float:
    """How far to believe an estimated composition, from 0 to 1.

    By how much it makes a cell likelier, in the mean of its logarithm. A batch effect that looks like other shares
    makes a small difference, other shares a large one. Where a model is much less sure of the target than these shares
    would make it, the batch effect is too strong for such an estimate, and there is no evidence.

    Parameters
    ----------
    probabilities
        Of the target's cells, n x K.
    ratio
        Each of the K types' share in the target by its share in the source.
    unexplained
        By how much a model is less sure of the target's cells than these shares would make it; NaN if none says so.
    """
    likelier = min(max((probabilities @ ratio).log().mean().item(), 0), 1)
    if math.isnan(unexplained):
        return likelier
    return likelier * min(max((STRANGE[1] - unexplained) / (STRANGE[1] - STRANGE[0]), 0), 1)


def weights_by(ratio: Tensor, belief: float) -> tuple[Tensor, float]:
    """`type_weights` and `aligned_share` of `recomposed`: Bayes' rule in full at an evidence of 1, less of it below.

    Parameters
    ----------
    ratio
        As for `evidence`, which gives `belief`.
    """
    return ratio**belief, (1 + belief) / 2


def kept_labels(before: Tensor, after: Tensor, accepted: Tensor) -> float:
    """The share of the accepted cells whose most probable type stays the same; 1 where none was accepted.

    Parameters
    ----------
    before, after
        Probabilities without and with alignment, n x K.
    accepted
        Which of the n cells are, before.
    """
    return (before.argmax(dim=1) == after.argmax(dim=1))[accepted].double().mean().nan_to_num(1.0).item()


def recomposed(aligned: Tensor, type_weights: Tensor, aligned_share: float, unaligned: Tensor) -> Tensor:
    """Probabilities, n x K, with the target's composition.

    Parameters
    ----------
    aligned, unaligned
        Probabilities, n x K.
    type_weights
        What the aligned probability of each of the K types is multiplied by, before they are made to sum to 1 again.
    aligned_share
        The weight of the result in the average with the unaligned ones, 0 to 1.
    """
    weighted = aligned * type_weights
    weighted /= weighted.sum(dim=1, keepdim=True)
    return aligned_share * weighted + (1 - aligned_share) * unaligned

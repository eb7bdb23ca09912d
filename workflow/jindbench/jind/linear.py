"""A linear model of the source beside the networks. Not the paper's: for the presets `robust` and `consensus`.

It judges the networks' alignment, as it is not aligned with them, or has a say in the probabilities
(docs/robust-alignment.md). It is a prediction model like theirs, whose latent code is the K logits themselves.
"""

import logging
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import torch
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from jindbench.jind.model import JINDModel
from jindbench.jind.networks import Logits, frozen

FOLDS = 5
PRIOR = 20.0  # a share of 0 or 1 must make the held-out cells likelier by a quarter of this, in logarithm
COPIES = 1_000_000_000  # bytes of the cells that regressions at one time may have copied
C, ITERATIONS = 2.0, 1000  # on natural logarithms; about what 1 is on those to base 2, as in methods/logreg.py

log = logging.getLogger(__name__)


def train_linear(model: JINDModel, X: sparse.csr_matrix, validation: np.ndarray) -> JINDModel:
    """Multinomial logistic regression on the cells and types that a prediction model was trained on.

    Its code of a source cell is held out: the logits of a regression that has not seen the cell, of five on four fifths
    of the cells each. A cell that is alone of its type is in all of them.

    Parameters
    ----------
    model
        One prediction model.
    X
        Transformed expression of the source, N_s x M.
    validation
        The rows of the model's validation cells.

    Returns
    -------
    The linear model.
    """
    y, n_types = model.source_types.cpu().numpy(), len(model.classes)
    everything, splits = np.arange(len(y)), []
    counts = np.bincount(y, minlength=n_types)
    several = np.flatnonzero(counts[y] > 1)
    if len(several) and n_types > 1:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The least populated class")
            splits = list(StratifiedKFold(min(FOLDS, counts.max())).split(several, y[several]))
    held_out = [several[rows] for _, rows in splits]
    rest = [np.setdiff1d(everything, rows) for rows in held_out]
    (weights, intercepts), *of_folds = _fit_each(X, y, n_types, [everything, *rest])
    logits = X @ weights.T + intercepts
    for rows, (of_fold, at_zero) in zip(held_out, of_folds, strict=True):
        logits[rows] = X[rows] @ of_fold.T + at_zero
    encoder = Logits(X.shape[1], n_types)
    with torch.no_grad():
        encoder.hidden.weight.copy_(torch.from_numpy(weights))
        encoder.hidden.bias.copy_(torch.from_numpy(intercepts))
    codes = torch.from_numpy(logits.astype(np.float32)).to(model.device)
    return replace(
        model,
        encoder=frozen(encoder.to(model.device)),
        classifier=nn.Identity(),
        source_codes=codes,
        validation_probabilities=codes[validation].softmax(dim=1, dtype=torch.float64),
    )


def best_share(networks: Tensor, linear: Tensor, types: Tensor) -> float:
    """The share of the linear model in the average, by which the true types of held-out cells are the most probable.

    Where the two differ little, the share is near one half: a few cells cannot tell.

    Parameters
    ----------
    networks, linear
        Probabilities of both, n x K.
    types
        The cells' types, n numbers from 0 to K - 1.
    """
    rows, shares = torch.arange(len(types), device=types.device), torch.linspace(0, 1, 41, dtype=torch.float64)
    scores = [
        ((1 - share) * networks + share * linear)[rows, types].clamp(min=1e-12).log().sum() - PRIOR * (share - 0.5) ** 2
        for share in shares.tolist()
    ]
    return shares[torch.stack(scores).argmax()].item()


def _fit_each(X: sparse.csr_matrix, y: np.ndarray, n_types: int, parts: list[np.ndarray]) -> list:
    """What `_fit` gives for some of the rows each, side by side: the products of one run on one thread."""
    copy = X.data.nbytes + X.indices.nbytes
    at_once = min(torch.get_num_threads(), max(COPIES // max(copy, 1), 1))

    def fitted(rows):
        return _fit(X[rows] if len(rows) < len(y) else X, y[rows], n_types)

    # With more threads OpenBLAS waits for most of them, as the coefficients are few.
    with threadpool_limits(1, "blas"), warnings.catch_warnings(), ThreadPoolExecutor(at_once) as pool:
        warnings.simplefilter("ignore", ConvergenceWarning)  # `_fit` says it in the user's words
        return list(pool.map(fitted, parts))


def _fit(X: sparse.csr_matrix, y: np.ndarray, n_types: int) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients, K x M, and intercepts, K, all types being among the cells."""
    if n_types == 1:
        return np.zeros((1, X.shape[1])), np.zeros(1)
    regression = LogisticRegression(C=C, max_iter=ITERATIONS).fit(X, y)
    if regression.n_iter_.max() >= ITERATIONS:
        log.warning("the linear model has not converged after %d iterations", ITERATIONS)
    if n_types == 2:  # scikit-learn has the difference of the two
        return (
            np.vstack([-regression.coef_, regression.coef_]) / 2,
            np.concatenate([-regression.intercept_, regression.intercept_]) / 2,
        )
    return regression.coef_, regression.intercept_

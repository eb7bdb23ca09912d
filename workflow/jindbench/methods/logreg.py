"""Multinomial logistic regression on log expression, the strongest simple method (docs/robust-alignment.md)."""

import logging
import warnings

import numpy as np
from pydantic import Field

from jindbench import predictions
from jindbench.names import LABEL
from jindbench.parameters import Parameters as BaseParameters

TITLE = "Logistic regression"
PARENT = None
RANDOM = False

log = logging.getLogger(__name__)


class Parameters(BaseParameters):
    n_genes: int | None = Field(5000, ge=1, description="Most variable genes used, as for JIND; null: all.")
    scale: bool = Field(False, description="Scale each gene to unit variance in the source.")
    C: float = Field(1.0, gt=0, description="Inverse strength of the L2 penalty.")
    max_iter: int = Field(1000, ge=1, description="Iterations of L-BFGS at most.")
    threshold: float = Field(0.7, ge=0, le=1, description="Cells with a lower probability are rejected.")


def run(source, target, parameters, *, seed, threads, model_dir, parent_dir):
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    from jindbench.data.preprocess import CELL_TOTAL, expression, scaled, unit_scale

    X, target_X = expression(source, target, parameters.n_genes, cell_total=CELL_TOTAL)
    if parameters.scale:  # not centred: genes stay sparse, and the intercepts do what centring would
        scale = unit_scale(X).astype(np.float32)
        X, target_X = scaled(X, scale), scaled(target_X, scale)
    model = LogisticRegression(C=parameters.C, max_iter=parameters.max_iter)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # said below, in the user's words
        model.fit(X, source.obs[LABEL].to_numpy(dtype=str))
    if model.n_iter_.max() >= parameters.max_iter:
        log.warning("not converged after %d iterations; raise max_iter", parameters.max_iter)
    return predictions.from_probabilities(
        target.obs_names, model.classes_, model.predict_proba(target_X), threshold=parameters.threshold
    )

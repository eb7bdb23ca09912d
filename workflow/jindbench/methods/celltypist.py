"""CellTypist: one logistic regression for each type, trained on the source (Dominguez Conde et al. 2022).

Of CellTypist's two optimisers this is the stochastic gradient descent of its paper: the other one passes scikit-learn
an option that current versions no longer have.
"""

import os
import tempfile
import warnings

import numpy as np
from pydantic import Field

from jindbench import predictions
from jindbench.names import LABEL, X_KIND
from jindbench.parameters import Parameters as BaseParameters

TITLE = "CellTypist"
PARENT = None
NOTE = "CellTypist: trained by stochastic gradient descent; genes are not centred unless `with_mean` says so."
FOLDER = "CELLTYPIST_FOLDER"


class Parameters(BaseParameters):
    alpha: float = Field(1e-4, gt=0, description="Strength of the L2 penalty.")
    with_mean: bool = Field(
        False, description="Centre the genes, which makes the whole matrix dense (CellTypist's default: true)."
    )
    threshold: float = Field(
        0.5, ge=0, le=1, description="Cells with this probability or a lower one are rejected (CellTypist's `p_thres`)."
    )


def run(source, target, parameters, *, seed, threads, model_dir, parent_dir):
    from jindbench.data.preprocess import CELL_TOTAL, transform

    # The import mutes warnings, and makes a folder for models to be downloaded to, by default in the user's home.
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        chosen = os.environ.setdefault(FOLDER, folder)
        import celltypist

        if chosen == folder:
            del os.environ[FOLDER]
    celltypist.logger.set_level("WARNING")

    X, target_X = (
        transform(side.X, source.uns[X_KIND], log_base="e", cell_total=CELL_TOTAL) for side in (source, target)
    )
    model = celltypist.train(
        X,
        source.obs[LABEL].to_numpy(dtype=str),
        genes=source.var_names,
        use_SGD=True,
        alpha=parameters.alpha,
        with_mean=parameters.with_mean,
        check_expression=False,  # what X holds is known here
        n_jobs=threads,
        random_state=seed,
    )
    # As CellTypist annotates, but for its check of the expression, which integrated values do not pass.
    Z = target_X[:, source.var_names.get_indexer(model.features)]
    Z = model.scaler.transform(Z.toarray() if parameters.with_mean else Z)
    values = Z if parameters.with_mean else Z.data
    np.minimum(values, 10, out=values)
    scores, probabilities, _ = model.predict_labels_and_prob(Z)
    return predictions.from_probabilities(
        target.obs_names,
        model.cell_types,
        probabilities,
        parameters.threshold,
        reject_at_threshold=True,
        scores=scores,
    )

"""SingleR: rank correlations with the source's cells over marker genes (Aran et al. 2019).

`singler` is its authors' own library. Markers are those of the largest effect between each pair of types, as they
advise where the source is single cells.
"""

import numpy as np
from pydantic import Field

from jindbench import predictions
from jindbench.names import LABEL, X_KIND
from jindbench.parameters import Parameters as BaseParameters

TITLE = "SingleR"
PARENT = None
RANDOM = False
PACKAGES = ("singler", "scranpy")
NOTE = "SingleR: its scores are correlations; probabilities are their softmax."


class Parameters(BaseParameters):
    n_markers: int = Field(10, ge=1, description="Marker genes of each type against each other one.")
    quantile: float = Field(
        0.8, ge=0, le=1, description="A type's score is this quantile of the correlations with its cells."
    )
    temperature: float = Field(0.05, gt=0, description="Scores are divided by this before the softmax.")
    n_mads: float | None = Field(
        3,
        ge=0,
        description="Cells are rejected if their probability lies more than this many median absolute deviations below "
        "the median of cells with the same label, as SingleR prunes labels; null: none is.",
    )


def run(source, target, parameters, *, seed, threads, model_dir, parent_dir):
    import singler
    from scipy.special import softmax
    from scipy.stats import median_abs_deviation

    from jindbench.data.preprocess import CELL_TOTAL, transform

    # Genes x cells. Of the target the order within a cell alone matters.
    X, target_X = (transform(side.X, source.uns[X_KIND], cell_total=CELL_TOTAL).T for side in (source, target))
    reference = singler.train_single(
        X,
        source.obs[LABEL].tolist(),
        source.var_names.tolist(),
        marker_method="cohens_d",
        num_de=parameters.n_markers,
        num_threads=threads,
    )
    found = singler.classify_single(target_X, reference, quantile=parameters.quantile, num_threads=threads)
    classes = np.array(reference.labels)
    scores = np.column_stack([found["scores"][name] for name in classes])
    # The label is one of the best types by score, chosen among them by their own markers: no other is more probable.
    chosen = np.array(found["best"])[:, None] == classes
    scores = np.where(chosen, scores.max(axis=1, keepdims=True), scores)
    probabilities = softmax(scores / parameters.temperature, axis=1)
    threshold = None
    if parameters.n_mads is not None:
        of_type = [probabilities[cells, column] for column, cells in enumerate(chosen.T)]
        threshold = [
            np.median(values) - parameters.n_mads * median_abs_deviation(values, scale="normal") if len(values) else 0
            for values in of_type
        ]
    return predictions.from_probabilities(target.obs_names, classes, probabilities, threshold, scores=chosen)

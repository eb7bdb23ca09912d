"""SVM_Rej: a linear SVM, Platt's calibration and a fixed threshold (Abdelaal et al. 2019, as the paper ran it)."""

import warnings

import numpy as np
from pydantic import Field

from jindbench import predictions
from jindbench.names import LABEL
from jindbench.parameters import Parameters as BaseParameters

TITLE = "SVM_Rej"
PARENT = None


class Parameters(BaseParameters):
    n_genes: int | None = Field(
        5000,
        ge=1,
        description="Most variable genes used, as for JIND; null: all, as in the benchmark that the method comes from.",
    )
    threshold: float = Field(0.7, ge=0, le=1, description="Cells with a lower probability are rejected.")
    folds: int = Field(5, ge=2, description="Cross-validation folds of the calibration.")


def run(source, target, parameters, *, seed, threads, model_dir, parent_dir):
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold
    from sklearn.svm import LinearSVC

    from jindbench.data.preprocess import expression

    X, target_X = expression(source, target, parameters.n_genes)
    labels = source.obs[LABEL].to_numpy(dtype=str)

    # The folds are handed over as a list because scikit-learn otherwise refuses types with fewer cells than folds;
    # such a type is simply missing from some folds.
    largest = max(np.unique(labels, return_counts=True)[1])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        folds = StratifiedKFold(min(parameters.folds, largest)).split(X, labels)
        folds = [(train, test) for train, test in folds if len(np.unique(labels[train])) > 1]
    model = CalibratedClassifierCV(LinearSVC(random_state=seed), method="sigmoid", cv=folds, n_jobs=threads)
    model.fit(X, labels)
    return predictions.from_probabilities(
        target.obs_names, model.classes_, model.predict_proba(target_X), threshold=parameters.threshold
    )

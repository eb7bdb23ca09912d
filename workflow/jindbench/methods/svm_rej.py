"""SVM_Rej: a linear SVM, Platt's calibration and a fixed threshold (Abdelaal et al. 2019, as the paper ran it)."""

import warnings

import numpy as np
from pydantic import Field

from jindbench import predictions
from jindbench.names import LABEL, X_KIND
from jindbench.parameters import Parameters as BaseParameters

TITLE = "SVM_Rej"
PARENT = None


class Parameters(BaseParameters):
    n_genes: int = Field(5000, ge=1, description="Most variable genes used, as for JIND.")
    threshold: float = Field(0.7, ge=0, le=1, description="Cells with a lower probability are rejected.")
    folds: int = Field(5, ge=2, description="Cross-validation folds of the calibration.")


def run(source, target, parameters, *, seed, threads, model_dir, parent_dir):
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold
    from sklearn.svm import LinearSVC

    from jindbench.preprocess import most_variable_genes, transform

    X = transform(source.X, source.uns[X_KIND])
    genes = most_variable_genes(X, parameters.n_genes)
    X, labels = X[:, genes], source.obs[LABEL].to_numpy(dtype=str)

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
        target.obs_names,
        model.classes_,
        model.predict_proba(transform(target.X, target.uns[X_KIND])[:, genes]),
        threshold=parameters.threshold,
    )

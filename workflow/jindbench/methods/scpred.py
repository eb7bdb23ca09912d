"""scPred: support vector machines on the principal components that tell a type from the rest.

A port of Alquicira-Hernandez et al. 2019, whose R package needs caret and kernlab. What those do is done here by
scikit-learn: each component standardised, C and the kernel's width chosen as caret chooses them, Platt's sigmoid fitted
to cross-validated decision values as kernlab fits it.
"""

import logging
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from jindbench import io, predictions
from jindbench.names import LABEL, X_KIND
from jindbench.parameters import Parameters as BaseParameters

TITLE = "scPred"
PARENT = None
NOTE = "scPred: a port of the method to Python, not its R package."
COSTS = (0.25, 0.5, 1.0)  # caret's grid for the radial kernel; its linear one has C = 1 alone
EXACT_BELOW = 50  # cells in each group, for which R's wilcox.test computes exact p-values

log = logging.getLogger(__name__)


class Parameters(BaseParameters):
    kernel: Literal["linear", "radial"] = Field(
        "linear", description="Of the SVMs: `linear` in the paper's text, `radial` in the code that printed Table 2."
    )
    n_components: int = Field(10, ge=1, description="Principal components; fewer where cells or genes are fewer.")
    variance_percent: float = Field(
        0.01,
        ge=0,
        lt=100,
        description="A component is used if it has more than this percentage of the variance of all these components",
    )
    fdr: float = Field(
        0.05, gt=0, le=1, description="and its Wilcoxon test, the type against the rest, has a lower FDR than this."
    )
    folds: int = Field(5, ge=2, description="Cross-validation folds that choose C of the radial kernel, by ROC AUC.")
    calibration_folds: int = Field(3, ge=2, description="Cross-validation folds of the calibration, as in kernlab.")
    threshold: float = Field(0.9, ge=0, le=1, description="Cells with a lower probability are rejected.")


def run(source, target, parameters, *, seed, threads, model_dir, parent_dir):
    from sklearn.utils.parallel import Parallel, delayed

    labels = source.obs[LABEL].to_numpy(dtype=str)
    classes, counts = np.unique(labels, return_counts=True)
    trainable = classes[counts > 1]
    if len(trainable) == 0:
        raise ValueError("scPred: no type has two cells")
    if len(trainable) == 1:
        log.warning("only %s has two cells: it is predicted for every cell", trainable[0])
        return predictions.from_probabilities(
            target.obs_names, trainable, np.ones((target.n_obs, 1)), threshold=parameters.threshold
        )

    scores, target_scores, percent = components(source, target, parameters.n_components, seed)
    # Standardised, as kernlab does it; the same for all types, since every one is trained on all cells.
    centre, scale = scores.mean(axis=0), scores.std(axis=0, ddof=1)
    Z, target_Z = (scores - centre) / scale, (target_scores - centre) / scale

    positive = trainable[:1] if len(classes) == 2 else trainable  # of two types, one model tells both
    tables = [informative_components(scores, labels == name, percent, parameters) for name in positive]
    io.write_table(
        pd.concat(tables, keys=positive, names=[LABEL]).reset_index(level=LABEL), model_dir / "components.tsv"
    )
    known = [(name, table["kept"].to_numpy()) for name, table in zip(positive, tables, strict=True)]
    known = [(name, kept) for name, kept in known if kept.any()]
    if not known:
        raise ValueError(f"scPred: no principal component tells a type from the rest ({', '.join(classes)})")
    fitted = Parallel(n_jobs=threads, prefer="threads")(
        delayed(type_probability)(Z[:, kept], labels == name, target_Z[:, kept], parameters, seed)
        for name, kept in known
    )
    probabilities, known = np.column_stack(fitted), np.array([name for name, _ in known])
    if len(classes) == 2:
        probabilities, known = np.column_stack([probabilities, 1 - probabilities]), classes
    if never := sorted(set(classes) - set(known)):
        log.warning("never predicted, for want of cells or of informative components: %s", ", ".join(never))
    return predictions.from_probabilities(target.obs_names, known, probabilities, threshold=parameters.threshold)


def components(source, target, n_components, seed):
    """Scores of source and target cells on the source's principal components, and each one's percentage of variance.

    Genes are divided by their standard deviation and centred; those without variance are left out. 100 % is
    the variance of the components computed, as in the R package, and not all variance.
    """
    from sklearn.decomposition import PCA

    from jindbench.data.preprocess import scaled, transform, unit_scale

    X, target_X = (transform(side.X, source.uns[X_KIND]) for side in (source, target))
    scale = unit_scale(X, ddof=1)
    if not scale.any():
        raise ValueError("scPred: no gene varies over the source's cells")
    # arpack centres sparse input without making it dense, and finds fewer components than there are cells and genes.
    n_components = min(n_components, X.shape[0] - 1, np.count_nonzero(scale) - 1)
    pca = PCA(n_components, svd_solver="arpack", random_state=seed)
    scores = pca.fit_transform(scaled(X, scale))
    percent = 100 * pca.explained_variance_ / pca.explained_variance_.sum()
    return scores, pca.transform(scaled(target_X, scale)), percent


def informative_components(scores, is_type, percent, parameters):
    """Which components tell a type from the rest: one row each.

    The row holds the percentage of variance, p-value, FDR and whether the component is kept.
    FDR is Benjamini and Hochberg's, over the components with enough variance.
    """
    from scipy.stats import false_discovery_control

    table = pd.DataFrame({"component": np.arange(1, len(percent) + 1), "variance_percent": percent})
    enough = percent > parameters.variance_percent
    p_values = [rank_sum_p_value(score[is_type], score[~is_type]) for score in scores.T[enough]]
    table.loc[enough, "p_value"] = p_values
    table.loc[enough, "fdr"] = false_discovery_control(p_values)
    return table.assign(kept=table["fdr"] < parameters.fdr)


def rank_sum_p_value(a, b):
    """Two-sided p-value of Wilcoxon's rank-sum test as R's `wilcox.test` gives it.

    Exact for two groups of less than 50 cells without ties; otherwise the normal approximation, corrected for ties and
    continuity.
    """
    from scipy.stats import mannwhitneyu

    ties = len(np.unique(np.concatenate([a, b]))) < len(a) + len(b)
    exact = max(len(a), len(b)) < EXACT_BELOW and not ties
    return mannwhitneyu(a, b, method="exact" if exact else "asymptotic").pvalue


def type_probability(Z, is_type, target_Z, parameters, seed):
    """Calibrated probabilities, for each target cell, of being of the type that the source's cells `is_type` are of."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.svm import SVC

    def split(folds):  # a fold without a cell of the type, or of the rest, could not be used
        return StratifiedKFold(min(folds, is_type.sum(), (~is_type).sum()), shuffle=True, random_state=seed)

    if parameters.kernel == "linear":
        svm = SVC(kernel="linear", C=1.0)
    else:
        svm = SVC(kernel="rbf", gamma=kernel_width(Z, seed))
        search = GridSearchCV(svm, {"C": COSTS}, scoring="roc_auc", cv=split(parameters.folds), refit=False)
        svm.set_params(C=search.fit(Z, is_type).best_params_["C"])
    model = CalibratedClassifierCV(svm, method="sigmoid", ensemble=False, cv=split(parameters.calibration_folds))
    return model.fit(Z, is_type).predict_proba(target_Z)[:, 1]


def kernel_width(Z, seed):
    """Sigma of the radial kernel exp(-sigma |z - z'|^2) as caret takes it with kernlab's `sigest`.

    The mean of the inverses of the .1 and the .9 quantile of |z - z'|^2, over as many random pairs of different cells
    as half the cells are.
    """
    rng, n = np.random.default_rng(seed), len(Z)
    first = rng.integers(n, size=max(n // 2, 1))
    second = (first + rng.integers(1, n, size=len(first))) % n
    squared = ((Z[first] - Z[second]) ** 2).sum(axis=1)
    return np.mean(1 / np.quantile(squared[squared > 0], [0.1, 0.9]))

"""Filtering: one confidence threshold for each cell type (paper, Methods, 'Filtering')."""

import numpy as np

from jindbench.jind.parameters import ClassifierParameters


def thresholds_by(
    parameters: ClassifierParameters, probabilities: np.ndarray, outlier_fraction: float | None = None
) -> np.ndarray:
    """tau_k of each of the K types, from probabilities of validation cells, n x K, and the classifier's parameters.

    At their own theta, unless another is given.
    """
    return type_thresholds(
        probabilities.max(axis=1),
        probabilities.argmax(axis=1),
        probabilities.shape[1],
        parameters.outlier_fraction if outlier_fraction is None else outlier_fraction,
        rule=parameters.threshold_rule,
        without_cells=parameters.threshold_without_cells,
        fewest=parameters.threshold_cells,
    )


def type_thresholds(
    confidence: np.ndarray,
    assigned: np.ndarray,
    n_types: int,
    outlier_fraction: float,
    *,
    rule: str,
    without_cells: float,
    fewest: int = 1,
) -> np.ndarray:
    """tau_k: below it, the validation cells assigned to type k count as outliers.

    Parameters
    ----------
    confidence
        Highest predicted probability of each of the n validation cells.
    assigned
        The type (0 to K - 1) with that probability, n integers.
    n_types
        K.
    outlier_fraction
        theta, the share of the validation cells to be rejected.
    rule
        "quantile": the highest probability within the bottom theta-quantile (the paper's text); a cell needs a
        probability greater than tau_k. "rank": the sorted probability number int(theta n) + 1, counted from 0 (the
        authors' code); a cell needs at least tau_k.
    without_cells
        tau_k of a type that no validation cell is assigned to, with "rank" also of one with too few for that number.
    fewest
        A type with fewer validation cells than this has `without_cells` too. More than 1 is not the paper's: with its
        text's rule the single validation cell of a type rejects every cell that is not surer than that one.

    Returns
    -------
    K thresholds.
    """

    def threshold(values: np.ndarray) -> float:
        if rule == "rank":
            rank = int(outlier_fraction * len(values)) + 1
            return np.sort(values)[rank] if rank < len(values) else without_cells
        if len(values) < fewest:
            return without_cells
        if outlier_fraction == 0:  # the bottom quantile is empty: nothing is rejected
            return 0.0
        return np.quantile(values, outlier_fraction, method="inverted_cdf")

    return np.array([threshold(confidence[assigned == k]) for k in range(n_types)])

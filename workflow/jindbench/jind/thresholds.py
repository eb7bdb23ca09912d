"""Filtering: one confidence threshold for each cell type (paper, Methods, 'Filtering')."""

import numpy as np


def type_thresholds(
    confidence: np.ndarray,
    assigned: np.ndarray,
    n_types: int,
    outlier_fraction: float,
    *,
    rule: str,
    without_cells: float,
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

    Returns
    -------
    K thresholds.
    """
    thresholds = np.full(n_types, without_cells, dtype=np.float64)
    for k in np.unique(assigned):
        ordered = np.sort(confidence[assigned == k])
        if rule == "rank":
            rank = int(outlier_fraction * len(ordered)) + 1
            if rank < len(ordered):
                thresholds[k] = ordered[rank]
        elif outlier_fraction == 0:  # the bottom quantile is empty: nothing is rejected
            thresholds[k] = 0
        else:
            thresholds[k] = np.quantile(ordered, outlier_fraction, method="inverted_cdf")
    return thresholds

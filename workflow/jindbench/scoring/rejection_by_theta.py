"""How many cells JIND rejects as its outlier fraction theta varies (paper, Methods, 'Filtering', and Discussion: the
rejection rate "can be easily controlled by the user").

Thresholds follow from the stored probabilities of the validation cells, and confidences from the predictions, so no
model is trained again. The preset `published` also chooses the epoch of alignment by theta; that stays as it was.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jindbench.names import CONFIDENCE, RAW_LABEL

if TYPE_CHECKING:
    from jindbench.jind.model import JINDModel

THETAS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)


def rates(model: "JINDModel", predictions: pd.DataFrame) -> pd.DataFrame:
    """The share of cells that a model rejects at each of `THETAS`.

    Parameters
    ----------
    model
        What made the predictions.
    predictions
        Of the target's cells, see `jindbench.predictions`.

    Returns
    -------
    Columns theta and rej.
    """
    confidence, assigned = predictions[CONFIDENCE].to_numpy(), predictions[RAW_LABEL].to_numpy()
    rows = []
    for theta in THETAS:
        limits = dict(zip(model.classes, model.thresholds(theta), strict=True))
        limit = np.array([limits[name] for name in assigned])
        rejected = confidence <= limit if model.reject_at_threshold else confidence < limit
        rows.append((theta, rejected.mean()))
    return pd.DataFrame(rows, columns=["theta", "rej"])

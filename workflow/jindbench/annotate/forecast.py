"""How many labels will be right, from the two files alone, and the confidence above which few are wrong.

The query's mean confidence is one estimate. Another is the same, less what the model's confidence exceeds its accuracy
on held-out reference cells, which are weighted to the query's composition. The forecast is the mean of both on the
scale of log-odds, a little lowered. It supposes that the reference has the query's types. The constants are of the
method `consensus`; `tests/real/forecast.py` fits them and makes the tables of docs/forecast.md.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from jindbench.annotate.by_method import ByMethod, MethodModel
from jindbench.annotate.labelling import UNFIT, unlike_share
from jindbench.jind.estimator import JIND
from jindbench.jind.model import JINDModel
from jindbench.names import CONFIDENCE, LABEL, RAW_LABEL, THRESHOLD, UNASSIGNED

LOWERED = 0.2  # log-odds
# Half of the 80 % interval, in log-odds: of a query, without evidence of another composition and what full evidence
# adds; of the cells of one type.
HALF, HALF_BY_EVIDENCE, HALF_OF_A_TYPE = 0.3, 0.8, 1.2
FEWEST = 20  # cells of a type, and held-out cells of the whole that count among those of a part
# Where a larger share of the labelled cells is unlike their type, fewer labels are right than the model can know, and
# none where the reference does not fit. Within a tissue it was above this on one of 139 targets (.22).
FIT = 0.2

ROUNDING = 1e-6  # by which a cell's confidence may differ where it is computed among other cells

MEASURED = ("logreg", "svm_rej", "knn")  # methods whose forecasts are in docs/forecast.md, beside the consensus

PART = "part"  # column of the cells that alignment saw: the sample, or all cells

# Stated error and, in the mean over 118 real pairs and three seeds, the realised one; and how many of these had more
# than 1.5 times a stated error of 5 %, by whether the forecast's interval reaches below `RISKY` (docs/forecast.md).
KEPT = {0.01: 0.021, 0.05: 0.047, 0.1: 0.062}
RISKY, BROKEN = 0.9, {True: 0.33, False: 0.01}


@dataclass(frozen=True)
class Estimate:
    """A share of `cells` that will be right, 0 to 1, with its 80 % interval in whole cells."""

    cells: int
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class Forecast:
    """What to expect of a query.

    Attributes
    ----------
    whole, labelled
        Of the most probable types of all cells, and of those that have a label; None without such cells.
    types
        By most probable type, where it has `FEWEST` cells.
    samples
        As `whole`, by sample; one for a query without samples.
    """

    whole: Estimate
    labelled: Estimate | None
    types: dict[str, Estimate]
    samples: dict[str, Estimate]


@dataclass(frozen=True)
class HeldOut:
    """Held-out reference cells as an aligned model sees them, weighted to the query's composition.

    Attributes
    ----------
    confidence, types, excess, weights
        Of each: highest probability, most probable type, confidence less whether that type is right, and weight, 1 in
        the mean.
    evidence
        For the query's composition being another, 0 to 1.
    """

    confidence: np.ndarray
    types: np.ndarray
    excess: np.ndarray
    weights: np.ndarray
    evidence: float

    @classmethod
    def of(cls, model: JINDModel | MethodModel) -> "HeldOut":
        """Those of a model that was aligned by moments, or kept as it was."""
        probabilities, truth = model.validation.cpu().numpy(), model.validation_types.cpu().numpy()
        weights = np.ones(len(truth))
        if model.type_weights is not None:
            of_types = model.type_weights.cpu().numpy()
            composed = probabilities * of_types
            composed /= composed.sum(axis=1, keepdims=True)
            probabilities = model.aligned_share * composed + (1 - model.aligned_share) * probabilities
            weights = of_types[truth] / of_types[truth].mean()
        confidence, assigned = probabilities.max(axis=1), probabilities.argmax(axis=1)
        types = np.asarray(model.classes, dtype=object)[assigned]
        evidence = 0.0 if model.type_weights is None else 2 * model.aligned_share - 1
        return cls(confidence, types, confidence - (assigned == truth), weights, evidence)

    def mean_excess(self, chosen: np.ndarray | None = None) -> float:
        """Confidence less accuracy of some of the cells; where they are few, drawn towards that of all."""
        whole = np.average(self.excess, weights=self.weights)
        if chosen is None:
            return whole
        weights = self.weights[chosen]
        return (weights @ self.excess[chosen] + FEWEST * whole) / (weights.sum() + FEWEST)


def expected(confidence: np.ndarray | float, excess: np.ndarray | float) -> np.ndarray | float:
    """Log-odds of the accuracy of cells, by their mean confidence, and how much that is too high on held-out cells."""
    return (_logit(confidence) + _logit(confidence - excess)) / 2 - LOWERED


def forecast(models: dict[str, JIND | ByMethod], seen: pd.DataFrame, fits: dict[str, float]) -> Forecast:
    """The forecast for a query.

    Parameters
    ----------
    models
        The reference's model, aligned to each part of the query.
    seen
        Cells with their `PART`, label, most probable type, confidence and threshold.
    fits
        `fit` of each part.
    """
    wholes, labelled, types = {}, [], {}
    for part, cells in seen.groupby(PART):
        held, fit = HeldOut.of(models[part].model_), fits[part]
        half = HALF + HALF_BY_EVIDENCE * held.evidence
        wholes[part] = _estimate(cells, held.mean_excess(), half, fit)
        accepted = cells[cells[LABEL] != UNASSIGNED]
        if len(accepted):
            thresholds = accepted.groupby(RAW_LABEL)[THRESHOLD].first().reindex(held.types, fill_value=np.inf)
            # Methods with few different probabilities have many cells at their thresholds, all with a label.
            passes = np.greater if (accepted[CONFIDENCE] > accepted[THRESHOLD]).all() else np.greater_equal
            chosen = passes(held.confidence, thresholds.to_numpy())
            labelled.append(_estimate(accepted, held.mean_excess(chosen), half, fit))
        for name, of_type in cells.groupby(RAW_LABEL):
            excess = held.mean_excess(held.types == name)
            types.setdefault(name, []).append(_estimate(of_type, excess, HALF_OF_A_TYPE, fit))
    together = {name: _together(parts) for name, parts in types.items()}
    return Forecast(
        whole=_together(wholes.values()),
        labelled=_together(labelled) if labelled else None,
        types={name: of_type for name, of_type in together.items() if of_type.cells >= FEWEST},
        samples={part: _together([whole]) for part, whole in wholes.items() if whole.cells >= FEWEST},
    )


def fit(cells: pd.DataFrame, model: JINDModel | MethodModel) -> float:
    """1 where the reference fits these cells, 0 where it does not, by how many labels are unlike their type."""
    return float(np.clip((UNFIT - unlike_share(cells, model)) / (UNFIT - FIT), 0, 1))


def limit(cells: pd.DataFrame, model: JINDModel | MethodModel, fit: float, max_error: float) -> float:
    """The confidence that a label demands, so that of the cells with one no more than `max_error` are expected wrong.

    Returns
    -------
    1 where no such cells can be found: no cell has a higher confidence.
    """
    held = HeldOut.of(model)
    confidence = np.sort(cells[CONFIDENCE].to_numpy())[::-1]
    order = np.argsort(-held.confidence, kind="stable")
    above = np.searchsorted(-held.confidence[order], -confidence, side="right")  # held-out cells as sure as each
    sums = (np.cumsum(of[order]) for of in (held.weights, held.weights * held.excess))
    weights, excess = (np.concatenate([[0], of])[above] for of in sums)
    excess = (excess + FEWEST * held.mean_excess()) / (weights + FEWEST)
    means = np.cumsum(confidence) / np.arange(1, len(confidence) + 1)
    kept = np.flatnonzero(1 - fit * _share(expected(means, excess)) <= max_error)
    if not len(kept):
        return 1.0
    return max(confidence[kept[-1]] - ROUNDING, 0.0)


def _estimate(cells: pd.DataFrame, excess: float, half: float, fit: float) -> Estimate:
    odds = expected(cells[CONFIDENCE].mean(), excess)
    return Estimate(len(cells), *(fit * float(_share(odds + step)) for step in (0, -half, half)))


def _together(parts: Iterable[Estimate]) -> Estimate:
    """The mean over cells; the interval reaches to whole cells."""
    parts = list(parts)
    sizes = np.array([part.cells for part in parts])
    n = int(sizes.sum())
    accuracy, low, high = (
        float(np.average([getattr(part, name) for part in parts], weights=sizes))
        for name in ("accuracy", "low", "high")
    )
    return Estimate(n, accuracy, math.floor(n * low) / n, math.ceil(n * high) / n)


def _logit(share: np.ndarray | float) -> np.ndarray | float:
    share = np.clip(share, 0.001, 0.999)
    return np.log(share / (1 - share))


def _share(log_odds: np.ndarray | float) -> np.ndarray | float:
    return 1 / (1 + np.exp(-log_odds))

"""Any method of the benchmark in the place of JIND, which labels alone: the rest is made here, in one way for all.

A method trains and labels in one call (`jindbench.methods`). So each part of the reference is labelled by what was
trained on the others; by these held-out cells probabilities are calibrated, thresholds set and forecasts made. The
query's composition is estimated from the calibrated probabilities as JIND's alignment does
(`jindbench.jind.composition`), novelty asks for the expression as JIND's does; no expression or code is aligned.
"""

import logging
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import torch
from anndata import AnnData
from scipy import sparse
from scipy.optimize import minimize
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import normalize
from torch import Tensor

from jindbench import io, predictions, registry
from jindbench.annotate.columns import PROBABILITY
from jindbench.data.preprocess import CELL_TOTAL
from jindbench.execution.hold_out import in_stages
from jindbench.jind.composition import composition, evidence, kept_labels, recomposed, weights_by
from jindbench.jind.expression import source_expression, target_expression
from jindbench.jind.model import MIN_GENE_SHARE
from jindbench.jind.parameters import AlignmentParameters, ClassifierParameters
from jindbench.jind.profiles import Profiles
from jindbench.jind.thresholds import thresholds_by
from jindbench.names import COUNTS, LABEL, MEASURED, NORMALIZED, X_KIND

FOLDS = 3  # parts of the reference; one run for each, and one for the query
SEED_OF_FOLDS = 0
LOWEST = 1e-9  # probability: below it, the logarithm says nothing
TEMPERATURES, LAPSES = (0.05, 20.0), (1e-4, 0.5)
CELLS = "cells.h5ad"  # in the model's folder
PARAMETERS, ALIGNMENT = ClassifierParameters(preset="consensus"), AlignmentParameters(preset="consensus")
HELD_OUT, FOUND = "held_out", "probabilities"  # of `obsm`: of the reference's cells, and of a query's

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Calibration:
    """How a method's probabilities become shares of right labels, by what held-out cells say.

    Attributes
    ----------
    temperature
        Log probabilities are divided by it.
    lapse
        The share of cells of which they say nothing: so much of the uniform distribution is mixed in.
    """

    temperature: float
    lapse: float

    @classmethod
    def of(cls, probabilities: np.ndarray, truth: np.ndarray) -> "Calibration":
        """The likeliest one, by n x K probabilities of held-out cells and their types, 0 to K - 1.

        That the logarithm of the temperature is normal with a variance of 1 counts as much as a cell.
        """

        def loss(given: np.ndarray) -> float:
            found = cls(*np.exp(given))(probabilities)[np.arange(len(truth)), truth]
            return -np.log(found).mean() + given[0] ** 2 / (2 * len(truth))

        return cls(*np.exp(minimize(loss, np.log([1, 0.01]), bounds=np.log([TEMPERATURES, LAPSES])).x).tolist())

    def __call__(self, probabilities: np.ndarray) -> np.ndarray:
        """The calibrated probabilities, n x K."""
        logs = np.log(np.maximum(probabilities, LOWEST)) / self.temperature
        shares = np.exp(logs - logs.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        return (1 - self.lapse) * shares + self.lapse / shares.shape[1]


@dataclass(frozen=True)
class MethodModel:
    """What annotation asks of a model, as `jindbench.jind.model.JINDModel` has it.

    Attributes
    ----------
    genes
        Names of the M genes of `profiles`.
    classes
        Names of the K types.
    x_kind
        What the reference's X holds.
    profiles
        Mean expression of the types.
    validation, validation_types
        Calibrated probabilities of the held-out cells, N x K, and their types, 0 to K - 1.
    type_weights, aligned_share
        What the query's composition multiplies probabilities by, and the share of the result in the average with them.
    """

    genes: list[str]
    classes: list[str]
    x_kind: str
    profiles: Profiles
    validation: Tensor
    validation_types: Tensor
    type_weights: Tensor | None = None
    aligned_share: float = 1.0

    @property
    def validation_shares(self) -> Tensor:
        """Mean probability of each of the K types over the held-out cells and one more cell of each type."""
        return (self.validation.sum(dim=0) + 1) / (len(self.validation) + len(self.classes))

    @cached_property
    def thresholds(self) -> np.ndarray:
        """The confidence that each of the K types demands; below it are 5 % of its held-out cells."""
        return thresholds_by(PARAMETERS, self.validation.numpy())

    def accepted(self, probabilities: Tensor) -> Tensor:
        """Which of n cells have a probability that passes the threshold of their most probable type."""
        confidence, assigned = probabilities.max(dim=1)
        return confidence >= torch.from_numpy(self.thresholds)[assigned]

    def composed(self, probabilities: Tensor) -> Tensor:
        """Calibrated probabilities, n x K, with the query's composition."""
        if self.type_weights is None:
            return probabilities
        return recomposed(probabilities, self.type_weights, self.aligned_share, probabilities)


class ByMethod:
    """A method that labels in the place of `jindbench.jind.estimator.JIND`.

    Parameters
    ----------
    name
        Of the method.
    source
        Labelled cells, with the kind of X in `uns`, and in `obsm["held_out"]` the method's probabilities of each cell,
        N x K, types in alphabetical order, by a run that did not see it; NaN where there was none.
    history
        A row for each part of the reference.
    """

    alignment = ALIGNMENT

    def __init__(self, name: str, source: AnnData, history: pd.DataFrame, *, seed: int):
        self.name, self.source, self.history_, self.seed = name, source, history, seed
        classes, types = np.unique(source.obs[LABEL].to_numpy(dtype=str), return_inverse=True)
        held_out = np.isfinite(source.obsm[HELD_OUT]).all(axis=1)
        probabilities, truth = source.obsm[HELD_OUT][held_out], types[held_out]
        self.calibration = Calibration.of(probabilities, truth)
        self._X, genes = source_expression(source, PARAMETERS)
        self.model_ = MethodModel(
            genes,
            classes.tolist(),
            source.uns[X_KIND],
            Profiles.of(self._X, types, len(classes)),
            torch.from_numpy(self.calibration(probabilities)),
            torch.from_numpy(truth),
        )
        self._known = {}

    @classmethod
    def fit(cls, name: str, source: AnnData, *, seed: int) -> "ByMethod":
        """Have each part of the labelled cells labelled by the method, trained on the other parts."""
        labels = source.obs[LABEL].to_numpy(dtype=str)
        classes = np.unique(labels)
        held_out, rows = np.full((len(labels), len(classes)), np.nan), []
        for part, (train, test) in enumerate(folds(labels), start=1):
            clock = time.perf_counter()
            found, best = run(name, source[train], source[test], classes, seed=seed)
            held_out[test] = found
            seconds, right = time.perf_counter() - clock, (best == labels[test]).mean()
            log.info("%s: part %d of the reference: %.1f %% right, %.0f s", name, part, 100 * right, seconds)
            rows.append({"part": part, "cells": len(test), "validation_accuracy": right, "seconds": seconds})
        source.obsm[HELD_OUT] = held_out
        return cls(name, source, pd.DataFrame(rows).assign(kept=True), seed=seed)

    def seen(self, cells: AnnData, *, keep: bool = False) -> AnnData:
        """Cells with the method's probabilities in `obsm`, by a run on all that were not among those kept last.

        Cells without counts, of which a method can say nothing, have those of the reference's composition.
        """
        cells.X.sort_indices()
        keys = [hash((indices.tobytes(), data.tobytes())) for indices, data in _rows(cells.X)]
        filled = cells.X.getnnz(axis=1) > 0
        shares = self.model_.validation_shares.numpy()
        found = np.array([self._known.get(key, shares) for key in keys]) if keys else np.empty((0, len(shares)))
        new = np.flatnonzero([full and key not in self._known for key, full in zip(keys, filled, strict=True)])
        if len(new):
            classes = np.array(self.model_.classes)
            raw, _ = run(self.name, self.source, cells[new], classes, seed=self.seed)
            found[new] = self.calibration(raw)
        if keep:
            self._known = dict(zip(keys, found, strict=True))
        cells.obsm[FOUND] = found
        return cells

    def align(self, cells: AnnData) -> "ByMethod":
        """Estimate the composition of cells that were `seen`.

        As `jindbench.jind.moments.align_moments` does, the steps that concern codes left out.
        """
        model, before = self.model_, torch.from_numpy(cells.obsm[FOUND])
        shares = composition(before, model.validation_shares, ALIGNMENT.pseudo_cells)
        ratio = shares / model.validation_shares
        weights = ratio[model.validation_types]
        expected = (weights @ model.validation.max(dim=1).values / weights.sum()).item()
        strange = expected - before.max(dim=1).values.mean().item()
        belief = evidence(before, ratio, strange)
        type_weights, aligned_share = weights_by(ratio, belief)
        aligned = replace(model, type_weights=type_weights, aligned_share=aligned_share)
        kept = kept_labels(before, aligned.composed(before), model.accepted(before))
        good = kept >= ALIGNMENT.kept_labels
        table = pd.DataFrame({"epoch": [0, 1], "kept_labels": [1.0, kept], "kept": [not good, good]})
        return self._with(aligned if good else model, table.assign(evidence=belief, unexplained=strange))

    def predict(self, cells: AnnData, *, probabilities: bool = False) -> pd.DataFrame:
        """As `JIND.predict`, of cells that were `seen`."""
        return self._predicted(cells, self._expression(cells), probabilities)

    def predict_and_code(self, cells: AnnData, *, probabilities: bool = False) -> tuple[pd.DataFrame, np.ndarray]:
        """As `JIND.predict_and_code`; codes are places on the principal components of the reference's expression."""
        X = self._expression(cells)
        axes, mean = self._axes
        return self._predicted(cells, X, probabilities), (X @ axes - mean @ axes).astype(np.float32)

    def save(self, folder: Path) -> None:
        """Store the labelled cells and what was found of them; `load` reads it."""
        folder.mkdir(parents=True, exist_ok=True)
        with io.replacing(folder / CELLS) as temporary:
            self.source.write_h5ad(temporary, compression="gzip")
        io.write_table(self.history_, folder / "history.tsv")
        io.write_json({"method": self.name}, folder / "model.json")

    @classmethod
    def load(cls, name: str, folder: Path, *, seed: int) -> "ByMethod":
        """Read what `save` stored."""
        source, history = ad.read_h5ad(folder / CELLS), io.read_table(folder / "history.tsv")
        return cls(name, source, history, seed=seed)

    def _with(self, model: MethodModel, history: pd.DataFrame) -> "ByMethod":
        other = object.__new__(ByMethod)
        other.__dict__ |= self.__dict__ | {"model_": model, "history_": history}
        return other

    @cached_property
    def _axes(self) -> tuple[np.ndarray, np.ndarray]:
        """Principal components of the reference's expression, M x 50 at most, and the mean, M."""
        from sklearn.decomposition import PCA

        pca = PCA(min(50, min(self._X.shape) - 1), svd_solver="arpack", random_state=0).fit(self._X)
        return pca.components_.T, pca.mean_

    def _expression(self, cells: AnnData) -> sparse.csr_matrix:
        return sparse.vstack([*target_expression(cells, self.model_.genes, PARAMETERS, MIN_GENE_SHARE)], format="csr")

    def _predicted(self, cells: AnnData, X: sparse.csr_matrix, probabilities: bool) -> pd.DataFrame:
        model, before = self.model_, torch.from_numpy(cells.obsm[FOUND])
        confidence, assigned = (of.numpy() for of in before.max(dim=1))
        measured = pd.Index(model.genes).isin(cells.var_names[cells.var[MEASURED]])
        unlikeness = model.profiles.unlikeness(X, assigned, measured)
        predicted = predictions.from_probabilities(
            cells.obs_names,
            model.classes,
            model.composed(before).numpy(),
            model.thresholds,
            novelty=model.thresholds[assigned] - confidence + PARAMETERS.profile_weight * unlikeness,
        )
        if not probabilities:
            return predicted.table
        return predicted.table.join(predicted.probabilities.reset_index(drop=True).add_prefix(PROBABILITY))


def run(
    name: str, source: AnnData, target: AnnData, classes: np.ndarray, *, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Label cells as the benchmark does, with the method's default parameters: counts scaled to one total.

    It may use as many threads as torch would.

    Returns
    -------
    The method's probabilities, n x K, and its most probable type of each cell. Where two types are as probable, the
    method's own choice is a little more.
    """
    components = [registry.component("methods", stage) for stage in registry.stages(name)]
    stages = [(component, component.Parameters()) for component in components]
    sides = [_as_in_the_benchmark(side) for side in (source, target)]
    sides[0].obs = pd.DataFrame({LABEL: source.obs[LABEL].to_numpy(dtype=str)}, index=sides[0].obs_names)
    found = in_stages(stages, *sides, seed, torch.get_num_threads())
    order = found.probabilities.index.get_indexer(sides[1].obs_names)
    probabilities = found.probabilities.reindex(columns=classes, fill_value=0.0).to_numpy(dtype=np.float64)[order]
    best = found.table[predictions.RAW_LABEL].to_numpy(dtype=str)[order]
    probabilities[np.arange(len(best)), np.searchsorted(classes, best)] += LOWEST
    return probabilities, best


def _as_in_the_benchmark(cells: AnnData) -> AnnData:
    X, kind = sparse.csr_matrix(cells.X, dtype=np.float32), cells.uns[X_KIND]
    if kind == COUNTS:
        X, kind = normalize(X, norm="l1") * np.float32(CELL_TOTAL), NORMALIZED
    names = pd.Index([f"cell {i:09d}" for i in range(cells.n_obs)])
    return AnnData(X, obs=pd.DataFrame(index=names), var=pd.DataFrame(index=cells.var_names), uns={X_KIND: kind})


def folds(labels: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Positions of training and held-out cells. A cell that is alone of its type is never held out."""
    counts = pd.Series(labels).value_counts()
    several = np.flatnonzero(counts[labels].to_numpy() > 1)
    cut = StratifiedKFold(min(FOLDS, int(counts.max())), shuffle=True, random_state=SEED_OF_FOLDS)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        parts = [several[test] for _, test in cut.split(several, labels[several])]
    for held_out in parts:
        yield np.setdiff1d(np.arange(len(labels)), held_out), held_out


def _rows(X: sparse.csr_matrix) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for start, stop in zip(X.indptr[:-1], X.indptr[1:], strict=True):
        yield X.indices[start:stop], X.data[start:stop]

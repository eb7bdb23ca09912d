"""JIND for Python users: one fitted reference, any number of targets.

>>> reference = JIND(preset="robust", seed=0).fit(source, label_key="cell_type")
>>> mapped = reference.align(target)
>>> table = mapped.self_train(target).predict(target)
"""

import copy
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jindbench import io
from jindbench.data.genes import gene_names
from jindbench.errors import InputError
from jindbench.jind.alignment import align
from jindbench.jind.classifier import train_classifier
from jindbench.jind.expression import Cells, as_anndata, source_expression
from jindbench.jind.model import JINDModel
from jindbench.jind.parameters import AlignmentParameters, ClassifierParameters, SelfTrainingParameters
from jindbench.jind.self_training import self_train
from jindbench.names import UNASSIGNED, X_KIND
from jindbench.predictions import Predictions

log = logging.getLogger(__name__)


class JIND:
    """Cell-type annotation by JIND (Goyal et al. 2020).

    Parameters
    ----------
    preset
        Named set of parameter values: "paper", "preprint" and "published" are for comparison with the paper, whose
        alignment assumes the same types in the same shares on both sides; "robust" and "consensus" are for cells of
        one's own (see `jindbench.jind.parameters`).
    classifier, alignment, self_training
        Parameters of the three stages: a mapping with those that differ from the preset, or a parameters object.
    seed
        Seed of every random step.
    device
        "auto" (CUDA where there is one), "cpu" or "cuda".
    min_gene_share
        Least share of the reference's genes that a target must have.
    progress
        Show progress bars; by default only to a person at a terminal.

    Attributes
    ----------
    model_
        The fitted `jindbench.jind.model.JINDModel`.
    history_
        Table of the last stage's epochs.

    Notes
    -----
    `fit` fits this object. `align` and `self_train` return a new one and leave this one as it is.
    """

    def __init__(
        self,
        preset: str = "paper",
        *,
        classifier: dict | ClassifierParameters | None = None,
        alignment: dict | AlignmentParameters | None = None,
        self_training: dict | SelfTrainingParameters | None = None,
        seed: int = 0,
        device: str = "auto",
        min_gene_share: float = 0.5,
        progress: bool | None = None,
    ):
        def parameters(kind, given):
            if isinstance(given, kind):
                return given
            return kind(**({"preset": preset, "device": device} | dict(given or {})))

        self.classifier = parameters(ClassifierParameters, classifier)
        self.alignment = parameters(AlignmentParameters, alignment)
        self.self_training = parameters(SelfTrainingParameters, self_training)
        if preset not in ("robust", "consensus"):
            log.warning(
                "JIND(preset=%r) has values of the paper, whose alignment assumes the same types in the same shares on "
                "both sides; for cells of your own use preset='consensus'",
                preset,
            )
        self.seed = seed
        self.min_gene_share = min_gene_share
        self.progress = sys.stderr.isatty() if progress is None else progress

    def fit(
        self,
        source: Cells,
        labels: np.ndarray | None = None,
        *,
        genes: list[str] | None = None,
        label_key: str = "label",
        x_kind: str | None = None,
    ) -> "JIND":
        """Train the prediction model on labelled cells.

        Parameters
        ----------
        source
            Cells x genes: an AnnData, or a matrix together with `genes`.
        labels
            Cell types; by default `source.obs[label_key]`.
        x_kind
            What X holds: "counts", "normalized" or "log"; by default `source.uns["x_kind"]`, else "counts".

        Cells whose label is missing are left out.

        Returns
        -------
        This object, fitted.

        Raises
        ------
        InputError
            If there are no labels or they do not fit, or X is not what it is said to be.
        """
        source = as_anndata(source, genes, x_kind)
        if labels is None:
            if label_key not in source.obs:
                columns = ", ".join(source.obs.columns) or "none"
                raise InputError(f"the source has no obs column '{label_key}' (there are: {columns})")
            labels = source.obs[label_key]
        labels = pd.Series(np.asarray(labels))
        if len(labels) != source.n_obs:
            raise InputError(f"{len(labels)} labels for {source.n_obs} cells")
        if (labels == UNASSIGNED).any():
            raise InputError(f"labels: '{UNASSIGNED}' is what rejected cells get; leave such cells out")
        if (known := labels.notna().to_numpy()).sum() < len(labels):
            log.warning("%d of %d cells have no label and are left out", (~known).sum(), len(known))
            source, labels = source[known], labels[known]
        labels = labels.to_numpy(dtype=str)
        _warn_of_genes(source.var_names, "source")
        X, genes = source_expression(source, self.classifier)
        self.model_, self.history_ = train_classifier(
            X, labels, genes, source.uns[X_KIND], self.classifier, self.seed, progress=self.progress
        )
        return self

    def align(self, target: Cells, **layout) -> "JIND":
        """Align to a target.

        Parameters
        ----------
        target
            Cells x genes: an AnnData, or a matrix with `genes=`; genes are matched by name.
        **layout
            `genes` and `x_kind`, as in `fit`; a target that does not say what X holds has the source's kind.

        Returns
        -------
        A new JIND whose predictions for this target come from aligned latent codes. This one is unchanged.
        """
        X = self._cells(target, layout, self.model_.expression)
        return self._with(*align(self.model_, X, self.alignment, self.seed, progress=self.progress))

    def self_train(self, target: Cells, **layout) -> "JIND":
        """Train on the confident predictions for a target (JIND+); a new JIND, as `align` returns."""
        X = self._cells(target, layout, self.model_.expression)
        return self._with(*self_train(self.model_, X, self.self_training, self.seed, progress=self.progress))

    def predict(self, target: Cells, *, probabilities: bool = False, **layout) -> pd.DataFrame:
        """Annotate a target, in blocks of cells: one that is backed by a file is never read as a whole.

        Returns
        -------
        One row for each cell, as `jindbench.predictions` describes; with `probabilities` also a column
        `probability of TYPE` for each type.
        """
        return _table(self._cells(target, layout, self.model_.predict), probabilities)

    def latent_codes(self, target: Cells, **layout) -> np.ndarray:
        """Latent codes of a target's cells, n x 256 for each prediction model, side by side, float32."""
        return self._cells(target, layout, self.model_.codes)

    def predict_and_code(
        self, target: Cells, *, probabilities: bool = False, **layout
    ) -> tuple[pd.DataFrame, np.ndarray]:
        """What `predict` and `latent_codes` give, in one pass over the cells."""
        predicted, codes = self._cells(target, layout, self.model_.predict_and_code)
        return _table(predicted, probabilities), codes

    def save(self, folder: str | Path) -> None:
        """Store the model in a folder, without pickle: weights as safetensors, the rest as text."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        self.model_.save(Path(folder), self.history_)

    @classmethod
    def load(cls, folder: str | Path, **settings) -> "JIND":
        """Read what `save` stored; `settings` as in the constructor, for the stages to come."""
        loaded = cls(**settings)
        loaded.model_ = JINDModel.load(Path(folder), loaded.classifier.device)
        loaded.classifier = loaded.model_.parameters
        _warn_of_genes(loaded.model_.genes, str(folder))
        loaded.history_ = io.read_table(Path(folder) / "history.tsv")
        return loaded

    def _with(self, model: JINDModel, history: pd.DataFrame) -> "JIND":
        other = copy.copy(self)
        other.model_, other.history_ = model, history
        return other

    def _cells(self, target: Cells, layout: dict, function: Callable) -> Any:
        """What a function of the model gives for a target in any of the accepted layouts."""
        return function(as_anndata(target, **layout, default=self.model_.x_kind), self.min_gene_share)


def _warn_of_genes(names: pd.Index | list[str], where: str) -> None:
    """Log that names such as row numbers match those of another file by chance, whatever genes they are."""
    gene_names(pd.DataFrame(index=names), where)


def _table(predicted: Predictions, probabilities: bool) -> pd.DataFrame:
    if not probabilities:
        return predicted.table
    return predicted.table.join(predicted.probabilities.reset_index(drop=True).add_prefix("probability of "))

"""The fitted model: latent codes, probabilities, thresholds, storage.

The three stages (classifier, alignment, self-training) each return a new model and leave the one they start from as
it is, so one trained classifier serves any number of targets.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from anndata import AnnData
from safetensors.torch import load_file, save_file
from scipy import sparse
from torch import Tensor

from jindbench import io
from jindbench.jind.expression import BLOCK, target_expression
from jindbench.jind.networks import Classifier, Encoder, Generator, frozen
from jindbench.jind.parameters import ClassifierParameters
from jindbench.jind.thresholds import type_thresholds
from jindbench.predictions import Predictions, from_probabilities

MIN_GENE_SHARE = 0.5  # of the model's genes, that a target must have

log = logging.getLogger(__name__)


def choose_device(device: str) -> torch.device:
    """The device named, or with "auto" CUDA where there is one and else the CPU."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
        log.info(
            "device: auto, so on %s", torch.cuda.get_device_name() if device == "cuda" else "the CPU: no CUDA here"
        )
    return torch.device(device)


def precision(device: torch.device, name: str) -> torch.autocast:
    """Context in which matrix products are computed in `name`: "float32" or "bfloat16"."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=name == "bfloat16")


def dense(X: sparse.csr_matrix, rows: np.ndarray, device: torch.device) -> Tensor:
    """The chosen rows of a sparse matrix as a dense tensor (float32)."""
    return torch.from_numpy(X[rows].toarray()).to(device)


def blocks(rows: np.ndarray, size: int) -> list[np.ndarray]:
    """Cut rows into blocks of `size`; the last may be smaller."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


@dataclass(frozen=True)
class JINDModel:
    """A fitted JIND model.

    Attributes
    ----------
    genes
        Names of the M genes it reads, in order.
    classes
        Names of the K types.
    x_kind
        What the source's X held: counts, normalized or log.
    parameters
        Of the classifier; they also say how expression is transformed and how thresholds follow.
    encoder, classifier
        The prediction model P(F(x)).
    class_weights
        w_k of Eq. 2, K values.
    validation_confidence, validation_assigned
        Highest probability and its type for each validation cell of the source; thresholds follow from them.
    source_codes
        Latent codes of the source cells, N_s x 256: what a target is aligned to.
    generator
        G after alignment; None before, or if no aligned state was better than the unaligned one.
    """

    genes: list[str]
    classes: list[str]
    x_kind: str
    parameters: ClassifierParameters
    encoder: Encoder
    classifier: Classifier
    class_weights: Tensor
    validation_confidence: Tensor
    validation_assigned: Tensor
    source_codes: Tensor
    generator: Generator | None = None

    @property
    def device(self) -> torch.device:
        """Where the model is computed."""
        return self.source_codes.device

    @property
    def reject_at_threshold(self) -> bool:
        """Whether a cell whose confidence equals its threshold is rejected."""
        return self.parameters.threshold_rule == "quantile"

    def thresholds(self, outlier_fraction: float | None = None) -> np.ndarray:
        """tau_k for each of the K types, at the model's own theta unless another is given."""
        return type_thresholds(
            self.validation_confidence.cpu().numpy(),
            self.validation_assigned.cpu().numpy(),
            len(self.classes),
            self.parameters.outlier_fraction if outlier_fraction is None else outlier_fraction,
            rule=self.parameters.threshold_rule,
            without_cells=self.parameters.threshold_without_cells,
        )

    def accepted(self, probabilities: Tensor, outlier_fraction: float | None = None) -> Tensor:
        """Which of n cells have a probability that passes the threshold of their most probable type."""
        confidence, assigned = probabilities.max(dim=1)
        limit = torch.from_numpy(self.thresholds(outlier_fraction)).to(confidence.device)[assigned]
        return confidence > limit if self.reject_at_threshold else confidence >= limit

    def code(self, x: Tensor) -> Tensor:
        """Latent code of expression x (n x M): F(x), or G(x, F(x)) after alignment."""
        if self.generator is None:
            return self.encoder(x)
        return self.generator(x, self.encoder(x, self.generator.input_shift))

    def latent_codes(self, X: sparse.csr_matrix) -> Tensor:
        """Latent codes, n x 256, of the n cells of X (transformed expression of `genes`)."""
        return self.blockwise(X, self.code)

    def probabilities(self, X: sparse.csr_matrix) -> Tensor:
        """Class probabilities, n x K, in float64: float32 has no numbers between 1 - 6e-8 and 1 to tell cells apart."""
        return self.blockwise(X, lambda x: self.classifier(self.code(x)).softmax(dim=1, dtype=torch.float64))

    def blockwise(self, X: sparse.csr_matrix, function: Callable[[Tensor], Tensor]) -> Tensor:
        """Apply `function` to blocks of cells and join the results; X is never dense as a whole."""
        with torch.no_grad():
            rows = blocks(np.arange(X.shape[0]), BLOCK)
            return torch.cat([function(dense(X, block, self.device)) for block in rows])

    def expression(self, target: AnnData, min_gene_share: float = MIN_GENE_SHARE) -> sparse.csr_matrix:
        """A target's transformed expression of `genes`, n x M, sparse."""
        parts = list(target_expression(target, self.genes, self.parameters, min_gene_share))
        return parts[0] if len(parts) == 1 else sparse.vstack(parts, format="csr")

    def codes(self, target: AnnData, min_gene_share: float = MIN_GENE_SHARE) -> np.ndarray:
        """Latent codes of a target, n x 256, block by block."""
        parts = target_expression(target, self.genes, self.parameters, min_gene_share)
        return np.concatenate([self.latent_codes(X).cpu().numpy() for X in parts])

    def predict(self, target: AnnData, min_gene_share: float = MIN_GENE_SHARE) -> Predictions:
        """Predictions for a target, block by block."""
        parts = target_expression(target, self.genes, self.parameters, min_gene_share)
        probabilities = np.concatenate([self.probabilities(X).cpu().numpy() for X in parts])
        return from_probabilities(
            target.obs_names,
            self.classes,
            probabilities,
            self.thresholds(),
            reject_at_threshold=self.reject_at_threshold,
        )

    def save(self, folder: Path, history: pd.DataFrame) -> None:
        """Write the model into a folder: `model.json`, `weights.safetensors`, and the last stage's epochs."""
        tensors = {name: getattr(self, name) for name in TENSORS}
        for name in ("encoder", "classifier", "generator"):
            if (network := getattr(self, name)) is not None:
                tensors |= {f"{name}.{key}": value for key, value in network.state_dict().items()}
        with io.replacing(folder / "weights.safetensors") as temporary:
            save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, temporary)
        facts = {
            "genes": self.genes,
            "classes": self.classes,
            "x_kind": self.x_kind,
            "parameters": self.parameters.model_dump(),
            "after_relu": self.generator is not None and self.generator.after_relu,
        }
        io.write_json(facts, folder / "model.json")
        io.write_table(history, folder / "history.tsv")

    @classmethod
    def load(cls, folder: Path, device: str) -> "JINDModel":
        """Read a model that `save` wrote; `device` as in the parameters."""
        device, facts = choose_device(device), io.read_json(folder / "model.json")
        facts["parameters"] = ClassifierParameters.model_validate(facts["parameters"])
        tensors = load_file(folder / "weights.safetensors", device=str(device))
        n_genes, parameters, after_relu = len(facts["genes"]), facts["parameters"], facts.pop("after_relu")
        networks = {
            "encoder": Encoder(n_genes, parameters.dropout, parameters.noise),
            "classifier": Classifier(len(facts["classes"])),
        }
        if any(key.startswith("generator.") for key in tensors):
            shifted = "generator.input_shift" in tensors
            networks["generator"] = Generator(n_genes, input_shift=shifted, after_relu=after_relu)
        for name, network in networks.items():
            own = [key for key in tensors if key.startswith(f"{name}.")]
            network.load_state_dict({key.removeprefix(f"{name}."): tensors.pop(key) for key in own})
            frozen(network.to(device))
        return cls(**facts, **tensors, **networks)


TENSORS = ("class_weights", "validation_confidence", "validation_assigned", "source_codes")

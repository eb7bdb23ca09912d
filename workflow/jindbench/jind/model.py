"""The fitted model: latent codes, probabilities, thresholds, storage.

The three stages (classifier, alignment, self-training) each return a new model and leave the one they start from as
it is, so one trained classifier serves any number of targets.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from anndata import AnnData
from safetensors.torch import load_file, save_file
from scipy import sparse
from torch import Tensor

from jindbench import io
from jindbench.data.matrix import BLOCK
from jindbench.errors import InputError
from jindbench.jind.composition import recomposed
from jindbench.jind.expression import target_expression
from jindbench.jind.networks import Classifier, Encoder, Generator, Logits, Rescaling, frozen
from jindbench.jind.parameters import ClassifierParameters
from jindbench.jind.profiles import Profiles
from jindbench.jind.thresholds import thresholds_by
from jindbench.names import MEASURED
from jindbench.predictions import Predictions, from_probabilities

MIN_GENE_SHARE = 0.5  # of the model's genes, that a target must have
SMALL = 250_000_000  # bytes of a dense matrix

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
    """Context in which matrix products are computed in `name`: "float32", or "bfloat16" where the device has it."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=name == "bfloat16" and has_bfloat16(device.type))


@cache
def has_bfloat16(device: str) -> bool:
    """Whether the device has instructions for bfloat16; if not, bfloat16 is slower than float32. Logged once."""
    if device == "cuda":
        found = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        capabilities = torch.cpu.get_capabilities()  # of x86, and of ARM
        found = any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16"))
    if not found:
        log.warning("precision: bfloat16, but this processor has no instructions for it: float32 instead")
    return found


class Rows:
    """Rows of a sparse matrix as dense tensors (float32) on a device.

    A GPU holds the sparse matrix itself and makes rows dense there: to cut mini-batches on the CPU and to copy their
    zeros takes longer than the networks do. On a CPU a small matrix of which rows are read `again` and again is made
    dense once, not its rows in each epoch.
    """

    def __init__(self, X: sparse.csr_matrix, device: torch.device, *, again: bool = False):
        self.X, self.device, self.shape, self.dense = X, device, X.shape, None
        if device.type == "cuda":
            parts = (X.indptr.astype(np.int64), X.indices.astype(np.int32), X.data)
            self.starts, self.columns, self.values = (torch.from_numpy(part).to(device) for part in parts)
        elif again and X.dtype.itemsize * X.shape[0] * X.shape[1] <= SMALL:
            self.dense = torch.from_numpy(X.toarray())

    @classmethod
    def of(cls, X: "sparse.csr_matrix | Rows", device: torch.device) -> "Rows":
        """The rows of X, which may be such rows already."""
        return X if isinstance(X, cls) else cls(X, device)

    def __getitem__(self, rows: np.ndarray) -> Tensor:
        if self.dense is not None:
            return self.dense[torch.from_numpy(rows)]
        if self.device.type != "cuda":
            return torch.from_numpy(self.X[rows].toarray()).to(self.device)
        rows = torch.from_numpy(rows).to(self.device)
        first, numbers = self.starts[rows], self.starts[rows + 1] - self.starts[rows]
        # For each stored value of the chosen rows: which row it falls into, and where it lies.
        into = torch.repeat_interleave(numbers)
        places = torch.arange(len(into), device=self.device) + (first - numbers.cumsum(0) + numbers)[into]
        x = torch.zeros(len(rows), self.shape[1], device=self.device)
        x[into, self.columns[places].long()] = self.values[places]
        return x


class Block:
    """Dense expression x of a block of cells, n x M, and latent codes: models that share an encoder share F(x)."""

    def __init__(self, x: Tensor):
        self.x, self._codes = x, {}

    def code(self, encoder: Encoder, generator: Generator | Rescaling | None) -> Tensor:
        """F(x), or G(x, F(x)) where there is a generator; computed once."""
        key = id(encoder), id(generator)
        if key not in self._codes:
            if generator is None:
                self._codes[key] = encoder(self.x)
            else:
                shift = generator.input_shift
                h = self.code(encoder, None) if shift is None else encoder(self.x, shift)
                self._codes[key] = generator(self.x, h)
        return self._codes[key]


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
    validation_probabilities
        Of this model alone for the N_v validation cells of the source, N_v x K: thresholds follow from them.
    validation_types
        Types of these cells, N_v numbers from 0 to K - 1.
    source_codes, source_types
        Latent codes of the source cells in this model alone, N_s x 256: what a target is aligned to; and their types,
        N_s numbers from 0 to K - 1.
    generator
        G after alignment; None before, or if no aligned state was better than the unaligned one.
    type_weights
        After alignment by moments what the probability of each of the K types is multiplied by, before they are made
        to sum to 1 again and averaged with those of `reference`; None after the paper's.
    aligned_share
        The weight of the aligned probabilities in that average, 0 to 1.
    others
        Further prediction models of the same source, which differ in their random start. Probabilities are averaged
        over this one and them.
    linear
        The linear model of the same source (`jindbench.jind.linear`); None with the paper's presets.
    linear_share
        The weight of its probabilities in the average with the networks', 0 to 1.
    profiles
        Mean expression of the types, for `novelty`; None where that is of the confidence alone.
    reference
        The model as it was before alignment; None where it is this one without its generator.
    """

    genes: list[str]
    classes: list[str]
    x_kind: str
    parameters: ClassifierParameters
    encoder: Encoder
    classifier: Classifier
    class_weights: Tensor
    validation_probabilities: Tensor
    validation_types: Tensor
    source_codes: Tensor
    source_types: Tensor
    generator: Generator | Rescaling | None = None
    type_weights: Tensor | None = None
    aligned_share: float = 1.0
    others: tuple["JINDModel", ...] = ()
    linear: "JINDModel | None" = None
    linear_share: float = 0.0
    profiles: Profiles | None = None
    reference: "JINDModel | None" = None

    @property
    def device(self) -> torch.device:
        """Where the model is computed."""
        return self.source_codes.device

    @property
    def reject_at_threshold(self) -> bool:
        """Whether a cell whose confidence equals its threshold is rejected."""
        return self.parameters.threshold_rule == "quantile"

    @property
    def validation(self) -> Tensor:
        """Probabilities of the validation cells, averaged over the prediction models, N_v x K."""
        return self.averaged(lambda member: member.validation_probabilities)

    @property
    def validation_shares(self) -> Tensor:
        """Mean probability of each of the K types over the validation cells and one more cell of each type.

        A type of few cells may have none among them; so no share is zero.
        """
        probabilities = self.validation
        return (probabilities.sum(dim=0) + 1) / (len(probabilities) + len(self.classes))

    def thresholds(self, outlier_fraction: float | None = None) -> np.ndarray:
        """tau_k for each of the K types, at the model's own theta unless another is given."""
        return thresholds_by(self.parameters, self.validation.cpu().numpy(), outlier_fraction)

    def accepted(self, probabilities: Tensor, outlier_fraction: float | None = None) -> Tensor:
        """Which of n cells have a probability that passes the threshold of their most probable type."""
        confidence, assigned = probabilities.max(dim=1)
        limit = torch.from_numpy(self.thresholds(outlier_fraction)).to(confidence.device)[assigned]
        return confidence > limit if self.reject_at_threshold else confidence >= limit

    @property
    def members(self) -> tuple["JINDModel", ...]:
        """The first model and the others, each by itself."""
        return (replace(self, others=()).networks_alone(), *self.others)

    def networks_alone(self) -> "JINDModel":
        """The same without the linear model."""
        return replace(self, linear=None, linear_share=0.0)

    def averaged(self, function: Callable[["JINDModel"], Tensor]) -> Tensor:
        """What a function gives for the members, averaged, and for the linear model, by its share."""
        mean = torch.stack([function(member) for member in self.members]).mean(dim=0)
        if self.linear_share == 0:
            return mean
        return (1 - self.linear_share) * mean + self.linear_share * function(self.linear)

    def without_alignment(self) -> "JINDModel":
        """The same networks, without what alignment put between them or after them."""
        others = tuple(replace(member, generator=None) for member in self.others)
        linear = self.linear and replace(self.linear, generator=None)
        return replace(self, generator=None, type_weights=None, aligned_share=1.0, others=others, linear=linear)

    def without_source(self) -> "JINDModel":
        """The same for prediction alone: nothing can be aligned to it."""
        others, linear = tuple(other.without_source() for other in self.others), self.linear
        return replace(
            self,
            source_codes=self.source_codes[:0],
            source_types=self.source_types[:0],
            others=others,
            linear=linear and linear.without_source(),
        )

    def latent_codes(self, X: sparse.csr_matrix | Rows) -> Tensor:
        """Latent codes, n x 256, of the n cells of X (transformed expression of `genes`).

        Those of several prediction models stand side by side, 256 columns each.
        """
        return self.blockwise(X, lambda x: self._codes(Block(x)))

    def _codes(self, cells: Block) -> Tensor:
        return torch.cat([cells.code(member.encoder, member.generator) for member in self.members], dim=1)

    def probabilities(self, X: sparse.csr_matrix | Rows) -> Tensor:
        """Class probabilities, n x K, in float64: float32 has no numbers between 1 - 6e-8 and 1 to tell cells apart."""
        return self.blockwise(X, lambda x: self._probabilities(Block(x)))

    def _probabilities(self, cells: Block) -> Tensor:
        def of_member(member: JINDModel) -> Tensor:
            logits = member.classifier(cells.code(member.encoder, member.generator))
            return logits.softmax(dim=1, dtype=torch.float64)

        mean = self.averaged(of_member)
        if self.type_weights is None:
            return mean
        return recomposed(mean, self.type_weights, self.aligned_share, self.reference._probabilities(cells))

    def novelty(self, X: sparse.csr_matrix, measured: np.ndarray | None = None) -> np.ndarray:
        """How far each of n cells lies below the threshold of its most probable type before anything was adapted.

        Alignment and self-training draw cells of a type that the source lacks to types that it has. Of several
        prediction models each has its own most probable type and thresholds; their distances are averaged as their
        probabilities are. Where there are `profiles`, how unlike its most probable type a cell is in its expression is
        added, with its weight; `measured` says which of the M genes the cells' file has (None: all).
        """
        cells = Rows(X, self.device)
        with torch.no_grad():
            return np.concatenate(
                [self._novelty(Block(cells[rows]), X[rows], measured) for rows in blocks(np.arange(X.shape[0]), BLOCK)]
            )

    def _novelty(self, cells: Block, X: sparse.csr_matrix, measured: np.ndarray | None) -> np.ndarray:
        unadapted = self.reference or self.without_alignment()

        def of_member(member: JINDModel) -> Tensor:  # probabilities, and as a last column the distance
            probabilities = member._probabilities(cells)
            confidence, assigned = probabilities.max(dim=1)
            distance = torch.from_numpy(member.thresholds()).to(self.device)[assigned] - confidence
            return torch.cat([probabilities, distance[:, None]], dim=1)

        averaged = unadapted.averaged(of_member).cpu().numpy()
        distance = averaged[:, -1]
        if unadapted.profiles is None:
            return distance
        unlikeness = unadapted.profiles.unlikeness(X, averaged[:, :-1].argmax(axis=1), measured)
        return distance + self.parameters.profile_weight * unlikeness

    def blockwise(self, X: sparse.csr_matrix | Rows, function: Callable[[Tensor], Tensor]) -> Tensor:
        """Apply `function` to blocks of cells and join the results; X is never dense as a whole."""
        cells = Rows.of(X, self.device)
        with torch.no_grad():
            return torch.cat([function(cells[block]) for block in blocks(np.arange(X.shape[0]), BLOCK)])

    def expression(self, target: AnnData, min_gene_share: float = MIN_GENE_SHARE) -> sparse.csr_matrix:
        """A target's transformed expression of `genes`, n x M, sparse."""
        parts = list(target_expression(target, self.genes, self.parameters, min_gene_share))
        return parts[0] if len(parts) == 1 else sparse.vstack(parts, format="csr")

    def codes(self, target: AnnData, min_gene_share: float = MIN_GENE_SHARE) -> np.ndarray:
        """Latent codes of a target, as `latent_codes` gives them, block by block."""
        parts = target_expression(target, self.genes, self.parameters, min_gene_share)
        return np.concatenate([self.latent_codes(X).cpu().numpy() for X in parts])

    def predict(self, target: AnnData, min_gene_share: float = MIN_GENE_SHARE) -> Predictions:
        """Predictions for a target, block by block."""
        return self._predict(target, min_gene_share)[0]

    def predict_and_code(
        self, target: AnnData, min_gene_share: float = MIN_GENE_SHARE
    ) -> tuple[Predictions, np.ndarray]:
        """What `predict` and `codes` give, in one pass over the cells."""
        return self._predict(target, min_gene_share, with_codes=True)

    def _predict(
        self, target: AnnData, min_gene_share: float, *, with_codes: bool = False
    ) -> tuple[Predictions, np.ndarray | None]:
        present = target.var_names[target.var[MEASURED]] if MEASURED in target.var else target.var_names
        measured = pd.Index(self.genes).isin(present)
        probabilities, novelty, codes = [], [], []
        for X in target_expression(target, self.genes, self.parameters, min_gene_share):
            with torch.no_grad():
                cells = Block(Rows(X, self.device)[np.arange(X.shape[0])])
                probabilities.append(self._probabilities(cells).cpu().numpy())
                novelty.append(self._novelty(cells, X, measured))
                if with_codes:
                    codes.append(self._codes(cells).cpu().numpy())
        predicted = from_probabilities(
            target.obs_names,
            self.classes,
            np.concatenate(probabilities),
            self.thresholds(),
            reject_at_threshold=self.reject_at_threshold,
            novelty=np.concatenate(novelty),
        )
        return predicted, np.concatenate(codes) if with_codes else None

    def save(self, folder: Path, history: pd.DataFrame) -> None:
        """Write the model into a folder: `model.json`, `weights.safetensors`, and the last stage's epochs.

        Other models, and the one from before self-training, have folders of their own in it.
        """
        self._save(folder)
        io.write_table(history, folder / "history.tsv")

    def _save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        nested = {f"other_{i}": other for i, other in enumerate(self.others, start=1)}
        nested |= {name: model for name in ("linear", "reference") if (model := getattr(self, name)) is not None}
        for name, model in nested.items():
            model._save(folder / name)
        tensors = {name: getattr(self, name) for name in TENSORS}
        if self.type_weights is not None:
            tensors["type_weights"] = self.type_weights
        if self.profiles is not None:
            tensors |= {f"{PROFILES}{name}": torch.from_numpy(value) for name, value in vars(self.profiles).items()}
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
            "aligned_share": self.aligned_share,
            "linear_share": self.linear_share,
            "after_relu": self.generator is not None and self.generator.after_relu,
            "nested": list(nested),
        }
        io.write_json(facts, folder / "model.json")

    @classmethod
    def load(cls, folder: Path, device: str) -> "JINDModel":
        """Read a model that `save` wrote; `device` as in the parameters.

        Raises
        ------
        InputError
            If it has no profiles or linear model though its parameters ask for them: models had none before these came.
        """
        model = cls._load(folder, choose_device(device))
        if model.parameters.profile_weight and model.profiles is None:
            raise InputError(f"{folder}: stored by an older version of jindbench, without the types' mean expression")
        if model.parameters.linear != "none" and model.linear is None:
            raise InputError(f"{folder}: stored by an older version of jindbench, without a linear model")
        return model

    @classmethod
    def _load(cls, folder: Path, device: torch.device) -> "JINDModel":
        facts = io.read_json(folder / "model.json")
        nested = {name: cls._load(folder / name, device) for name in facts.pop("nested")}
        reference, linear = nested.pop("reference", None), nested.pop("linear", None)
        facts["parameters"] = ClassifierParameters.model_validate(facts["parameters"])
        tensors = load_file(folder / "weights.safetensors", device=str(device))
        n_genes, parameters, after_relu = len(facts["genes"]), facts["parameters"], facts.pop("after_relu")
        stored = {key.removeprefix(PROFILES): tensors.pop(key) for key in [*tensors] if key.startswith(PROFILES)}
        profiles = Profiles(**{key: value.cpu().numpy() for key, value in stored.items()}) if stored else None
        if any(key.startswith("classifier.") for key in tensors):
            encoder, classifier = (
                Encoder(n_genes, parameters.dropout, parameters.noise),
                Classifier(len(facts["classes"])),
            )
        else:  # a linear model
            encoder, classifier = Logits(n_genes, len(facts["classes"])), torch.nn.Identity()
        networks = {"encoder": encoder, "classifier": classifier}
        if "generator.scale" in tensors:
            networks["generator"] = Rescaling(tensors["generator.scale"], tensors["generator.shift"])
        elif any(key.startswith("generator.") for key in tensors):
            shifted = "generator.input_shift" in tensors
            networks["generator"] = Generator(n_genes, input_shift=shifted, after_relu=after_relu)
        for name, network in networks.items():
            own = [key for key in tensors if key.startswith(f"{name}.")]
            network.load_state_dict({key.removeprefix(f"{name}."): tensors.pop(key) for key in own})
            frozen(network.to(device))
        others = tuple(nested.values())
        return cls(**facts, **tensors, **networks, others=others, linear=linear, profiles=profiles, reference=reference)


PROFILES = "profiles."  # before the names of what they are made of, among the tensors
TENSORS = (
    "class_weights",
    "validation_probabilities",
    "validation_types",
    "source_codes",
    "source_types",
)

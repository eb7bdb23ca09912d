"""Every hyper-parameter of JIND, each at one place, with its value in each of five presets.

`paper`      the text of the paper (Methods); the default. Where the text is silent, the value of `preprint`: those
             descriptions end in "(code)".
`preprint`   the authors' code of October 2020. Of its two notebooks this is the one that aligns as the text says, in
             mini-batches of 512 for 20 epochs; on PBMC it matches none of the six numbers of Table 2 (after rounding).
             The other one, which aligns with `batch_size: 128, epochs: 15`, matches five.
`published`  the authors' code of February 2022, which goes with the published article.
`robust`     not the paper's: for targets whose types have other shares than the source's, or some of them none
             (docs/robust-alignment.md). Where it says nothing, the value of `paper`.
`consensus`  not the paper's: `robust`, with a linear model's probabilities in the average, and training stops early.

One implementation reads them all: a preset is nothing but values.
"""

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from jindbench.parameters import Parameters

PRESETS = ("paper", "preprint", "published", "robust", "consensus")
AS_BEFORE = object()


def _by_preset(
    paper: Any,
    preprint: Any,
    published: Any,
    description: str,
    *,
    robust: Any = AS_BEFORE,
    consensus: Any = AS_BEFORE,
    **limits: Any,
) -> Any:
    robust = paper if robust is AS_BEFORE else robust
    values = (paper, preprint, published, robust, robust if consensus is AS_BEFORE else consensus)
    presets = dict(zip(PRESETS, values, strict=True))
    return Field(paper, description=description, json_schema_extra={"presets": presets}, **limits)


class PresetParameters(Parameters):
    """Parameters whose defaults are those of a named preset; every one can be set by itself."""

    OF_ALL_STAGES: ClassVar[tuple[str, ...]] = ("preset", "device", "precision")

    preset: Literal["paper", "preprint", "published", "robust", "consensus"] = Field(
        "paper", description="Source of all values that are not set."
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="`auto`: CUDA where there is one, else the CPU.")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="Precision of matrix products in training; `bfloat16` is faster on processors that have it, and "
        "float32 on others.",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_in_the_preset(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("preset", "paper") not in PRESETS:
            return values  # the field's own check says what is wrong
        preset = values.get("preset", "paper")
        extras = {name: field.json_schema_extra for name, field in cls.model_fields.items()}
        return {name: extra["presets"][preset] for name, extra in extras.items() if extra} | values


class ClassifierParameters(PresetParameters):
    """Prediction model and thresholds (Methods, 'Data preprocessing' and 'Training stage')."""

    cell_total: float | None = _by_preset(
        None,
        None,
        10_000.0,
        "Counts are scaled to this total in each cell before the log; null: not scaled.",
        robust=10_000.0,
        gt=0,
    )
    total_of: Literal["all_genes", "model_genes"] = _by_preset(
        "all_genes",
        "all_genes",
        "all_genes",
        "The genes that make up this total: all of the file, or those that the model reads, which makes files with "
        "different genes comparable.",
        robust="model_genes",
    )
    log_base: Literal["2", "e"] = _by_preset("2", "e", "e", "Base of log(1 + x).", robust="e")
    log_normalized: bool = _by_preset(True, False, True, "Take the log of normalized values too, not only of counts.")
    n_genes: int = _by_preset(5000, 5000, 5000, "Most variable genes used; all if there are fewer.", ge=1)
    dropout: float = _by_preset(0.2, 0.2, 0.2, "Dropout probability of the encoder.", ge=0, lt=1)
    noise: float = _by_preset(
        0.0, 0.0, 0.2, "Standard deviation of the factor 1 + noise on the latent code in training.", ge=0
    )
    weight_epsilon: float = _by_preset(0.01, 0.01, 0.01, "Epsilon of the class weights, Eq. 2.", gt=0)
    validation_share: float = _by_preset(0.3, 0.2, 0.2, "Share of the source kept for validation.", gt=0, lt=1)
    stratified: bool = _by_preset(
        False, False, True, "Split with the same shares of types on both sides, if every type has two cells (code)."
    )
    epochs: int = _by_preset(30, 15, 15, "Epochs; the first with the best validation accuracy is kept.", ge=1)
    dry_epochs: int | None = _by_preset(
        None,
        None,
        None,
        "Training stops after this many epochs in a row without a better validation accuracy; null: never.",
        consensus=10,
        ge=1,
    )
    batch_size: int = _by_preset(128, 128, 128, "Mini-batch size (code).", ge=1)
    even_batches: bool = _by_preset(
        False,
        False,
        False,
        "Mini-batches of about equal size. Otherwise the last one holds what is left over, and the fewer its cells, "
        "the more each weighs.",
        robust=True,
    )
    members: int = _by_preset(
        1,
        1,
        1,
        "Prediction models trained from different random starts; their probabilities are averaged.",
        robust=3,
        ge=1,
    )
    linear: Literal["none", "judge", "member"] = _by_preset(
        "none",
        "none",
        "none",
        "Role of a linear model of the source: `judge`: alignment is kept only if the linear model does not contradict "
        "it; `member`: its probabilities are also averaged with the networks', with weights from held-out cells.",
        robust="judge",
        consensus="member",
    )
    learning_rate: float = _by_preset(1e-3, 1e-3, 1e-3, "Learning rate of Adam.", gt=0)
    patience: int = _by_preset(5, 2, 2, "The learning rate is halved after more than this many flat epochs.", ge=0)
    flat_share: float = _by_preset(
        0.05, 0.05, 0.05, "An epoch is flat if the training loss falls by less than this share (code).", ge=0
    )
    outlier_fraction: float = _by_preset(0.05, 0.05, 0.05, "Theta of the thresholds.", ge=0, lt=1)
    threshold_rule: Literal["quantile", "rank"] = _by_preset(
        "quantile",
        "rank",
        "rank",
        "`quantile`: the highest probability of the bottom theta-quantile, and a label needs more; "
        "`rank`: the sorted probability number int(theta n) + 1 counted from 0, and a label needs as much.",
    )
    threshold_without_cells: float = _by_preset(
        0.9, 0.9, 0.9, "Threshold of a type to which too few validation cells are assigned (code).", ge=0, le=1
    )
    threshold_cells: int = _by_preset(
        1,
        1,
        1,
        "A type to which fewer validation cells are assigned gets `threshold_without_cells`.",
        robust=2,
        ge=1,
    )
    profile_weight: float = _by_preset(
        0.0,
        0.0,
        0.0,
        "Novelty adds to the distance of a cell's confidence below the threshold, with this weight, how much less the "
        "cell correlates with its type's mean expression than the source's cells do.",
        robust=4.0,
        ge=0,
    )


class AlignmentParameters(PresetParameters):
    """Asymmetric alignment (Methods, 'Inference stage'); "moments" is not the paper's (`jindbench.jind.moments`)."""

    method: Literal["adversarial", "moments"] = _by_preset(
        "adversarial",
        "adversarial",
        "adversarial",
        "`adversarial`: the paper's; `moments`: one scale and shift of each latent dimension, and a correction for the "
        "target's composition, both from an estimate of it.",
        robust="moments",
    )
    pseudo_cells: float = _by_preset(
        10.0,
        10.0,
        10.0,
        "Moments: cells of the source's composition that are added to the estimate of the target's.",
        gt=0,
    )
    moment_cells: float = _by_preset(
        50.0, 50.0, 50.0, "Moments: cells with the source's mean and variance that are added to the target's.", ge=0
    )
    kept_labels: float = _by_preset(
        0.8,
        0.8,
        0.8,
        "Moments: the share of the accepted cells that must keep their label; otherwise the target stays unaligned.",
        ge=0,
        le=1,
    )
    identity_start: bool = _by_preset(
        True, False, False, "Start G as the exact identity; otherwise near it, by default initialisation."
    )
    input_shift: bool = _by_preset(
        False, True, True, "Learn a shift of each gene, added to x before the encoder, S and B."
    )
    after_relu: bool = _by_preset(
        False, False, False, "Align the latent codes after the encoder's ReLU instead of before it (Table S3)."
    )
    penalty: float = _by_preset(1e-3, 1e-3, 0.0, "Lambda of Eq. 5, the weight of the norm of S(x) - 1.", ge=0)
    learning_rate: float = _by_preset(1e-4, 1e-4, 1e-4, "Learning rate of RMSprop, generator and discriminator.", gt=0)
    generator_weight_decay: float = _by_preset(1e-2, 1e-2, 1e-2, "Weight decay of the generator.", ge=0)
    discriminator_weight_decay: float = _by_preset(1e-6, 1e-6, 1e-3, "Weight decay of the discriminator.", ge=0)
    batch_size: int = _by_preset(512, 512, 128, "Mini-batch size, at most the smaller side's number of cells.", ge=1)
    leaky_slope: float = _by_preset(0.2, 0.2, 0.2, "Negative slope of the discriminator's leaky ReLU (code).", ge=0)
    epochs: int = _by_preset(20, 20, 15, "Epochs at most (code).", ge=1)
    short_epoch: int = _by_preset(
        50,
        50,
        50,
        "An epoch has one iteration for each mini-batch of the target if there are at least this many (code);",
        ge=1,
    )
    short_epoch_iterations: int = _by_preset(40, 40, 40, "otherwise it has this number of iterations (code).", ge=1)
    discriminator_steps: int = _by_preset(2, 2, 2, "Discriminator steps for each generator step.", ge=1)
    generator_floor: float = _by_preset(
        0.0, 0.0, 0.4, "The generator is trained only while its mean loss of the epoch so far is above this.", ge=0
    )
    generator_ceiling: float | None = _by_preset(
        None,
        0.8,
        0.8,
        "The discriminator is trained while the generator's mean loss is below this; null: always.",
        gt=0,
    )
    discriminator_ceiling: float | None = _by_preset(
        None, None, 1.0, "It is trained anyway while its own mean loss is above this; null: it is not.", gt=0
    )
    restart_at_zero_loss: bool = _by_preset(
        False, False, True, "Reinitialise the generator when a loss collapses to zero."
    )
    equilibrium_floor: float = _by_preset(
        0.0, 0.0, 0.5, "An epoch is good if both mean losses are above this (code) ...", ge=0
    )
    equilibrium_ceiling: float = _by_preset(0.78, 0.78, 0.78, "... and below this (code).", gt=0)
    keep: Literal["last_good", "fewest_rejected"] = _by_preset(
        "last_good",
        "last_good",
        "fewest_rejected",
        "`last_good`: the last good epoch, or the last if none is good; `fewest_rejected`: of the unaligned start and "
        "the good epochs, the one that rejects the fewest target cells (code).",
    )
    good_epochs: int = _by_preset(
        3,
        3,
        7,
        "Training stops after this many good epochs; with `fewest_rejected`, after this many that were kept (code).",
        ge=1,
    )
    dry_epochs: int | None = _by_preset(
        None,
        None,
        7,
        "With `fewest_rejected`, training stops after this many epochs in a row that were not kept.",
        ge=1,
    )


class SelfTrainingParameters(PresetParameters):
    """JIND+ (Methods, 'JIND+')."""

    confident: Literal["thresholds", "ranks"] = _by_preset(
        "thresholds",
        "thresholds",
        "ranks",
        "The predictions used as labels: `thresholds`: those above tau_k at theta; `ranks`: of the cells assigned "
        "to a type all but the share theta with the lowest probabilities.",
    )
    outlier_fraction: float = _by_preset(0.3, 0.3, 0.05, "Theta of that choice.", ge=0, lt=1)
    trained: Literal["prediction_model", "encoder"] = _by_preset(
        "prediction_model",
        "prediction_model",
        "encoder",
        "What is trained: both networks, or the encoder alone.",
    )
    class_weights: Literal["source", "confident_cells"] = _by_preset(
        "source",
        "source",
        "confident_cells",
        "Cells whose composition gives the class weights, Eq. 2.",
        robust="confident_cells",
    )
    kept_labels: float = _by_preset(
        0.0,
        0.0,
        0.0,
        "The share of the target's cells that must keep their label; otherwise self-training is left out.",
        robust=0.98,
        ge=0,
        le=1,
    )
    validation_share: float = _by_preset(0.3, 0.1, 0.1, "Share of the confident cells kept for validation.", gt=0, lt=1)
    epochs: int = _by_preset(10, 10, 10, "Epochs; the one with the best validation accuracy is kept.", ge=1)
    keep_last_of_the_best: bool = _by_preset(
        False, True, True, "Of several epochs with the best accuracy keep the last, not the first."
    )
    batch_size: int = _by_preset(32, 32, 128, "Mini-batch size.", ge=1)
    learning_rate: float = _by_preset(1e-4, 1e-4, 1e-4, "Learning rate of Adam.", robust=1e-5, gt=0)
    patience: int = _by_preset(5, 2, 2, "As for the prediction model.", ge=0)
    flat_share: float = _by_preset(0.05, 0.05, 0.05, "As for the prediction model (code).", ge=0)

"""Seurat-LT: label transfer, the target projected onto the source's principal components (Stuart et al. 2019)."""

from typing import Literal

import numpy as np
from pydantic import Field

from jindbench import predictions
from jindbench.names import LABEL, X_KIND
from jindbench.parameters import Parameters as BaseParameters

TITLE = "Seurat-LT"
PARENT = None
RANDOM = False
R_PACKAGES = ("Seurat",)


class Parameters(BaseParameters):
    n_genes: int = Field(2000, ge=10, description="Most variable genes (vst) of the source.")
    n_components: int = Field(30, ge=2, description="Principal components; fewer where there are fewer cells or genes.")
    k_filter: int | None = Field(
        200,
        ge=1,
        description="Neighbours within which an anchor must lie, at most the cells; null: all anchors are kept, as in "
        "the authors' published code.",
    )
    k_weight: int = Field(50, ge=1, description="Anchors that label one cell; at most those there are.")
    nn_method: Literal["annoy", "rann"] = Field(
        "annoy", description="Search for neighbours; the authors' published code has `rann`, which is exact."
    )
    threshold: float | None = Field(
        None, ge=0, le=1, description="Cells with a lower transfer score are rejected; null, as in the paper: none is."
    )


def run(source, target, parameters, *, seed, threads, model_dir, parent_dir):
    from jindbench.r import bridge

    classes, types = np.unique(source.obs[LABEL].to_numpy(dtype=str), return_inverse=True)
    scores = bridge.call(
        "seurat.R",
        "transfer_labels",
        R_PACKAGES,
        source=source.X,
        target=target.X,
        types=types + 1,
        n_types=len(classes),
        x_kind=source.uns[X_KIND],
        threads=threads,
        **parameters.model_dump(exclude={"threshold"}),
    )
    return predictions.from_probabilities(target.obs_names, classes, scores, threshold=parameters.threshold)

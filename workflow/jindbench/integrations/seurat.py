"""Seurat's integration: anchors between two batches in their canonical correlation space (Stuart et al. 2019)."""

from anndata import AnnData
from pydantic import Field

from jindbench.names import X_KIND
from jindbench.parameters import Parameters as BaseParameters

TITLE = "Seurat"
R_PACKAGES = ("Seurat",)


class Parameters(BaseParameters):
    n_genes: int = Field(2000, ge=10, description="Most variable genes (vst) of each batch, and anchor genes.")
    n_components: int = Field(30, ge=2, description="Canonical components; fewer where there are fewer cells.")
    k_filter: int = Field(200, ge=1, description="Neighbours within which an anchor must lie; at most the cells.")
    k_weight: int = Field(100, ge=1, description="Anchors that correct one cell; at most those there are.")


def integrate(source, target, parameters, *, seed, threads):
    from jindbench.r import bridge

    result = bridge.call(
        "seurat.R",
        "integrate",
        R_PACKAGES,
        source=source.X,
        target=target.X,
        x_kind=source.uns[X_KIND],
        threads=threads,
        **parameters.model_dump(),
    )
    var = source.var.iloc[result["genes"] - 1][[]]
    return (
        AnnData(result["source"], obs=source.obs.copy(), var=var.copy()),
        AnnData(result["target"], obs=target.obs.copy(), var=var.copy()),
    )

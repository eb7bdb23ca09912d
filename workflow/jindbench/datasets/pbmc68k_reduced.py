"""700 blood cells that come with scanpy: real cells without a download."""

from pathlib import Path

from anndata import AnnData

from jindbench.data.checks import to_contract
from jindbench.data.parameters import Origin
from jindbench.names import LABEL, LOG, SOURCE, X_KIND
from jindbench.parameters import Parameters as BaseParameters


class Parameters(BaseParameters):
    pass


def origins(parameters: Parameters) -> list[Origin]:
    return []


def batches(parameters: Parameters) -> list[str]:
    return ["all"]


def shape(parameters: Parameters) -> tuple[int, int]:
    return 700, 765


def load(parameters: Parameters, path: Path | None = None) -> AnnData:
    import scanpy as sc  # slow to import: not at the top, see `jindbench.datasets`

    # `X` there is centred and scaled; `raw` holds ln(1 + counts scaled per cell) of the same 765 genes.
    adata = sc.datasets.pbmc68k_reduced().raw.to_adata()
    adata.obs = adata.obs[["bulk_labels"]].rename(columns={"bulk_labels": LABEL})
    adata.uns = {X_KIND: LOG, SOURCE: "scanpy.datasets.pbmc68k_reduced, from Zheng et al. 2017 (10x Genomics PBMC 68k)"}
    return to_contract(adata, "pbmc68k_reduced")

"""Human-Hemato: Granja et al. 2019, healthy bone marrow and blood (Table 1 and the Human-Hemato task).

The authors' file is an R object, a SummarizedExperiment with the assay `counts`. It is read without R: code that an RDS
file can carry does not run.
"""

from pathlib import Path

from anndata import AnnData

from jindbench.data import rds
from jindbench.data.checks import Content, check_content, to_contract
from jindbench.data.parameters import DownloadedParameters as Parameters
from jindbench.data.parameters import Origin
from jindbench.names import COUNTS, LABEL, SOURCE, X_KIND

ORIGINS = [
    Origin(
        "https://jeffgranja.s3.amazonaws.com/MPAL-10x/Supplementary_Data/Healthy-Data/"
        "scRNA-Healthy-Hematopoiesis-191120.rds",
        "rds",
    ),
]
CITATION = "Granja et al. 2019, Nature Biotechnology 37:1458 (GSE139369)"
CONTENT = Content(cells=35582, genes=20287, types=26)
ASSAY, TYPE = "counts", "BioClassification"


def origins(parameters: Parameters) -> list[Origin]:
    return parameters.origins(ORIGINS)


def batches(parameters: Parameters) -> list[str]:
    return ["all"]


def load(parameters: Parameters, path: Path) -> AnnData:
    adata = rds.read_experiment(path, ASSAY, TYPE)
    adata.obs = adata.obs.rename(columns={TYPE: LABEL})
    adata.uns = {X_KIND: COUNTS, SOURCE: CITATION}
    adata = to_contract(adata, str(path), copy=False)
    check_content(adata, CONTENT, path, accept=parameters.accept_other_content)
    return adata

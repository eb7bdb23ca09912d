"""Human-Hemato: Granja et al. 2019, healthy bone marrow and blood (Table 1 and the Human-Hemato task).

The authors' file is an R object, a SummarizedExperiment with the assay `counts`; R reads it (see `jindbench.r.bridge`).
"""

from pathlib import Path

import pandas as pd
from anndata import AnnData

from jindbench.dataset_checks import Content, check_content, to_contract
from jindbench.downloads import Source
from jindbench.errors import InputError
from jindbench.names import COUNTS, LABEL, SOURCE, X_KIND
from jindbench.parameters import DownloadedParameters as Parameters

R_PACKAGES = ("SummarizedExperiment", "Matrix")
SOURCES = [
    Source(
        "https://jeffgranja.s3.amazonaws.com/MPAL-10x/Supplementary_Data/Healthy-Data/"
        "scRNA-Healthy-Hematopoiesis-191120.rds",
        "rds",
    ),
]
CITATION = "Granja et al. 2019, Nature Biotechnology 37:1458 (GSE139369)"
CONTENT = Content(cells=35582, genes=20287, types=26)
ASSAY, TYPE = "counts", "BioClassification"


def sources(parameters: Parameters) -> list[Source]:
    return parameters.sources(SOURCES)


def batches(parameters: Parameters) -> list[str]:
    return ["all"]


def load(parameters: Parameters, path: Path) -> AnnData:
    from jindbench.r import bridge  # starts R: not at the top, see `jindbench.datasets`

    try:
        parts = bridge.call(
            "summarized_experiment.R",
            "read_summarized_experiment",
            R_PACKAGES,
            path=str(path),
            assay=ASSAY,
            column=TYPE,
        )
    except bridge.RError as error:
        raise InputError(f"{path}: R says: {error}") from error
    adata = AnnData(
        parts["matrix"],
        obs=pd.DataFrame({LABEL: parts["column"]}, index=parts["cells"]),
        var=pd.DataFrame(index=parts["genes"]),
        uns={X_KIND: COUNTS, SOURCE: CITATION},
    )
    adata = to_contract(adata, str(path))
    check_content(adata, CONTENT, path, accept=parameters.accept_other_content)
    return adata

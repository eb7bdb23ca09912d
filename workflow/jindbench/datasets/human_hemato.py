"""Human-Hemato: Granja et al. 2019, healthy bone marrow and blood (Table 1 and the Human-Hemato task).

The authors' file is an R object, a SummarizedExperiment with the assay `counts`; R reads it (see `jindbench.r.bridge`).
An RDS file can carry code that R runs when it reads or first uses the content. It is therefore read only if the lock
file knows it, or the user trusts it.
"""

from pathlib import Path

import pandas as pd
from anndata import AnnData
from pydantic import Field

from jindbench import io
from jindbench.data import downloads
from jindbench.data.checks import Content, check_content, to_contract
from jindbench.data.parameters import DownloadedParameters, Origin
from jindbench.errors import InputError
from jindbench.names import COUNTS, LABEL, SOURCE, X_KIND

R_PACKAGES = ("SummarizedExperiment", "Matrix")
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


class Parameters(DownloadedParameters):
    trust_rds: bool = Field(
        False, description="Read the RDS file even if the lock file lacks its sha256; it can carry code that R runs."
    )


def origins(parameters: Parameters) -> list[Origin]:
    return parameters.origins(ORIGINS)


def batches(parameters: Parameters) -> list[str]:
    return ["all"]


def load(parameters: Parameters, path: Path) -> AnnData:
    if not parameters.trust_rds:
        _check_known(path)
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


def _check_known(path: Path) -> None:
    digest = io.sha256(path)
    if digest not in {entry["sha256"] for entry in downloads.read_lock(downloads.LOCK).values()}:
        raise InputError(
            f"{path}: not read: an RDS file can carry code that R's readRDS runs, and its sha256 {digest} is not in "
            f"config/{downloads.LOCK.name}. If you trust the file, set trust_rds: true on its dataset (`make lock` "
            "then adds the file, and the key can be removed), or add the file's line by hand"
        )

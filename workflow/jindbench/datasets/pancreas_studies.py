"""Pancreas, one study at a time with all its genes: not the paper's file, but the same cells.

They stand in for `pancreas` where BBKNN's file cannot be had; the paper's authors read these files in later code. Each
is an R object, a SingleCellExperiment, read without R. Muraro's assay is named `normcounts`, but holds CEL-Seq2's
counts, which are corrected and so not whole; its genes carry their chromosome, as in `A1BG__chr19`. Baron's have "."
for "-". Segerstolpe's cells that its authors excluded are there, labelled "not applicable"; tasks keep common types.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from anndata import AnnData
from pydantic import Field

from jindbench.data import rds
from jindbench.data.checks import Content, check_content, check_stated, to_contract
from jindbench.data.parameters import DownloadedParameters, Origin
from jindbench.names import COUNTS, LABEL, SOURCE, X_KIND

FOLDER = "https://scrnaseq-public-datasets.s3.amazonaws.com/scater-objects/"
TYPE = "cell_type1"


@dataclass(frozen=True)
class Study:
    """A study's file, the assay with its counts, what it must hold, and its paper."""

    file: str
    assay: str
    content: Content
    genes: int  # about as many
    citation: str


# Muraro's file was published with 19,140 genes; later those of a repeated name were removed, how many is not said.
STUDIES = {
    "baron": Study(
        "baron-human.rds", "counts", Content(8569, 20125, 14), 20125, "Baron et al. 2016, Cell Systems 3:346 (GSE84133)"
    ),
    "muraro": Study(
        "muraro.rds", "normcounts", Content(2126, None, 10), 19140, "Muraro et al. 2016, Cell Systems 3:385 (GSE85241)"
    ),
    "segerstolpe": Study(
        "segerstolpe.rds",
        "counts",
        Content(3514, 25525, 15),
        25525,
        "Segerstolpe et al. 2016, Cell Metabolism 24:593 (E-MTAB-5061)",
    ),
}


class Parameters(DownloadedParameters):
    study: Literal["baron", "muraro", "segerstolpe"] = Field(description="Whose cells.")


def origins(parameters: Parameters) -> list[Origin]:
    return parameters.origins([Origin(FOLDER + STUDIES[parameters.study].file, "rds")])


def batches(parameters: Parameters) -> list[str]:
    return ["all"]


def shape(parameters: Parameters) -> tuple[int, int]:
    study = STUDIES[parameters.study]
    return study.content.cells, study.genes


def load(parameters: Parameters, path: Path) -> AnnData:
    study = STUDIES[parameters.study]
    adata = rds.read_experiment(path, study.assay, TYPE)
    adata.obs = adata.obs.rename(columns={TYPE: LABEL})
    adata.var_names = adata.var_names.str.replace("__chr.*", "", regex=True)
    adata.uns = {X_KIND: COUNTS, SOURCE: study.citation}
    adata = to_contract(adata, str(path), fractional_counts=True, copy=False)
    check_stated(adata.X, COUNTS, str(path))
    check_content(adata, study.content, path, accept=parameters.accept_other_content)
    return adata

"""Pancreas: islet cells of three studies, as BBKNN's authors merged and annotated them (Table 1, the Pancreas tasks).

What X holds is found from its values; the notebook that made the file scales it: log1p, then scale. `raw` is the log1p
of counts that were not scaled to one library size.

The file holds a fourth study, Wang, which the paper leaves out: 14,058 of 14,693 cells and 22 of 24 types remain.
Labels that are not cell types ("not applicable", "unclassified endocrine", "co-expression") are among the 22; each
occurs in one study only, so the tasks drop it: they keep the common types.
"""

from pathlib import Path

from anndata import AnnData

from jindbench.data.archives import unzipped
from jindbench.data.checks import Content, check_content, check_keys, kind_of, to_contract
from jindbench.data.parameters import DownloadedH5adParameters as Parameters
from jindbench.data.parameters import Origin
from jindbench.errors import InputError
from jindbench.io import read_matrix_and_obs
from jindbench.names import BATCH, LABEL, SOURCE, X_KIND

MEMBER = "pancreas.h5ad"
ORIGINS = [
    Origin("https://www.dropbox.com/s/qj1jlm9w10wmt0u/pancreas.h5ad?dl=1", "h5ad"),
    Origin("ftp://ngs.sanger.ac.uk/production/teichmann/BBKNN/objects-pancreas.zip", "zip"),
]
CITATION = (
    "Polanski et al. 2020, Bioinformatics 36:964 (BBKNN); cells: Baron et al. 2016 (GSE84133), Muraro et al. 2016 "
    "(GSE85241), Segerstolpe et al. 2016 (E-MTAB-5061)"
)
STUDIES = {"baron": "Bar16", "muraro": "Mur16", "segerstolpe": "Seg16"}
LEFT_OUT = "wang"
CONTENT = Content(cells=14058, genes=2448, types=22, batches={"Bar16": None, "Mur16": None, "Seg16": None})


def origins(parameters: Parameters) -> list[Origin]:
    return parameters.origins(ORIGINS)


def batches(parameters: Parameters) -> list[str]:
    return list(CONTENT.batches)


def load(parameters: Parameters, path: Path) -> AnnData:
    with unzipped(path, MEMBER) as h5ad:
        adata = read_matrix_and_obs(h5ad, use_raw=parameters.use_raw)
    check_keys(adata.obs, str(path), "celltype", "sample")
    study = adata.obs["sample"].astype(str).str.lower()
    if unknown := sorted(set(study) - {*STUDIES, LEFT_OUT}):
        raise InputError(f"{path}: obs 'sample' holds '{unknown[0]}'; expected {', '.join([*STUDIES, LEFT_OUT])}")
    adata.obs = adata.obs[["celltype"]].rename(columns={"celltype": LABEL}).assign(**{BATCH: study.replace(STUDIES)})
    adata = adata[(study != LEFT_OUT).to_numpy()].copy()
    adata.uns = {X_KIND: parameters.x_kind or kind_of(adata.X, str(path)), SOURCE: CITATION}
    adata = to_contract(adata, str(path))
    check_content(adata, CONTENT, path, accept=parameters.accept_other_content)
    return adata

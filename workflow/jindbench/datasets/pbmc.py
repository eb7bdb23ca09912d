"""PBMC: two 10x runs, 3' and 5', as BBKNN's authors merged and annotated them (Table 1 and the PBMC tasks).

What X holds is found from its values. Scaled is likely: the file's length (84 MB) fits 15,476 x 1,199 dense numbers of
four bytes and the graph, and expression is dense only if it was scaled.

The paper calls the batches "10x_v3" and "10x_v5"; they are the 3' v2 chemistry and the 5' kit. In the file they are 0
and 1, which the numbers of cells confirm (8098 and 7378, paper: 'Data').
"""

from pathlib import Path

from anndata import AnnData

from jindbench.data.checks import Content, check_content, check_keys, kind_of, to_contract
from jindbench.data.parameters import DownloadedH5adParameters as Parameters
from jindbench.data.parameters import Origin
from jindbench.io import read_matrix_and_obs
from jindbench.names import BATCH, LABEL, SOURCE, X_KIND

# The git id of this file in the repository of the paper's authors: it verifies the file, whichever address it is from.
BLOB = "git-blob:53f92f6e1a964be3a66bf0f962b94315d850f2b0"
ORIGINS = [
    Origin(address, "h5ad", bytes=84_227_519, checksum=BLOB)
    for address in (
        "ftp://ngs.sanger.ac.uk/production/teichmann/BBKNN/PBMC.merged.h5ad",
        "https://github.com/mohit1997/JIND/raw/61e2616/data/PBMC.merged.h5ad",
    )
]
CITATION = "Polanski et al. 2020, Bioinformatics 36:964 (BBKNN); cells: 10x Genomics pbmc8k and vdj_v1_hs_pbmc_5gex"
BATCHES = {"0": "10x_v3", "1": "10x_v5"}
CONTENT = Content(cells=15476, genes=1199, types=9, batches={"10x_v3": 8098, "10x_v5": 7378})


def origins(parameters: Parameters) -> list[Origin]:
    return parameters.origins(ORIGINS)


def batches(parameters: Parameters) -> list[str]:
    return list(CONTENT.batches)


def load(parameters: Parameters, path: Path) -> AnnData:
    adata = read_matrix_and_obs(path, use_raw=parameters.use_raw)
    check_keys(adata.obs, str(path), "Cell type", "batch")
    adata.obs = adata.obs[["Cell type", "batch"]].rename(columns={"Cell type": LABEL, "batch": BATCH})
    adata.obs[BATCH] = adata.obs[BATCH].astype(str).replace(BATCHES)
    adata.uns = {X_KIND: parameters.x_kind or kind_of(adata.X, str(path)), SOURCE: CITATION}
    adata = to_contract(adata, str(path))
    check_content(adata, CONTENT, path, accept=parameters.accept_other_content)
    return adata

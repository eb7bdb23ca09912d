"""Pancreas, from a benchmark of integration (Luecken et al. 2022): not the paper's file, but the same three studies.

It stands in for `pancreas` where BBKNN's file cannot be had. It has 19,093 genes, not 2,448, its publishers' own names
of types, and other cells of Muraro and Segerstolpe. Of its nine technologies, those of the three studies are taken.
Counts are in a layer, and those of CEL-Seq2 not whole; X, which was normalised, is not read.
"""

from pathlib import Path

import pandas as pd
from anndata import AnnData

from jindbench import io
from jindbench.data.checks import Content, check_content, check_keys, check_stated, to_contract
from jindbench.data.parameters import DownloadedParameters as Parameters
from jindbench.data.parameters import Origin
from jindbench.errors import InputError
from jindbench.names import BATCH, COUNTS, LABEL, SOURCE, X_KIND

ORIGINS = [
    Origin(
        "https://ndownloader.figshare.com/files/24539828",
        "h5ad",
        note="human_pancreas_norm_complexBatch.h5ad of doi 10.6084/m9.figshare.12420968",
    )
]
CITATION = (
    "Luecken et al. 2022, Nature Methods 19:41 (doi 10.6084/m9.figshare.12420968); cells: Baron et al. 2016 "
    "(GSE84133), Muraro et al. 2016 (GSE85241), Segerstolpe et al. 2016 (E-MTAB-5061)"
)
LAYER, TECHNOLOGY, TYPE = "counts", "tech", "celltype"
BARON, MURARO, SEGERSTOLPE = "Bar16", "Mur16", "Seg16"
STUDIES = {f"inDrop{donor}": BARON for donor in range(1, 5)} | {"celseq2": MURARO, "smartseq2": SEGERSTOLPE}
LEFT_OUT = ["celseq", "fluidigmc1", "smarter"]
CONTENT = Content(cells=13248, genes=19093, types=14, batches={BARON: 8569, MURARO: 2285, SEGERSTOLPE: 2394})


def origins(parameters: Parameters) -> list[Origin]:
    return parameters.origins(ORIGINS)


def batches(parameters: Parameters) -> list[str]:
    return list(CONTENT.batches)


def load(parameters: Parameters, path: Path) -> AnnData:
    backed = io.read_h5ad(path, backed=True)
    try:
        check_keys(backed.obs, str(path), TYPE, TECHNOLOGY)
        if LAYER not in backed.layers:
            raise InputError(f"{path}: no layer '{LAYER}' (there are: {', '.join(backed.layers) or 'none'})")
        technology = backed.obs[TECHNOLOGY].astype(str)
        if unknown := sorted({*technology} - {*STUDIES, *LEFT_OUT}):
            expected = ", ".join([*STUDIES, *LEFT_OUT])
            raise InputError(f"{path}: obs '{TECHNOLOGY}' holds '{unknown[0]}'; expected {expected}")
        taken = technology.isin(list(STUDIES)).to_numpy()
        obs = backed.obs.loc[taken, [TYPE]].rename(columns={TYPE: LABEL})
        obs[BATCH] = technology[taken].replace(STUDIES)
        adata = AnnData(backed.layers[LAYER][taken], obs=obs, var=pd.DataFrame(index=backed.var_names))
    finally:
        backed.file.close()
    adata.uns = {X_KIND: COUNTS, SOURCE: CITATION}
    adata = to_contract(adata, str(path), fractional_counts=True, copy=False)
    check_stated(adata.X, COUNTS, str(path))
    check_content(adata, CONTENT, path, accept=parameters.accept_other_content)
    return adata

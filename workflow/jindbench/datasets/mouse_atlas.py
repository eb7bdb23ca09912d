"""Mouse Atlas: 267,690 cells of several studies, as BBKNN's authors merged them (Table 1, the Mouse Atlas task).

The paper does not say which column of `obs` holds its 13 cell types. Unless the configuration names it, it is the one
column with 13 values whose name speaks of types; a file with none or several is refused with what its columns hold.
"""

from pathlib import Path
from typing import Literal

import pandas as pd
from anndata import AnnData
from pydantic import Field

from jindbench.data.archives import unzipped
from jindbench.data.checks import Content, check_content, check_keys, to_contract
from jindbench.data.parameters import DownloadedH5adParameters, Origin
from jindbench.errors import InputError
from jindbench.io import read_matrix_and_obs
from jindbench.names import LABEL, SOURCE, X_KIND

MEMBER = "MouseAtlas.total.h5ad"  # beside a `.subset.` in the archive
ORIGINS = [Origin("ftp://ngs.sanger.ac.uk/production/teichmann/BBKNN/MouseAtlas.zip", "zip")]
CITATION = "Polanski et al. 2020, Bioinformatics 36:964 (BBKNN), Mouse Atlas"
CONTENT = Content(cells=267690, genes=2797, types=13)


class Parameters(DownloadedH5adParameters):
    x_kind: Literal["counts", "normalized", "log", "scaled"] = Field(
        "log", description="What `X` holds; a file whose values cannot be that is refused."
    )
    label_key: str | None = Field(
        None,
        description="Column of `obs` with the cell types; null: the one with 13 values named like types.",
    )


def origins(parameters: Parameters) -> list[Origin]:
    return parameters.origins(ORIGINS)


def batches(parameters: Parameters) -> list[str]:
    return ["all"]


def load(parameters: Parameters, path: Path) -> AnnData:
    with unzipped(path, MEMBER) as h5ad:
        adata = read_matrix_and_obs(h5ad, use_raw=parameters.use_raw)
    label_key = parameters.label_key or column_of_types(adata.obs, CONTENT.types, str(path))
    check_keys(adata, str(path), label_key, None)
    adata.obs = adata.obs[[label_key]].rename(columns={label_key: LABEL})
    adata.uns = {X_KIND: parameters.x_kind, SOURCE: CITATION}
    adata = to_contract(adata, str(path))
    check_content(adata, CONTENT, path, accept=parameters.accept_other_content)
    return adata


def column_of_types(obs: pd.DataFrame, n_types: int, where: str) -> str:
    """The only text column with `n_types` values and a name like "Cell types" or "Annotation".

    Raises
    ------
    InputError
        If there is none, or more than one.
    """
    n_values = obs.select_dtypes(["category", "object", "string"]).nunique()
    found = n_values.index[(n_values == n_types) & n_values.index.str.contains("type|annot", case=False)]
    if len(found) != 1:
        columns = ", ".join(f"{name} ({n})" for name, n in n_values.items()) or "none"
        raise InputError(
            f"{where}: {len(found)} columns of obs have {n_types} values and a name like 'Cell type'; "
            f"set label_key (text columns and their numbers of values: {columns})"
        )
    return found[0]

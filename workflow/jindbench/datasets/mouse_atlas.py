"""Mouse Atlas: 267,690 cells of several studies, as BBKNN's authors merged them (Table 1, the Mouse Atlas task).

The paper does not say which column of `obs` holds its 13 cell types. Public code shows `Cell types` and `cell types`,
with 14 values in a smaller file of the same authors, and `Organ groups` with 13. Unless the configuration names a
column, it is the one named like types that has 13 types; if none has, the loader stops and shows what the columns hold.

What X holds is found from its values. Scaled is likely: others give it to a neural network as it is, so it is dense.
"""

from pathlib import Path

import pandas as pd
from anndata import AnnData
from pydantic import Field

from jindbench.data.archives import unzipped
from jindbench.data.checks import Content, check_content, check_keys, kind_of, to_contract
from jindbench.data.parameters import DownloadedH5adParameters, Origin
from jindbench.errors import InputError
from jindbench.io import read_matrix_and_obs
from jindbench.names import LABEL, SOURCE, X_KIND

MEMBER = "MouseAtlas.total.h5ad"  # beside a `.subset.` in the archive
ORIGINS = [Origin("ftp://ngs.sanger.ac.uk/production/teichmann/BBKNN/MouseAtlas.zip", "zip")]
CITATION = "Polanski et al. 2020, Bioinformatics 36:964 (BBKNN), Mouse Atlas"
CONTENT = Content(cells=267690, genes=2797, types=13, filled=1.0)


class Parameters(DownloadedH5adParameters):
    label_key: str | None = Field(
        None, description="Column of `obs` with the cell types; null: the one named like types that has 13."
    )


def origins(parameters: Parameters) -> list[Origin]:
    return parameters.origins(ORIGINS)


def batches(parameters: Parameters) -> list[str]:
    return ["all"]


def load(parameters: Parameters, path: Path) -> AnnData:
    with unzipped(path, MEMBER) as h5ad:
        adata = read_matrix_and_obs(h5ad, use_raw=parameters.use_raw)
    label_key = parameters.label_key or column_of_types(adata.obs, CONTENT.types, str(path))
    check_keys(adata.obs, str(path), label_key, None)
    adata.obs = adata.obs[[label_key]].rename(columns={label_key: LABEL})
    adata.uns = {X_KIND: parameters.x_kind or kind_of(adata.X, str(path)), SOURCE: CITATION}
    adata = to_contract(adata, str(path), copy=False)  # it may be 6 GB
    check_content(adata, CONTENT, path, accept=parameters.accept_other_content)
    return adata


def column_of_types(obs: pd.DataFrame, n_types: int, where: str) -> str:
    """The text column named like types, not organs, in which cells have `n_types` types.

    Columns that group the cells alike, such as `cell types` and `Cell types`, count as one: the first is taken.

    Raises
    ------
    InputError
        If there is none, or there are several that group the cells differently.
    """
    text = obs.select_dtypes(["category", "object", "string"])
    n_values = text.nunique()  # a category without cells does not count
    is_named = n_values.index.str.contains("type|annot", case=False)
    is_organ = n_values.index.str.contains("organ|tissue", case=False)
    found = n_values.index[is_named & ~is_organ & (n_values == n_types)]
    if len(found) and len(text[found].drop_duplicates()) == n_types:
        return found[0]
    columns = []
    for name, n in n_values.items():
        rarest = text[name].value_counts().loc[lambda cells: cells > 0].tail(3)
        columns.append(f"{name!r} has {n}, the rarest " + ", ".join(f"{value!r} ({m})" for value, m in rarest.items()))
    raise InputError(
        f"{where}: {'no column' if found.empty else 'more than one column'} of obs named like cell types has {n_types} "
        "types; set label_key. Organs are not cell types, even where there are as many. If a column has one type more "
        f"than {n_types}, look for one that the paper lost by a filter: one with few cells, or without a name. "
        f"Text columns and their numbers of values: {'; '.join(columns) or 'none'}"
    )

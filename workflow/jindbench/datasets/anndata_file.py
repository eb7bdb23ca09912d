"""Any AnnData file, on this machine or at an address: a user's own data."""

from pathlib import Path
from typing import Literal

import pandas as pd
from anndata import AnnData
from pydantic import Field, model_validator

from jindbench import io
from jindbench.data.checks import check_keys, check_stated, has_type, to_contract
from jindbench.data.genes import gene_names
from jindbench.data.parameters import CountParameters, Origin
from jindbench.data.remedies import hint
from jindbench.errors import InputError
from jindbench.names import BATCH, LABEL, SOURCE, X_KIND
from jindbench.parameters import UserPath


class Parameters(CountParameters):
    path: UserPath = Field(
        description="The .h5ad file, relative to the folder Snakemake runs in, or its http, https or ftp address."
    )
    label_key: str = Field(description="Column of `obs` with the cell types.")
    batch_key: str | None = Field(None, description="Column of `obs` with the batches, if there are several.")
    keep_labels: list[str] = Field(
        [], description="Labels to keep as cell types although they look like missing values, such as `unknown`."
    )
    x_kind: Literal["counts", "normalized", "log", "scaled", "integrated"] = Field(description="What `X` holds.")
    fractional_counts: bool = Field(
        False, description="Accept counts that are not integers, such as CEL-seq's corrected UMIs."
    )
    origin: str | None = Field(None, description="Where the file comes from; shown where the file is missing.")

    @model_validator(mode="after")
    def _log_and_scaled_are_final(self):
        if self.normalize and self.x_kind not in ("counts", "normalized"):
            raise ValueError(f"normalize: true needs counts or normalized values, x_kind is '{self.x_kind}'")
        return self


def origins(parameters: Parameters) -> list[Origin]:
    return [Origin(parameters.path, "h5ad")]


def batches(parameters: Parameters) -> list[str] | None:
    if not origins(parameters)[0].is_local:
        return None
    try:
        adata = io.read_cells(parameters.path, with_X=False)
    except InputError as error:
        origin = f" (to be had from: {parameters.origin})" if parameters.origin else ""
        raise InputError(f"{error}{hint(parameters.path)}{origin}") from None
    check_keys(adata.obs, parameters.path, parameters.label_key, parameters.batch_key)
    labelled = has_type(adata.obs[parameters.label_key], f"{parameters.path}: label", parameters.keep_labels)
    if parameters.batch_key is None:
        return ["all"]
    return sorted(adata.obs.loc[labelled, parameters.batch_key].dropna().astype(str).unique())


def shape(parameters: Parameters) -> tuple[int, int, int] | None:
    return io.shape(parameters.path) if Path(parameters.path).is_file() else None


def load(parameters: Parameters, path: Path | None) -> AnnData:
    adata = io.read_cells(path)
    check_keys(adata.obs, parameters.path, parameters.label_key, parameters.batch_key)
    columns = {parameters.label_key: LABEL} | ({parameters.batch_key: BATCH} if parameters.batch_key else {})
    var = pd.DataFrame(index=gene_names(adata.var, parameters.path))
    loaded = AnnData(adata.X, obs=adata.obs[list(columns)].rename(columns=columns), var=var)
    loaded.uns = {X_KIND: parameters.x_kind, SOURCE: parameters.origin or parameters.path}
    options = {"fractional_counts": parameters.fractional_counts, "keep_labels": parameters.keep_labels}
    made = to_contract(loaded, parameters.path, **options, copy=False)
    check_stated(made.X, parameters.x_kind, parameters.path)
    return made

"""Base classes of the parameters that a dataset or method file declares.

A component's `Parameters` class is at once its default values, the check of what the configuration says, and the
text that documents each key.
"""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from jindbench.downloads import Source

# Names of datasets, tasks, methods and runs become parts of paths.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


def _without_tags(title: str) -> str:
    """Snakemake's report holds titles as they are, in a script that a tag in one of them would end."""
    if re.search("<[a-z/!]", title, flags=re.IGNORECASE):
        raise ValueError("expected a title without HTML tags")
    return title


Title = Annotated[str, AfterValidator(_without_tags)]


class Parameters(BaseModel):
    """Parameters of one dataset or method: immutable, strictly typed, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class CountParameters(Parameters):
    """What every dataset of counts has."""

    normalize: bool = Field(
        False, description="Scale each cell to 10,000 counts in total. The log belongs to the method."
    )


class DownloadedParameters(CountParameters):
    """What every dataset has that is downloaded from a public address."""

    address: str | None = Field(
        None, description="Where the file is taken from instead: an http, https or ftp address, or a path."
    )
    accept_other_content: bool = Field(
        False, description="Go on where cells, genes, types or batches are not those of the paper's Table 1."
    )

    def sources(self, own: list[Source]) -> list[Source]:
        """Where the file may come from, in this order: the configured address alone, or the dataset's `own`."""
        if self.address is None:
            return own
        suffix = urlsplit(self.address).path.rpartition(".")[2]
        return [Source(self.address, suffix if suffix in ("h5ad", "zip") else own[0].format)]


class DownloadedH5adParameters(DownloadedParameters):
    """What every dataset has that is downloaded as AnnData, its X processed by those who published it."""

    x_kind: Literal["counts", "normalized", "log", "scaled"] = Field(
        "scaled", description="What `X` holds; a file whose values cannot be that is refused."
    )
    use_raw: bool = Field(False, description="Read `raw.X`, for the genes of `X`, instead of `X`.")

    @model_validator(mode="after")
    def _log_and_scaled_are_final(self):
        if self.normalize and self.x_kind in ("log", "scaled"):
            raise ValueError(f"normalize: true needs counts or normalized values, x_kind is '{self.x_kind}'")
        return self

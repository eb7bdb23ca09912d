"""Base classes of the parameters of datasets, and the places that a dataset's file can come from."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, model_validator

from jindbench.errors import InputError
from jindbench.parameters import Parameters, UserPath


@dataclass(frozen=True)
class Origin:
    """One place that a file can come from.

    Parameters
    ----------
    address
        An http, https or ftp address, or a path on this machine.
    format
        What the file is, checked by its first bytes.
    bytes, checksum
        Its length and checksum, where the publisher states them. A checksum is its kind, a colon and hexadecimal
        digits; the kinds are "sha256", "md5" and "git-blob", the id that git gives to a file's content.
    note
        A remark for the person who has to fetch the file by hand; shown where this address failed.
    """

    address: str
    format: Literal["h5ad", "zip", "rds", "text"]
    bytes: int | None = None
    checksum: str | None = None
    note: str = ""

    def __str__(self) -> str:
        return f"{self.address} ({self.note})" if self.note else self.address

    @property
    def is_local(self) -> bool:
        return "://" not in self.address

    @property
    def file_name(self) -> str:
        """The name that a download gets in the downloads folder and in the lock file.

        Raises
        ------
        InputError
            If the address ends in no name, or in one that could lead out of the folder or hide in it.
        """
        name = unquote(urlsplit(self.address).path.rpartition("/")[2])
        if not name or name.startswith(".") or re.search(r"[/\\]", name) or not name.isprintable():
            raise InputError(
                f"{self.address}: must end in a file name without a leading dot, '/' or '\\', not {name!r}"
            )
        return name

    def check(self) -> None:
        """Check what can be checked without a download.

        Raises
        ------
        InputError
            If there is no such file on this machine or its path has one of <>{}, or if the address has another scheme
            or no file name.
        """
        if self.is_local:
            if re.search("[<>{}]", self.address):
                raise InputError(f"{self.address}: a path must have none of <>{{}}, which Snakemake reads as wildcards")
            if not Path(self.address).is_file():
                raise InputError(f"{self.address}: no such file")
        elif urlsplit(self.address).scheme.lower() not in ("http", "https", "ftp"):
            raise InputError(f"{self.address}: expected an http, https or ftp address, or a path")
        else:
            _ = self.file_name


class CountParameters(Parameters):
    """Parameters of every dataset of counts."""

    normalize: bool = Field(
        False, description="Scale each cell to 10,000 counts in total. The log belongs to the method."
    )


class DownloadedParameters(CountParameters):
    """Parameters of every dataset that is downloaded from a public address."""

    address: UserPath | None = Field(
        None, description="Where the file comes from instead: an http, https or ftp address, or a path."
    )
    accept_other_content: bool = Field(
        False, description="Accept other numbers of cells, genes, types or batches than were published."
    )

    def origins(self, own: list[Origin]) -> list[Origin]:
        """The configured address alone, if there is one; otherwise the dataset's `own`, in their order."""
        if self.address is None:
            return own
        suffix = urlsplit(self.address).path.rpartition(".")[2]
        return [Origin(self.address, suffix if suffix in ("h5ad", "zip") else own[0].format)]


class DownloadedH5adParameters(DownloadedParameters):
    """Parameters of every dataset that is downloaded as AnnData with an X that its publishers processed."""

    x_kind: Literal["counts", "normalized", "log", "scaled"] | None = Field(
        None, description="What `X` holds; null: what its values can be, if that is one thing."
    )
    use_raw: bool = Field(False, description="Read `raw.X` for the genes of `X`, instead of `X`.")

    @model_validator(mode="after")
    def _log_and_scaled_are_final(self):
        if self.normalize and self.x_kind in ("log", "scaled"):
            raise ValueError(f"normalize: true needs counts or normalized values, x_kind is '{self.x_kind}'")
        return self

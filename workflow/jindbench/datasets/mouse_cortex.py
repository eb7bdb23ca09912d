"""Mouse Cortex: Zeisel et al. 2015, from the text file of its authors (Table 1 and the Mouse Cortex task).

The file is tab-separated. Its first rows describe the cells, one property per row, named in the second column. Then
each row is a gene: its name, the number of a gene group, and the molecules counted in each cell. GEO (GSE60361) is not
a mirror: it has the same counts without the cell types.
"""

import gzip
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from jindbench.data.checks import Content, check_content, to_contract
from jindbench.data.parameters import DownloadedParameters as Parameters
from jindbench.data.parameters import Origin
from jindbench.errors import InputError
from jindbench.names import COUNTS, LABEL, SOURCE, X_KIND

ORIGINS = [
    Origin(
        "https://storage.googleapis.com/linnarsson-lab-www-blobs/blobs/cortex/expression_mRNA_17-Aug-2014.txt",
        "text",
        checksum="md5:6bb4c2a9ade87b16909d39004021849e",
        note="its md5 was recorded by a third party; to skip that check, set `address` to this address",
    ),
]
CITATION = "Zeisel et al. 2015, Science 347:1138 (GSE60361)"
CONTENT = Content(cells=3005, genes=19972, types=7)
CELL_ID, TYPE = "cell_id", "level1class"
LEADING = 2  # columns before the first cell
GENES_AT_A_TIME = 1000


def origins(parameters: Parameters) -> list[Origin]:
    return parameters.origins(ORIGINS)


def batches(parameters: Parameters) -> list[str]:
    return ["all"]


def load(parameters: Parameters, path: Path) -> AnnData:
    try:
        properties, n_header = read_header(path)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(f"{path}: not a readable text file: {error}") from error
    if missing := [name for name in (CELL_ID, TYPE) if name not in properties]:
        there = ", ".join(properties) or "none"
        raise InputError(f"{path}: no header row '{missing[0]}' (there are: {there}); GEO's files lack the cell types")
    cells = properties[CELL_ID]
    genes, blocks = [], []
    try:
        tables = pd.read_csv(
            path,
            sep="	",
            header=None,
            skiprows=n_header,
            chunksize=GENES_AT_A_TIME,
            dtype=str,
            compression=compression(path),
        )
        for rows in tables:
            if rows.shape[1] != LEADING + len(cells) or rows.iloc[:, LEADING:].isna().to_numpy().any():
                raise InputError(f"{path}: a gene's row does not have {len(cells)} counts; is the file cut off?")
            genes += rows[0].tolist()
            blocks.append(sparse.csr_matrix(rows.iloc[:, LEADING:].to_numpy().astype(np.float32)))
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(f"{path}: the table of counts cannot be read: {error}".replace("\n", " ")) from error
    adata = AnnData(
        sparse.vstack(blocks).T.tocsr(),
        obs=pd.DataFrame({LABEL: properties[TYPE]}, index=cells),
        var=pd.DataFrame(index=genes),
        uns={X_KIND: COUNTS, SOURCE: CITATION},
    )
    adata = to_contract(adata, str(path))
    check_content(adata, CONTENT, path, accept=parameters.accept_other_content)
    return adata


def read_header(path: Path) -> tuple[dict[str, list[str]], int]:
    """Return the cells' properties by name, and the number of rows that hold them.

    A gene's row has its name in the first column, which is empty in these rows.
    """
    opened = gzip.open if compression(path) else open
    properties, n_rows = {}, 0
    with opened(path, "rt", encoding="utf-8") as file:
        for line in file:
            first, *fields = line.rstrip("\r\n").split("\t")
            if first.strip():
                break
            n_rows += 1
            if fields and fields[0].strip():
                properties[fields[0].strip()] = fields[1:]
        else:
            raise InputError(f"{path}: no row of a gene, which begins with its name")
    lengths = {name: len(values) for name, values in properties.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"{path}: header rows of different lengths: {lengths}")
    return properties, n_rows


def compression(path: Path) -> str | None:
    """Return "gzip" if the file's first bytes say so, whatever its name."""
    with open(path, "rb") as file:
        return "gzip" if file.read(2) == b"\x1f\x8b" else None

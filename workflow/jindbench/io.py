"""Files: written under a temporary name and renamed, so that nothing half-written is ever found."""

import gzip
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from jindbench.errors import DataNotAvailable, InputError
from jindbench.names import BATCH, CELL_ID, LABEL

# anndata, h5py and scipy are imported where they are used: most jobs read tables only, and these take longer to import
# than many of those jobs to do their work.
if TYPE_CHECKING:
    from anndata import AnnData
    from h5py import Dataset
    from matplotlib.figure import Figure
    from scipy import sparse

DENSE_ROWS = 10_000  # cells of a dense matrix that are read at one time
NOT_AVAILABLE = f"{DataNotAvailable.status}: "  # begins what stands in the place of cells that could not be had
PART_PATTERN = ".*.[0-9]*.part"  # names of files that are being written


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, remove it on error.

    The file gets the mode of any new file, whoever wrote it: safetensors writes files that only their owner may read.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.touch()
        mode = temporary.stat().st_mode
        temporary.unlink()
        yield temporary
        if not temporary.is_symlink():  # the file behind a link is not ours
            temporary.chmod(mode)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def sha256(path: str | Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_h5ad(path: str | Path, *, backed: bool = False) -> "AnnData":
    """Read an AnnData file; `backed` leaves X on disk.

    Raises
    ------
    InputError
        If the file is missing or is no AnnData file.
    DataNotAvailable
        If it stands for cells that could not be had, see `write_not_available`.
    """
    import anndata as ad

    with _readable(path):
        return ad.read_h5ad(path, backed="r" if backed else None)


def read_cells(path: str | Path, *, with_X: bool = True) -> "AnnData":
    """Read `obs`, `var` and X of an AnnData file: layers, raw, embeddings and graphs of a user's file stay on disk.

    Raises
    ------
    InputError, DataNotAvailable
        As `read_h5ad`.
    """
    import anndata as ad
    import h5py

    with _readable(path), h5py.File(path) as file:
        if not isinstance(file["obs"], h5py.Group):  # written by an anndata before 0.7
            return ad.read_h5ad(path)
        parts = ["obs", "var", *(["X"] if with_X and "X" in file else [])]
        return ad.AnnData(**{part: ad.io.read_elem(file[part]) for part in parts})


@contextmanager
def _readable(path: str | Path) -> Iterator[None]:
    """What is wrong with an AnnData file that is read, as one line."""
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    if reason := not_available(path):
        raise DataNotAvailable(reason)
    try:
        yield
    except Exception as error:  # h5py and anndata raise many kinds, all of which mean the same to the user
        said = " ".join(f"{error} {'; '.join(getattr(error, '__notes__', []))}".split())  # a note names the column
        raise InputError(f"{path}: not a readable AnnData (.h5ad) file: {said}") from error


def write_not_available(reason: str, *paths: str | Path) -> None:
    """Write files that stand for cells that could not be had: one line of text, with the reason."""
    for path in paths:
        write_text(f"{NOT_AVAILABLE}{' '.join(reason.split())}\n", path)


def not_available(path: str | Path) -> str | None:
    """The reason in a file that `write_not_available` wrote; None of any other."""
    with open(path, "rb") as file:
        if file.read(len(NOT_AVAILABLE)) != NOT_AVAILABLE.encode():
            return None
        return file.read().decode("utf-8").strip()


def shape(path: str | Path) -> tuple[int, int, int] | None:
    """Cells, genes and stored values of an AnnData file, from its header; None where it cannot be read as one."""
    import h5py

    try:
        with h5py.File(path) as file:
            X = file["X"]
            sparse = isinstance(X, h5py.Group)
            cells, genes = (int(n) for n in (X.attrs["shape"] if sparse else X.shape))
            return cells, genes, len(X["data"]) if sparse else cells * genes
    except (OSError, KeyError):
        return None


def read_matrix_and_obs(path: str | Path, *, use_raw: bool = False) -> "AnnData":
    """Read X (sparse), `obs` and names of genes, also of files that an anndata before 0.7 wrote.

    A dense X is read in blocks: it takes the memory of the sparse matrix and one block.

    `use_raw` takes the genes of X from `raw.X` instead.

    Raises
    ------
    InputError
        As `read_h5ad`; if there is no `raw`, or it lacks genes of X.
    """
    from anndata import AnnData
    from scipy import sparse

    backed = read_h5ad(path, backed=True)
    try:
        stored = backed.X
        if use_raw:
            if backed.raw is None:
                raise InputError(f"{path}: use_raw is set, but the file has no raw")
            genes = backed.raw.var_names.get_indexer(backed.var_names)
            if (genes < 0).any():
                lacking = backed.var_names[genes < 0]
                raise InputError(f"{path}: raw lacks {len(lacking)} genes of X, such as {lacking[0]}")
            stored = backed.raw.X
        X = sparse.csr_matrix(stored.to_memory()) if hasattr(stored, "to_memory") else _sparse_of_dense(stored)
        return AnnData(X[:, genes] if use_raw else X, obs=backed.obs.copy(), var=pd.DataFrame(index=backed.var_names))
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: X cannot be read: {error}".replace("\n", " ")) from error
    finally:
        backed.file.close()


def _sparse_of_dense(stored: "Dataset") -> "sparse.csr_matrix":
    """CSR float32 of a dense matrix on disk. It is read twice, so that nothing is ever put together from parts."""
    import numpy as np
    from scipy import sparse

    blocks = [slice(row, row + DENSE_ROWS) for row in range(0, stored.shape[0], DENSE_ROWS)]
    in_row = np.concatenate([[0], *(np.count_nonzero(stored[block], axis=1) for block in blocks)])
    indptr = np.cumsum(in_row)
    index = sparse.get_index_dtype(maxval=max(indptr[-1], stored.shape[1]))
    data, indices = np.empty(indptr[-1], np.float32), np.empty(indptr[-1], index)
    for block in blocks:
        part = sparse.csr_matrix(stored[block])
        place = slice(indptr[block.start], indptr[block.start] + part.nnz)
        with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, which the checks refuse
            data[place] = part.data
        indices[place] = part.indices
    return sparse.csr_matrix((data, indices, indptr.astype(index)), shape=stored.shape)


def write_h5ad(adata: "AnnData", path: str | Path) -> None:
    """Write an AnnData file, compressed. Repeated text becomes categories: anndata would print a line for each."""
    for table in (adata.obs, adata.var):
        for column in table.select_dtypes("object"):
            if table[column].nunique() < len(table):
                table[column] = table[column].astype("category")
    with replacing(path) as temporary:
        adata.write_h5ad(temporary, compression="gzip", compression_opts=1)


def read_target(path: str | Path) -> "AnnData":
    """Read a task's target, and hold that it carries nothing but expression: no label, no batch."""
    target = read_h5ad(path)
    if leaked := {LABEL, BATCH} & set(target.obs.columns):
        raise InputError(f"{path}: a target must hold no {' or '.join(sorted(leaked))} column")
    return target


def write_solution(cell_ids: pd.Index, labels: pd.Series, path: str | Path) -> None:
    """Write the target's true labels, which only scoring reads."""
    write_table(pd.DataFrame({CELL_ID: cell_ids, LABEL: labels.to_numpy(dtype=str)}), path)


def read_solution(path: str | Path) -> pd.Series:
    """Read the target's true labels: a series of labels indexed by cell_id."""
    return read_table(path, text=[CELL_ID, LABEL]).set_index(CELL_ID)[LABEL]


def read_source_labels(path: str | Path) -> pd.Series:
    """Labels of a task's source by cell_id, none where its cells could not be had; expression stays on disk."""
    try:
        source = read_h5ad(path, backed=True)
    except DataNotAvailable:
        return pd.Series(dtype=str)
    try:
        return source.obs[LABEL].astype(str)
    finally:
        source.file.close()


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a tab-separated table; missing values as NA, gzip by the name's suffix and without a time stamp."""
    content = table.to_csv(sep="\t", index=False, na_rep="NA").encode("utf-8")
    with replacing(path) as temporary:
        temporary.write_bytes(gzip.compress(content, mtime=0) if str(path).endswith(".gz") else content)


def read_table(path: str | Path, text: list[str] | None = None) -> pd.DataFrame:
    """Read a tab-separated table. Columns named in `text` stay text, whatever they look like ("NA", "1e5")."""
    header = pd.read_csv(path, sep="\t", nrows=0).columns
    text = [column for column in text or [] if column in header]
    missing = {column: ["NA", ""] for column in header if column not in text}
    return pd.read_csv(path, sep="\t", dtype=dict.fromkeys(text, str), keep_default_na=False, na_values=missing)


def write_text(content: str, path: str | Path) -> None:
    """Write text as UTF-8."""
    with replacing(path) as temporary:
        temporary.write_text(content, encoding="utf-8")


def write_figure(figure: "Figure", *paths: str | Path) -> None:
    """Write a figure in the form that each path's suffix names; the same figure gives the same bytes."""
    from matplotlib import rc_context

    if figure.get_layout_engine():  # once, not for each form: it takes as long as drawing
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    for path in map(Path, paths):
        without_date = {"Date": None} if path.suffix == ".svg" else {}
        with replacing(path) as temporary, rc_context({"svg.hashsalt": "jindbench"}):
            figure.savefig(temporary, format=path.suffix[1:], dpi=150, metadata=without_date)


def write_json(content: dict, path: str | Path) -> None:
    """Write a dictionary as indented JSON."""
    write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", path)


def read_json(path: str | Path) -> dict:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))

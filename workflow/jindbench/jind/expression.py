"""From a user's cells to the sparse matrix that the networks read: genes matched by name, transformed, in blocks."""

import logging
from collections.abc import Iterator

import anndata as ad
import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from jindbench.data.checks import check_stated
from jindbench.data.matrix import BLOCK, checked
from jindbench.data.preprocess import columns, most_variable_genes, transform
from jindbench.errors import InputError
from jindbench.jind.parameters import ClassifierParameters
from jindbench.names import COUNTS, X_KIND, X_KINDS

log = logging.getLogger(__name__)

Cells = AnnData | sparse.spmatrix | np.ndarray


def source_expression(source: AnnData, parameters: ClassifierParameters) -> tuple[sparse.csr_matrix, list[str]]:
    """Transformed expression of the source's most variable genes (N_s x M, sparse), and their names."""
    X = _transformed(source.X, source.uns[X_KIND], parameters)
    chosen = most_variable_genes(X, parameters.n_genes)
    if len(chosen) < X.shape[1] and parameters.total_of == "model_genes":
        X = _transformed(source.X[:, chosen], source.uns[X_KIND], parameters)
    else:
        X = columns(X, chosen)
    return X, source.var_names[chosen].tolist()


def target_expression(
    target: AnnData, genes: list[str], parameters: ClassifierParameters, min_gene_share: float
) -> Iterator[sparse.csr_matrix]:
    """Transformed expression of the model's genes, a block of cells at a time: a target on disk is never read whole.

    Raises
    ------
    InputError
        If the target has less than `min_gene_share` of the genes.
    """
    columns = match_genes(target.var_names, genes, min_gene_share)
    for start in range(0, target.n_obs, BLOCK):
        X, x_kind = _rows(target, start), target.uns[X_KIND]
        if columns is None:
            yield _transformed(X, x_kind, parameters)
        elif parameters.total_of == "model_genes":
            yield _transformed(checked(X, "X") @ columns, x_kind, parameters)
        else:
            yield _transformed(X, x_kind, parameters) @ columns


def _rows(cells: AnnData, start: int) -> sparse.spmatrix | np.ndarray:
    try:
        return cells.X[start : start + BLOCK]
    except Exception as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> InputError:
    """Of a damaged file that is read only now: h5py and anndata raise many kinds."""
    return InputError(f"X of the cells cannot be read: {error}".replace("\n", " "))


def _transformed(X: Cells, x_kind: str, p: ClassifierParameters) -> sparse.csr_matrix:
    return transform(X, x_kind, log_base=p.log_base, cell_total=p.cell_total, log_normalized=p.log_normalized)


def as_anndata(
    cells: Cells, genes: list[str] | None = None, x_kind: str | None = None, *, default: str = COUNTS
) -> AnnData:
    """Cells as AnnData that states in `uns` what X holds: `x_kind`, else its own word, else `default`.

    Raises
    ------
    InputError
        If a matrix comes without as many gene names as it has columns, there is no cell or no gene, a gene is there
        twice, the stated kind is none, or the first cells are not what `x_kind` or `default` says.
    """
    if not isinstance(cells, AnnData):
        if np.ndim(cells) != 2:
            raise InputError(f"X is a {type(cells).__name__} with {np.ndim(cells)} axes; expected cells x genes")
        if genes is None or len(genes) != cells.shape[1]:
            n = "no" if genes is None else len(genes)
            raise InputError(f"a matrix of {cells.shape[1]} columns needs as many gene names; {n} were given")
        cells = ad.AnnData(checked(cells, "X"), var=pd.DataFrame(index=list(genes)))
    if 0 in cells.shape:
        raise InputError(f"X is {cells.n_obs} cells x {cells.n_vars} genes: nothing to work with")
    if not cells.var_names.is_unique:
        raise InputError(
            f"genes (var_names) must be unique; {cells.var_names[cells.var_names.duplicated()][0]!r} is not"
        )
    own = cells.uns.get(X_KIND)
    kind = x_kind or (default if own is None else own)
    if not (isinstance(kind, str) and kind in X_KINDS):
        raise InputError(f"x_kind is {kind!r}; expected one of {', '.join(X_KINDS)}".replace("\n", " "))
    if own is not None and kind == own:
        return cells
    try:
        stated = ad.AnnData(cells.X, obs=cells.obs, var=cells.var[[]], uns={X_KIND: kind})
    except Exception as error:
        raise _unreadable(error) from error
    check_stated(checked(_rows(stated, 0), "X"), kind, "X of the cells")
    return stated


def match_genes(present: pd.Index, wanted: list[str], min_share: float) -> sparse.csr_matrix | None:
    """Matrix that turns columns of the target's genes into the model's; None where they are the same already.

    Genes of the model that the target lacks become zero.

    Raises
    ------
    InputError
        If the target has less than `min_share` of the model's genes.
    """
    if len(present) == len(wanted) and (present == wanted).all():
        return None
    positions = present.get_indexer(wanted)
    found = np.flatnonzero(positions >= 0)
    share = len(found) / len(wanted)
    if share < min_share:
        theirs = ", ".join(present[:3]).replace("\n", " ")  # an error is one line
        raise InputError(
            f"the target has {len(found)} of the model's {len(wanted)} genes ({share:.1%}), at least {min_share:.0%} "
            f"are needed; the model's begin with {', '.join(wanted[:3])}, the target's with {theirs}"
        )
    if share < 1:
        log.warning("the target lacks %.1f %% of the model's genes; they count as not expressed", 100 * (1 - share))
    ones = np.ones(len(found), dtype=np.float32)
    return sparse.csr_matrix((ones, (positions[found], found)), shape=(len(present), len(wanted)))

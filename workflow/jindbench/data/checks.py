"""Every check of a dataset's content, in one place: each fault gets its own one-line error."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from jindbench.data.matrix import checked
from jindbench.errors import InputError
from jindbench.names import BATCH, COUNTS, INTEGRATED, LABEL, LOG, NORMALIZED, SCALED, UNASSIGNED, X_KIND, X_KINDS

log = logging.getLogger(__name__)

# What stands in the place of a label where a cell has none: missing values as programs write them, and what annotators
# and tools (scANVI, CellTypist, SingleR) call cells that they could not name. Letters and digits alone, in lower case.
PLACEHOLDERS = re.compile(
    "(nan?|null|none|missing|unknown|unlabell?ed|unassigned|unannotated|unclassified|undefined|undetermined|unidentified"
    "|not(available|applicable|assigned|annotated))?"
)
# These are named, but learnt: such cells are alike, and some want to find them again.
DOUBTFUL = re.compile("doublets?|multiplets?|debris|ambiguous|unclear|lowquality")

# No logarithm of expression is higher: ln(1 + x) = 20 would be 500 million molecules of one gene.
HIGHEST_LOG = 20

# What tells lower fractions apart, see `fractions`. On 450 matrices made of eight real datasets at three depths (counts
# as CEL-seq, Alevin, DecontX and SoupX correct them; logarithms of all genes or of 100 to 2,000, with and without
# division by gene lengths), the share of multiples was below .04 for counts and above .9 for logarithms of UMI
# counts. The correlation was -.16 to .90 for counts, and -.99 to -.18 for logarithms without the other two signs.
KIND_CELLS = 1000  # that are looked at
SAME_TOTAL = 0.01  # cells' totals that differ by no more than this share were made equal
BASES = (np.e, 2, 10)
MULTIPLES, MOST = 0.5, 50  # share of them, and the highest that float32 can show
LOGARITHMS_BELOW, COUNTS_ABOVE = -0.2, 0.1  # correlation of a cell's number of genes with its mean


FILLED = 0.15  # of the values of counts, about


@dataclass(frozen=True)
class Content:
    """What a published dataset must hold: of the paper's, its Table 1. None: not known.

    `filled` is about the share of its values that are not zero, by which its memory is estimated; it is not checked.
    """

    cells: int
    genes: int | None
    types: int
    batches: dict[str, int | None] = field(default_factory=lambda: {"all": None})
    filled: float = FILLED


def check_keys(obs: pd.DataFrame, where: str, label_key: str, batch_key: str | None) -> None:
    """Check that the named `obs` columns exist, once each.

    Raises
    ------
    InputError
        Naming the file, the missing key and the columns there are.
    """
    if label_key == batch_key:
        raise InputError(f"{where}: label_key and batch_key are both '{label_key}'; batches need a column of their own")
    for role, key in (("label_key", label_key), ("batch_key", batch_key)):
        if key is not None and key not in obs:
            columns = ", ".join(map(str, obs.columns)).replace("\n", " ") or "none"
            raise InputError(f"{where}: {role} '{key}' is not a column of obs (there are: {columns})")
        if key is not None and (n := (obs.columns == key).sum()) > 1:
            raise InputError(f"{where}: {role} '{key}' names {n} columns of obs; expected one")


def has_type(labels: pd.Series, where: str, keep: Sequence[str] = ()) -> np.ndarray:
    """Which cells have a type; those without one are logged in one line.

    Parameters
    ----------
    labels
        Of n cells. Missing values and `PLACEHOLDERS`, however they are written ("N/A", "Un-assigned"), are no types.
    where
        The file and key that the log names.
    keep
        Labels that are types all the same.

    Raises
    ------
    InputError
        If no cell has a type, or no cell has a label that is to be kept.
    """
    text = labels.astype("object").where(labels.notna(), "").astype(str)
    if absent := sorted({*keep} - {*text}):
        raise InputError(f"{where}: keep_labels: no cell is '{absent[0]}'")
    words = {name: re.sub(r"\W|_|cells?$|types?$", "", name.lower()) for name in text.unique()}
    without = [name for name, word in words.items() if PLACEHOLDERS.fullmatch(word)]
    known = (~text.isin({*without} - {*keep}) & labels.notna()).to_numpy()
    if not known.any():
        raise InputError(f"{where}: no cell has a type ({_counted(text)})")
    if not known.all():
        log.warning(
            "%s: %s of %s cells have no type and are left out: %s; keep_labels names those that are types",
            *(where, f"{(~known).sum():,}", f"{len(known):,}", _counted(text[~known])),
        )
    if doubtful := [name for name, word in words.items() if DOUBTFUL.fullmatch(word)]:
        log.warning("%s: learnt as types of their own: %s", where, _counted(text[text.isin(doubtful)]))
    return known


def _counted(labels: pd.Series) -> str:
    return ", ".join(f"{name!r} ({n:,})" for name, n in labels.value_counts().items())


def check_types(labels: pd.Series, where: str) -> None:
    """Check that there is something to tell apart.

    Raises
    ------
    InputError
        If there is but one type, or about one for each cell.
    """
    if (n := labels.nunique()) == 1:
        raise InputError(f"{where}: one cell type, {labels.iloc[0]!r}; expected two at least")
    if n > len(labels) / 2:
        raise InputError(f"{where}: {n} different values in {len(labels)} cells; expected cell types")


def fractions(X: sparse.csr_matrix) -> tuple[str | None, str]:
    """What values up to `HIGHEST_LOG` that are not all whole hold: logarithms, or counts that were corrected.

    They are logarithms of base e, 2 or 10 if, once these are undone, all cells have the same total, or a cell's values
    are multiples of its lowest, as those of counts are, however a cell was scaled. Else the mean of a cell's values
    tells: where cells have more genes, counts are higher, but normalised values lower.

    Parameters
    ----------
    X
        Cells x genes, without stored zeros.

    Returns
    -------
    LOG or COUNTS, or None where neither is clear; and the reason.
    """
    X = X[:KIND_CELLS]
    X = X[X.getnnz(axis=1) > 1]
    found = f"fractions up to {X.data.max(initial=0):.3g}"
    n, starts = X.getnnz(axis=1), X.indptr[:-1]
    if not len(n):
        return None, f"{found} of cells with one gene"
    odd = abs(X.data - np.round(X.data)) > 0.01  # whole numbers may be logarithms of base 2: of 1, 3, 7
    for base in BASES:
        undone = np.expm1(X.data * np.log(base))
        totals = np.add.reduceat(undone, starts)
        if totals.max() / totals.min() - 1 <= SAME_TOTAL:
            return LOG, f"{found}, logarithms of equal totals"
        times = undone / np.repeat(np.minimum.reduceat(undone, starts), n)
        times = times[odd & (times > 1.01) & (times < MOST)]
        if len(times) and np.mean(abs(times - np.round(times)) < 0.01) > MULTIPLES:
            return LOG, f"{found}, logarithms of multiples"
    if odd.mean() < 0.5:
        return COUNTS, f"{found}, most of them whole: corrected counts"
    ranks = pd.DataFrame({"genes": n, "mean": np.add.reduceat(X.data, starts) / n}).rank()
    correlation = ranks["genes"].corr(ranks["mean"])
    if correlation > COUNTS_ABOVE:
        return COUNTS, f"{found}, higher in cells with more genes: corrected counts"
    if correlation < LOGARITHMS_BELOW or np.isnan(correlation):  # imputed values have no zeros
        return LOG, f"{found}, not higher in cells with more genes: logarithms"
    return None, f"{found}, counts or logarithms: if counts, round them; if logarithms, store those of all genes"


def kind_of(X: sparse.csr_matrix, where: str) -> str:
    """What a published X holds, by its values: negative values are scaled, whole numbers counts, values too high for a
    logarithm normalized; for the rest see `fractions`.

    Raises
    ------
    InputError
        If it can be more than one thing.
    """
    if X.data.min(initial=0) < 0:
        return SCALED
    if (X.data == np.round(X.data)).all():
        return COUNTS
    if X.data.max() > HIGHEST_LOG:
        return NORMALIZED
    kind, why = fractions(X)
    if kind == LOG:
        return LOG
    raise InputError(f"{where}: X can be more than one thing ({why}); state x_kind: {LOG} or {NORMALIZED}")


def check_stated(X: sparse.csr_matrix, x_kind: str, where: str) -> None:
    """Check that fractions are not the other of counts and logarithms than stated.

    Raises
    ------
    InputError
        If they are.
    """
    if x_kind not in (COUNTS, LOG) or X.data.max(initial=0) > HIGHEST_LOG or (X.data == np.round(X.data)).all():
        return
    kind, why = fractions(X)
    if kind not in (None, x_kind):
        state = f"{LOG}" if kind == LOG else f"{COUNTS} and fractional_counts: true"
        raise InputError(f"{where}: x_kind is '{x_kind}', but X holds {why}; state x_kind: {state}")


def to_contract(
    adata: AnnData,
    where: str,
    *,
    fractional_counts: bool = False,
    keep_labels: Sequence[str] | None = None,
    copy: bool = True,
) -> AnnData:
    """Check a loaded dataset and return it as the workflow stores it.

    Parameters
    ----------
    adata
        Cells x genes; `obs["label"]`, optionally `obs["batch"]`; `uns["x_kind"]`.
    where
        The file or dataset that an error names.
    fractional_counts
        Accept counts that are not integers (CEL-seq's corrected UMIs).
    keep_labels
        Leave out cells without a type (`has_type`), but for these labels. None: each has one, as in published data.
    copy
        Leave `adata` as it is; see `matrix.checked`.

    Returns
    -------
    X as CSR float32, `obs` with text columns `label` and `batch` (one batch, "all", where there is none).

    Raises
    ------
    InputError
        For the first fault found.
    """
    x_kind = adata.uns[X_KIND]
    if x_kind not in X_KINDS:
        raise InputError(f"{where}: x_kind is '{x_kind}'; expected one of {', '.join(X_KINDS)}")
    if 0 in adata.shape:
        raise InputError(f"{where}: {adata.n_obs} cells x {adata.n_vars} genes: nothing to work with")
    _check_unique(adata.obs_names, f"{where}: cell ids (obs_names)")
    _check_unique(adata.var_names, f"{where}: genes (var_names)")

    X = checked(adata.X, f"{where}: X", copy=copy)
    lowest, highest = X.data.min(initial=0), X.data.max(initial=0)
    if lowest < 0 and x_kind not in (SCALED, INTEGRATED):
        raise InputError(
            f"{where}: X holds negative values, which '{x_kind}' cannot have ({(X.data < 0).sum():,}, the lowest "
            f"{lowest:g}); if each gene was centred and scaled, state x_kind: {SCALED}"
        )
    if x_kind == SCALED and lowest == 0:
        raise InputError(f"{where}: x_kind is 'scaled', but no value is negative; state what X holds")
    if x_kind == LOG and X.nnz and (X.data == np.round(X.data)).all():
        raise InputError(f"{where}: x_kind is 'log', but all values are whole numbers; state x_kind: {COUNTS}")
    if x_kind == COUNTS and not fractional_counts:
        odd = X.data != np.round(X.data)
        if odd.any():
            raise InputError(
                f"{where}: x_kind is 'counts', but not all values are integers ({odd.sum():,} not, such "
                f"as {X.data[odd][0]:g}); say fractional_counts: true if they are corrected, or state another x_kind"
            )

    if x_kind == LOG and highest > HIGHEST_LOG:
        raise InputError(
            f"{where}: x_kind is 'log', but values reach {highest:g}, which no logarithm of expression does; "
            f"state x_kind: {NORMALIZED} or {COUNTS}"
        )
    if x_kind == NORMALIZED and highest <= HIGHEST_LOG and X.nnz:
        log.warning(
            "%s: x_kind is 'normalized', but no value is above %g: if X is a logarithm already, state x_kind: log, "
            "or methods will take the logarithm once more",
            *(where, highest),
        )

    given = adata.obs
    if keep_labels is not None and not (labelled := has_type(given[LABEL], f"{where}: label", keep_labels)).all():
        given, X = given[labelled], X[labelled]
    obs = pd.DataFrame(index=given.index.astype(str).rename(None))
    _check_text(obs.index, f"{where}: cell ids (obs_names)")
    for column in (LABEL, BATCH):
        if column not in given:
            continue  # a dataset without batches; a missing label key was refused when the file was read
        values = given[column]
        missing = values.isna().to_numpy() | (values.astype(str).str.strip() == "").to_numpy()
        if missing.any():
            raise InputError(
                f"{where}: {missing.sum()} cells have no {column}, the first is '{obs.index[missing][0]}'; "
                "remove these cells or name them"
            )
        obs[column] = values.astype(str).to_numpy(dtype=object)
        _check_text(obs[column], f"{where}: {column}")
    if (obs[LABEL] == UNASSIGNED).any():
        raise InputError(f"{where}: '{UNASSIGNED}' is the name of rejected cells and cannot be a cell type; rename it")
    if BATCH not in obs:
        obs[BATCH] = "all"

    var = pd.DataFrame(index=adata.var_names.astype(str).rename(None))
    _check_text(var.index, f"{where}: genes (var_names)")
    return AnnData(X, obs=obs, var=var, uns=dict(adata.uns))


def check_content(adata: AnnData, expected: Content, path: Path, *, accept: bool) -> None:
    """Compare a prepared dataset with what it was published to hold.

    Parameters
    ----------
    adata
        As `to_contract` returns it.
    path
        The downloaded file, which an error names and which stays for inspection.
    accept
        Log differences as a warning instead.

    Raises
    ------
    InputError
        With every number that differs, found and expected.
    """
    found = adata.obs[BATCH].value_counts().to_dict()
    pairs = {
        "cells": (adata.n_obs, expected.cells),
        "genes": (adata.n_vars, expected.genes),
        "cell types": (adata.obs[LABEL].nunique(), expected.types),
        "batches": (", ".join(sorted(found)), ", ".join(sorted(expected.batches))),
    }
    for batch, n in expected.batches.items():
        if batch in found:
            pairs[f"cells of batch {batch}"] = (found[batch], n)
    differences = "; ".join(
        f"{what}: {n} instead of {wanted}" for what, (n, wanted) in pairs.items() if wanted not in (n, None)
    )
    if not differences:
        return
    if not accept:
        raise InputError(
            f"{path}: not as published: {differences}. The file is kept for inspection; "
            "accept_other_content: true goes on with it"
        )
    log.warning("%s: not as published, accepted by the configuration: %s", path, differences)


def _check_text(values: pd.Index | pd.Series, what: str) -> None:
    odd = values[values.str.contains(r"[\x00-\x1f\x7f]", regex=True)]
    if len(odd):
        raise InputError(f"{what}: {next(iter(odd))!r} holds a control character, such as a line break or tab")


def _check_unique(index: pd.Index, what: str) -> None:
    repeated = index[index.duplicated()]
    if len(repeated):
        raise InputError(f"{what} must be unique; {len(repeated)} are repeated, the first is {repeated[0]!r}")

"""Which matrix of a file to take: what each one holds is told by its values."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import sparse

from jindbench.annotate.cells import Cells
from jindbench.data.checks import HIGHEST_LOG, SAME_TOTAL, fractions
from jindbench.errors import InputError
from jindbench.names import COUNTS, LOG, NORMALIZED, SCALED

log = logging.getLogger(__name__)

USABLE = (COUNTS, NORMALIZED, LOG)  # the best first
LAYERS = ("counts", "matrix", "spliced")  # of those that hold the same kind the best first, by velocyto's names
QUANTILES = (0.1, 0.5, 0.9)  # of cells' totals

# Where genes were divided by their standard deviation, but not centred (`scale(zero_center=False)`), it is 1 but for
# clipped values and cells that were taken out since. Of counts and of logarithms it differs from gene to gene.
SCALED_TO, SCALED_WITHIN, SCALED_GENES = 1, 0.1, 0.5


@dataclass(frozen=True)
class Content:
    """What a matrix holds, by its values.

    Attributes
    ----------
    place
        Of the matrix in the file: "X", "layers/NAME" or "raw/X".
    kind
        One of `names.X_KINDS`; None where it cannot be used.
    why
        By which values the kind was told, or why it cannot be used.
    empty
        Number of cells without any count in the genes that matter.
    totals
        `QUANTILES` of the other cells' totals over these genes. Those of logarithms are undone, as natural ones.
    others
        Places of other matrices of the same kind that hold something else.
    unusable
        Places of matrices that cannot be used, and why.
    """

    place: str
    kind: str | None
    why: str
    empty: int
    totals: tuple[float, ...]
    others: tuple[str, ...] = ()
    unusable: tuple[str, ...] = ()


def places(cells: Cells, layer: str | None) -> list[str]:
    """Places of the matrices that may be taken: all, or the one that the user names.

    Parameters
    ----------
    layer
        A place, such as "layers/counts", or the name of a layer, "X" or "raw".

    Raises
    ------
    InputError
        If there is no such layer.
    """
    if layer is None:
        return [*cells.genes]
    meant = layer, *(["raw/X"] if layer == "raw" else []), f"layers/{layer}"
    if place := next((place for place in meant if place in cells.genes), None):
        return [place]
    raise InputError(f"{cells.path}: layer '{layer}' is not there (there are: {', '.join(cells.genes)})")


def contents(cells: Cells, among: list[str]) -> list[Content]:
    """What matrices of a file hold, by their first cells: those that are most likely meant first.

    A matrix that cannot be used, such as velocities with NaN, does not keep others from being used.
    """
    found = []
    for place in among:
        try:
            found.append(content(place, cells.sample(place)))
        except InputError as error:
            why = str(error).removeprefix(f"{cells.path}: ").removeprefix(f"{place} ")
            found.append(Content(place, None, why, 0, (0.0,) * len(QUANTILES)))
            log.warning("%s: %s cannot be used: %s", cells.path, place, why)
    return sorted(found, key=_preference)


def _preference(found: Content) -> tuple[int, int, float]:
    """By this what is most likely meant comes first: layers that are called counts before raw, other layers last."""
    layer = found.place.removeprefix("layers/")
    where = {"X": 0, "raw/X": 2}.get(found.place, 1 if "count" in layer.lower() else 3)
    # A part of the counts, such as velocyto's "ambiguous", is less than the whole.
    return where, LAYERS.index(layer) if layer in LAYERS else len(LAYERS), -found.totals[1]


def content(place: str, blocks: Iterable[sparse.csr_matrix], genes: np.ndarray | None = None) -> Content:
    """What a matrix holds.

    Parameters
    ----------
    place
        Where it is in the file.
    blocks
        Its cells, or the first of them.
    genes
        Positions of those that matter: what `Content.empty` and `Content.totals` are about. By default all.

    Returns
    -------
    `counts` if all values are whole numbers; `scaled` if some are negative or the standard deviation of genes is 1;
    `log` or `counts` by `checks.fractions` if none is above `HIGHEST_LOG`; `normalized` if all cells have the same
    total; else `counts` that were corrected, such as those of CEL-seq, RSEM or SoupX.
    """
    lowest, highest, whole, n, sums, squares = 0.0, 0.0, True, 0, 0.0, 0.0
    totals, common, undone, first = [], [], [], None
    for X in blocks:
        first = X if first is None else first
        lowest, highest = min(lowest, X.data.min(initial=0)), max(highest, X.data.max(initial=0))
        whole = whole and bool((X.data == np.round(X.data)).all())
        n, sums, squares = n + X.shape[0], sums + _totals(X, axis=0), squares + _totals(X.power(2), axis=0)
        totals.append(_totals(X))
        inside = X if genes is None else X[:, genes]
        common.append(_totals(inside))
        if not whole and highest <= HIGHEST_LOG:
            undone.append(_totals(inside.expm1()))
    deviations = np.sqrt(np.maximum(squares / n - (sums / n) ** 2, 0))[squares > 0]
    kind, why = _told(lowest, highest, whole, deviations, np.concatenate(totals), first)
    common = np.concatenate(common)
    amounts = np.concatenate(undone) if kind == LOG else common
    amounts = amounts[amounts > 0]
    quantiles = np.quantile(amounts, QUANTILES) if len(amounts) else np.zeros(len(QUANTILES))
    return Content(place, kind, why, int((common == 0).sum()), tuple(quantiles.tolist()))


def _totals(X: sparse.csr_matrix, axis: int = 1) -> np.ndarray:
    return np.asarray(X.sum(axis=axis, dtype=np.float64)).ravel()


def _told(
    lowest: float, highest: float, whole: bool, deviations: np.ndarray, totals: np.ndarray, first: sparse.csr_matrix
) -> tuple[str | None, str]:
    """The kind of a matrix and what it is told by: values, genes' standard deviations, cells' totals, first cells."""
    filled = totals[totals > 0]
    if lowest < 0:
        return SCALED, f"negative values, the lowest {lowest:.3g}"
    if highest == 0:
        return None, "nothing but zeros"
    if whole:
        return COUNTS, f"whole numbers up to {highest:,.0f}"
    if np.mean(abs(deviations - SCALED_TO) < SCALED_WITHIN) > SCALED_GENES:
        return SCALED, f"most genes have a standard deviation of {SCALED_TO}"
    if len(filled) > 1 and filled.max() / filled.min() - 1 <= SAME_TOTAL:
        return NORMALIZED, f"fractions, and each cell's total is {np.median(filled):,.6g}"
    if highest <= HIGHEST_LOG:
        return fractions(first)
    return COUNTS, f"fractions up to {highest:,.6g} and cells of different totals: corrected counts"


def choose(sides: dict[Path, list[Content]], only: str | None = None) -> dict[Path, Content]:
    """The matrix of each file that is taken: all of the same kind, the best that every file has.

    Parameters
    ----------
    sides
        For each file what `contents` found; the reference first.
    only
        The kind that a stored reference was fitted on.

    Raises
    ------
    InputError
        If a file has no usable matrix, or two files none of the same kind.
    """
    for path, found in sides.items():
        if not any(item.kind in USABLE for item in found):
            raise InputError(
                f"{path}: no counts and no logarithms of counts ({_listed(found) or 'it has no matrix'}); "
                "store counts, as they were before any scaling, in X, raw or a layer"
            )
    for kind in (only,) if only else USABLE:
        chosen = {path: _of_kind(found, kind) for path, found in sides.items()}
        if all(chosen.values()):
            return chosen
    (first, theirs), *others = sides.items()
    if only is not None:
        odd = next(path for path, found in sides.items() if only not in {item.kind for item in found})
        raise InputError(
            f"{odd}: the reference was fitted on {only}, here are {_listed(sides[odd])}; {_lacking(only, 'this file')}"
        )
    kinds = {path: {item.kind for item in found} & {*USABLE} for path, found in sides.items()}
    odd = next(path for path, _ in others if not kinds[path] & kinds[first])
    without = odd if COUNTS in kinds[first] else first
    raise InputError(
        f"{odd}: cannot be compared with {first}: here are {_listed(sides[odd])}; there are {_listed(theirs)}; "
        f"{_lacking(COUNTS, without)}, or log-normalise both sides alike; layer and reference_layer name matrices"
    )


def _lacking(kind: str, file: Path | str) -> str:
    made = "" if kind == COUNTS else ", made as the reference's were,"
    return f"what is missing is {kind}: store them{made} in X, raw or a layer of {file}"


def _of_kind(found: list[Content], kind: str) -> Content | None:
    """The first matrix of a kind, and which others there are of it, copies of this one apart."""
    same = [item for item in found if item.kind == kind]
    others = tuple(item.place for item in same[1:] if item.totals != same[0].totals)
    unusable = tuple(f"{item.place} ({item.why})" for item in found if item.kind is None)
    return replace(same[0], others=others, unusable=unusable) if same else None


def check(cells: Cells, chosen: Content, genes: np.ndarray, key: str) -> Content:
    """Look at all cells of the matrix that is taken, and at nothing else.

    Parameters
    ----------
    genes
        Positions of the genes in common.
    key
        That names another matrix of this file.

    Raises
    ------
    InputError
        If they hold something else than the first ones, or nothing at all in these genes.
    """
    whole = content(chosen.place, cells.blocks(chosen.place), genes)
    if whole.kind != chosen.kind:
        raise InputError(
            f"{cells.path}: {chosen.place}: its first cells hold {chosen.why}, all together {whole.why}; "
            f"name another matrix with {key}"
        )
    if whole.empty == len(cells.cell_ids):
        raise InputError(f"{cells.path}: {chosen.place}: no cell has any count in the {len(genes)} genes in common")
    return replace(whole, others=chosen.others, unusable=chosen.unusable)


def _listed(found: list[Content]) -> str:
    return "; ".join(f"{item.place}: {item.kind or 'unusable'}, {item.why}" for item in found)

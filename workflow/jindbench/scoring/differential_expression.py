"""Are misclassified cells different? Genes that differ between cells of one true type with different predictions.

Paper, 'JIND+ misclassified cells exhibit differentially expressed genes', with its negative control: random subsets of
the same type and size. The tests are limma's; the text names voom, the authors' script fitted the values as they were.
"""

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from jindbench.data import preprocess
from jindbench.errors import InputError
from jindbench.names import CELL_ID, COUNTS, LABEL, NORMALIZED, UNASSIGNED, X_KIND

log = logging.getLogger(__name__)

VOOM, PLAIN = "voom", "plain"  # limma on counts with precision weights; limma on log values as they are
R_PACKAGES = ("limma", "Matrix")

# With two cells, one odd cell is half of its group: nothing says which of the two is the odd one.
FEWEST_CELLS = 3


class TooFewCells(Exception):
    """A group is too small to be compared; the message has the sizes."""


@dataclass(frozen=True)
class Comparison:
    """What limma says of two groups of cells.

    Attributes
    ----------
    table
        One row for each gene that varies over the two groups, most significant first: gene, log2_fold_change (first
        minus second group; log_fold_change where X is on a logarithm of unknown base, scaled or integrated),
        mean_expression (over all cells of both groups, of the values that limma fits; voom: log2 counts per million),
        t, p_value, adjusted_p (Benjamini-Hochberg).
    model
        "voom" or "plain".
    n_first, n_second
        Cells of the two groups.
    """

    table: pd.DataFrame
    model: str
    n_first: int
    n_second: int

    def significant(self, alpha: float) -> pd.DataFrame:
        """The rows with an adjusted p below `alpha`."""
        return self.table[self.table["adjusted_p"] < alpha]


def most_confused_pair(truth: pd.Series, predictions: pd.DataFrame) -> tuple[str, str] | None:
    """The types (A, B) with the largest number of cells that are of type A, not rejected and predicted as B.

    Of equal numbers the first by name. None if no cell is misclassified.
    """
    final = _final_labels(truth, predictions)
    wrong = (final != truth) & (final != UNASSIGNED)
    if not wrong.any():
        return None
    cells = pd.DataFrame({"true": truth[wrong], "predicted": final[wrong]})
    return cells.groupby(["true", "predicted"]).size().idxmax()  # groups are sorted: the first of the largest


def groups(truth: pd.Series, predictions: pd.DataFrame, pair: tuple[str, str]) -> tuple[pd.Index, pd.Index]:
    """The cells of true type A that are predicted A (G1) and those that are predicted B (G2).

    Cells that are rejected are in neither. Of G1 the authors' script says so; of G2 nothing is said, but the paper
    counts its misclassifications after rejection, and a rejected cell is of no predicted type.

    Parameters
    ----------
    truth
        True labels by cell_id.
    predictions
        See `jindbench.predictions`.
    pair
        (A, B), as `most_confused_pair` gives them.
    """
    final, (true_type, predicted) = _final_labels(truth, predictions), pair
    of_type = final[truth == true_type]
    return of_type.index[of_type == true_type], of_type.index[of_type == predicted]


def _final_labels(truth: pd.Series, predictions: pd.DataFrame) -> pd.Series:
    return predictions.set_index(CELL_ID).loc[truth.index, LABEL]


def compare(adata: AnnData, first: pd.Index, second: pd.Index, model: str | None = None) -> Comparison:
    """Compare two groups of cells gene by gene with limma (~ 0 + group, contrast first - second, moderated t).

    Parameters
    ----------
    adata
        Cells x genes; `uns["x_kind"]` says what X holds.
    first, second
        Cell ids of the groups.
    model
        "voom" (counts only); "plain", which fits log2(1 + X) of counts or normalized values and any other X as it is
        (authors' script); None: voom where X holds counts.

    Raises
    ------
    TooFewCells
        If a group has fewer than three cells.
    InputError
        If voom is asked for where X does not hold counts.
    NotAvailable
        If R or limma is missing.
    """
    _check_sizes(len(first), len(second))
    model = _model(adata, model)
    from jindbench.r import bridge

    result = bridge.call(
        "limma.R",
        "compare",
        R_PACKAGES,
        matrix=_values(adata[first.append(second)], model),
        n_first=len(first),
        voom=model == VOOM,
    )
    table = pd.DataFrame(result)
    table["gene"] = adata.var_names[table["gene"] - 1]
    # All genes have the same degrees of freedom, so |t| orders like p, also where p is too small for a number.
    table = table.sort_values("t", key=np.abs, ascending=False, kind="stable", ignore_index=True)
    if model == VOOM or adata.uns[X_KIND] in (COUNTS, NORMALIZED):
        table = table.rename(columns={"log_fold_change": "log2_fold_change"})
    return Comparison(table, model, len(first), len(second))


def negative_control(
    adata: AnnData,
    cells: pd.Index,
    sizes: tuple[int, int],
    model: str | None = None,
    *,
    draws: int = 100,
    seed: int = 0,
    alpha: float,
) -> pd.DataFrame:
    """Draw random groups of cells of one type many times, and compare them as `compare` does.

    The paper's control (Figures S3 and S4) drew once; one draw does not show how often such groups differ by chance.
    They can: to voom, a count of zero is lower in a larger cell, so that in sparse data a random group of a few large
    cells may differ in hundreds of genes.

    Parameters
    ----------
    adata
        Cells x genes.
    cells
        Cell ids to draw from.
    sizes
        Cells of the two groups. Where there are not as many cells as both need, the smaller group keeps its size and
        the larger gets the rest; the table has the sizes drawn, and the log says so.
    model
        As in `compare`.
    draws
        How often two disjoint groups are drawn.
    seed
        Seed of the draws.
    alpha
        A gene is significant if its adjusted p is below.

    Returns
    -------
    One row for each draw: draw (from 1), n_first, n_second (cells), n_significant (genes).

    Raises
    ------
    TooFewCells, InputError, NotAvailable
        As `compare`.
    """
    smaller, larger = sorted(sizes)
    larger = min(larger, max(len(cells) - smaller, 0))
    n_first, n_second = (smaller, larger) if sizes[0] <= sizes[1] else (larger, smaller)
    _check_sizes(n_first, n_second)
    if (n_first, n_second) != tuple(sizes):
        log.warning("%d cells: groups of %d and %d are drawn, not %d and %d", len(cells), n_first, n_second, *sizes)
    model = _model(adata, model)
    from jindbench.r import bridge

    rng = np.random.default_rng(seed)
    drawn = np.concatenate([rng.choice(len(cells), n_first + n_second, replace=False) + 1 for _ in range(draws)])
    n_significant = bridge.call(
        "limma.R",
        "negative_control",
        R_PACKAGES,
        matrix=_values(adata[cells], model),
        drawn=drawn,
        n_first=n_first,
        n_second=n_second,
        voom=model == VOOM,
        alpha=alpha,
    )
    return pd.DataFrame(
        {"draw": np.arange(1, draws + 1), "n_first": n_first, "n_second": n_second, "n_significant": n_significant}
    )


def _check_sizes(n_first: int, n_second: int) -> None:
    if min(n_first, n_second) < FEWEST_CELLS:
        raise TooFewCells(
            f"groups of {n_first} and {n_second} cells are not compared: each needs at least {FEWEST_CELLS}"
        )


def _model(adata: AnnData, model: str | None) -> str:
    x_kind = adata.uns[X_KIND]
    if model == VOOM and x_kind != COUNTS:
        raise InputError(f"model: voom needs counts, but X is stated to be '{x_kind}'; use 'plain'")
    return model or (VOOM if x_kind == COUNTS else PLAIN)


def _values(adata: AnnData, model: str) -> sparse.csr_matrix:
    """What limma gets, cells x genes: counts for voom, else values on a log scale."""
    return sparse.csr_matrix(adata.X) if model == VOOM else preprocess.transform(adata.X, adata.uns[X_KIND])

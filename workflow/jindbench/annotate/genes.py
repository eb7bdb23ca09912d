"""Which gene of the query is which of the reference: by symbol or Ensembl id, wherever a file has them."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from jindbench.errors import InputError

# Stable identifiers of genes, such as ENSG00000141510 or ENSMUSG00000059552.7, with "_PAR_Y" at some.
ENSEMBL = r"^ENS[A-Z]*G\d{11}(?:\.\d+)?(?:_PAR_Y)?$"
VERSION = r"(?<=\d)\.\d+(?=_PAR_Y$|$)"

FEWEST = 50  # common genes: fewer do not tell types apart


def namings(var: pd.DataFrame) -> dict[str, pd.Index]:
    """The ways in which a table of genes names them: the index, and each column of text that differs from gene to gene.

    Returns
    -------
    By "var_names" or the column's name; Ensembl ids without their version.
    """
    columns = {"var_names": var.index.to_series()}
    for name, values in var.items():
        is_text = values.map(type).isin([str]).mean() > 0.5
        if is_text and values.nunique() > len(var) / 2:
            columns[str(name)] = values
    return {name: _unversioned(values) for name, values in columns.items()}


def _unversioned(values: pd.Series) -> pd.Index:
    text = values.astype("object").where(values.notna(), "").astype(str)
    is_ensembl = text.str.match(ENSEMBL)
    return pd.Index(text.where(~is_ensembl, text.str.replace(VERSION, "", regex=True)))


def kind_of(names: pd.Index) -> str:
    """What most of the names are, in words."""
    return "Ensembl ids" if names.str.match(ENSEMBL).mean() > 0.5 else "symbols"


def symbols(var: pd.DataFrame) -> pd.Index:
    """Names for people: a gene's symbol where the table has one."""
    known = namings(var)
    return next((names for names in known.values() if kind_of(names) == "symbols"), known["var_names"])


@dataclass(frozen=True)
class Match:
    """Genes that reference and query have in common.

    Attributes
    ----------
    reference, query
        Positions of the same genes in both tables, in the reference's order.
    how
        By which names they were matched, in words.
    repeated
        Number of names left out, since a side has them more than once.
    n_reference, n_query
        Genes of both sides.
    """

    reference: np.ndarray
    query: np.ndarray
    how: str
    repeated: int
    n_reference: int
    n_query: int

    def within(self, rows: np.ndarray) -> "Match":
        """The same for those of the reference's genes that are at `rows`, which are then the reference."""
        kept = np.isin(self.reference, rows)
        reference = np.searchsorted(rows, self.reference[kept])
        return replace(self, reference=reference, query=self.query[kept], n_reference=len(rows))


def match(reference: pd.DataFrame, query: pd.DataFrame, where: str, *, least: int = FEWEST) -> Match:
    """Find the same genes in two tables, by those of their namings that have most in common.

    A name that a side has more than once is left out: which of them is meant cannot be told.

    Parameters
    ----------
    reference, query
        Tables of genes (`var`).
    where
        What an error calls the query.
    least
        Number of common genes below which it is an error.

    Raises
    ------
    InputError
        With the first names of both sides.
    """
    theirs, ours = namings(reference), namings(query)
    best = max(
        ((a, b) for a in theirs for b in ours), key=lambda pair: len(_once(theirs[pair[0]]) & _once(ours[pair[1]]))
    )
    known, given = theirs[best[0]], ours[best[1]]
    common = _once(known) & _once(given)
    if len(common) < least:
        hint = ""
        if len({*known.str.upper()} & {*given.str.upper()}) >= least:
            hint = "; they agree where case is ignored: are these two species?"
        raise InputError(
            f"{where}: {len(common)} of its {len(given)} genes are among the reference's {len(known)}, at least "
            f"{least} are needed; the reference's begin with {_first(known)}, its own with {_first(given)}{hint}"
        )
    rows = np.flatnonzero(known.isin(common))
    repeated = ({*known[known.duplicated()]} & {*given}) | ({*given[given.duplicated()]} & {*known})
    how = f"{kind_of(given)} ({best[1]}; in the reference {best[0]})"
    return Match(rows, given.get_indexer_for(known[rows]), how, len(repeated - {""}), len(known), len(given))


def _once(names: pd.Index) -> set[str]:
    return {*names[~names.duplicated(keep=False)]} - {""}


def _first(names: pd.Index) -> str:
    return " ".join(", ".join(names[:3]).split())

"""Which gene of the query is which of the reference: by symbol or Ensembl id, wherever a file has them."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from jindbench.errors import InputError

# Stable identifiers of genes, such as ENSG00000141510 or ENSMUSG00000059552.7, with "_PAR_Y" at some.
ENSEMBL = r"^ENS(?P<species>[A-Z]*)G\d{11}(?:\.\d+)?(?:_PAR_Y)?$"
SPECIES = {"": "human", "MUS": "mouse"}  # by what stands between ENS and G
SYMBOLS = {"human": r"^[A-Z][A-Z\d.orf-]+$", "mouse": r"^[A-Z][a-z\d.-]*$"}  # "C1orf112", "Cd3e"
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


def _species(names: pd.Index) -> str:
    """What most of the names look like, with a space behind; "" where they tell of no species that is known here."""
    if kind_of(names) == "Ensembl ids":
        prefix = names.str.extract(ENSEMBL)["species"].mode()[0]
        return f"{SPECIES[prefix]} " if prefix in SPECIES else ""
    for species, pattern in SYMBOLS.items():
        if names.str.match(pattern).mean() > 0.5:
            return f"{species} "
    return ""


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
        Genes of both sides' files.
    """

    reference: np.ndarray
    query: np.ndarray
    how: str
    repeated: int
    n_reference: int
    n_query: int

    def within(self, rows: np.ndarray) -> "Match":
        """The same for those of the reference's genes that are at `rows`: positions among these."""
        kept = np.isin(self.reference, rows)
        return replace(self, reference=np.searchsorted(rows, self.reference[kept]), query=self.query[kept])


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
        ours, theirs = _species(given), _species(known)
        remedy = ""
        if ours and theirs and ours != theirs:
            remedy = "; give the query's var a column with the names of the reference's orthologs"
        elif kind_of(given) != kind_of(known):
            remedy = f"; give the query's var a column with {kind_of(known)}"
        raise InputError(
            f"{where}: {len(common)} of its {len(given)} genes are among the reference's {len(known)}, at least "
            f"{least} are needed; the reference's begin with {_first(known)} ({theirs}{kind_of(known)}), its own "
            f"with {_first(given)} ({ours}{kind_of(given)}){remedy}"
        )
    rows = np.flatnonzero(known.isin(common))
    repeated = ({*known[known.duplicated()]} & {*given}) | ({*given[given.duplicated()]} & {*known})
    how = f"{kind_of(given)} ({best[1]}; in the reference {best[0]})"
    return Match(rows, given.get_indexer_for(known[rows]), how, len(repeated - {""}), len(known), len(given))


def _once(names: pd.Index) -> set[str]:
    return {*names[~names.duplicated(keep=False)]} - {""}


def _first(names: pd.Index) -> str:
    return " ".join(", ".join(names[:3]).split())

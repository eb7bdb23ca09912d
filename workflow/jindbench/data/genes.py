"""Which gene of one table is which of another: by symbol or Ensembl id, wherever a file has them."""

import logging
import re
from dataclasses import dataclass, replace

import anndata as ad
import numpy as np
import pandas as pd

from jindbench.errors import InputError

log = logging.getLogger(__name__)

# Stable identifiers of genes, such as ENSG00000141510 or ENSMUSG00000059552.7, with "_PAR_Y" at some.
ENSEMBL = r"^ENS(?P<species>[A-Z]*)G\d{11}(?:\.\d+)?(?:_PAR_Y)?$"
SPECIES = {"": "human", "MUS": "mouse"}  # by what stands between ENS and G
SYMBOLS = {"human": r"^[A-Z][A-Z\d.orf-]+$", "mouse": r"^[A-Z][a-z\d.-]*$"}  # "C1orf112", "Cd3e"
VERSION = r"(?<=\d)\.\d+(?=_PAR_Y$|$)"

# Names that cannot be those of genes, by what they are. Two files that number their genes, each from 0, would seem to
# have all of them in common.
NUMBER = r"^[+-]?\d*\.?\d+(?:[eE][+-]?\d+)?$"
WORDS = "[a-z]*gene|feat(ure)?|var(iable)?|col(umn)?|row|index|idx|id|item|(un)?named?|hvg|rna|probe|peak|[cfgnvx]"
NOT_GENES = {
    "numbers": re.compile(NUMBER),
    # Stable ids of flies and worms have more digits (WBGene00000001).
    "running numbers": re.compile(rf"^({WORDS})s?[ _.:#-]*\d{{1,6}}(\.0)?$", re.IGNORECASE),
    "cells' barcodes; if genes are in rows, transpose the matrix": re.compile(r"(^|[^A-Za-z])[ACGTN]{10,}(?![A-Za-z])"),
}

# NCBI's (Entrez) ids of genes are numbers too. Some in any list of them are higher than a list has rows.
MANY_ROWS, ENTREZ_COLUMNS = 100_000, re.compile("^var_names$|entrez|ncbi|gene_?id", re.IGNORECASE)

FEWEST = 50  # common genes: fewer do not tell types apart


def namings(var: pd.DataFrame) -> dict[str, pd.Index]:
    """The ways in which a table of genes names them: the index, and each column of text that differs from gene to gene.

    Names that cannot be those of genes, such as row numbers, are none.

    Returns
    -------
    By "var_names" or the column's name; Ensembl ids without their version.
    """
    columns = {"var_names": var.index.to_series()}
    for name, values in var.items():
        is_text = values.map(type).isin([str]).mean() > 0.5
        if is_text and values.nunique() > len(var) / 2:
            columns[str(name)] = values
    known = {name: _unversioned(values) for name, values in columns.items()}
    return {name: names for name, names in known.items() if _no_genes(names, name) is None}


def _no_genes(names: pd.Index, column: str) -> str | None:
    """What most of the names are, where they cannot be those of genes."""
    filled = names[names != ""]
    for what, pattern in NOT_GENES.items():
        if sum(bool(pattern.search(name)) for name in filled) > len(filled) / 2:
            is_entrez = what == "numbers" and ENTREZ_COLUMNS.search(column)
            return None if is_entrez and pd.to_numeric(filled, errors="coerce").max() > MANY_ROWS else what
    return None


def named(var: pd.DataFrame, where: str) -> dict[str, pd.Index]:
    """`namings`, at least one.

    Raises
    ------
    InputError
        If the table has no names that can be those of genes.
    """
    if known := namings(var):
        return known
    raise InputError(
        f"{where}: {_lost(var)}, and no column of var has names of genes; put gene symbols or Ensembl ids into "
        "var_names or a column of var, from the file that the matrix comes from, in its order"
    )


def _lost(var: pd.DataFrame) -> str:
    names = _unversioned(var.index.to_series())
    return f"var_names ({_first(names)}, ...) are {_no_genes(names, 'var_names')}"


def gene_names(var: pd.DataFrame, where: str | None = None) -> pd.Index:
    """One name for each gene: `var_names`, or where these cannot be genes the first column that can, symbols first.

    Where no column can, `var_names` stay: any names tell genes of one file apart.

    Parameters
    ----------
    where
        What the log calls the table if `var_names` cannot be genes; None: no log.
    """
    known, rows = namings(var), var.index.astype(str)
    if "var_names" in known:
        return rows
    column = min(known, key=lambda name: kind_of(known[name]) != "symbols", default=None)
    if where is not None:
        taken = (
            "genes can only be compared within this file" if column is None else f"genes are named by var['{column}']"
        )
        log.warning("%s: %s; %s", where, _lost(var), taken)
    return rows if column is None else ad.utils.make_index_unique(known[column].where(known[column] != "", rows))


def _unversioned(values: pd.Series) -> pd.Index:
    text = values.astype("object").where(values.notna(), "").astype(str)
    is_ensembl = text.str.match(ENSEMBL)
    return pd.Index(text.where(~is_ensembl, text.str.replace(VERSION, "", regex=True)))


def kind_of(names: pd.Index) -> str:
    """What most of the names are, in words."""
    kinds = {"Ensembl ids": ENSEMBL, "Entrez ids": NUMBER}
    return next((kind for kind, pattern in kinds.items() if names.str.match(pattern).mean() > 0.5), "symbols")


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
    return min(known.values(), key=lambda names: kind_of(names) != "symbols")


@dataclass(frozen=True)
class Match:
    """Genes that reference and query have in common."""

    reference: np.ndarray  # positions of the same genes in both tables, in the reference's order
    query: np.ndarray
    how: str  # by which names they were matched, in words
    repeated: int  # names left out, since a side has them more than once
    n_reference: int  # genes of both sides' files
    n_query: int

    def within(self, rows: np.ndarray) -> "Match":
        """The same for those of the reference's genes that are at `rows`: positions among these."""
        kept = np.isin(self.reference, rows)
        return replace(self, reference=np.searchsorted(rows, self.reference[kept]), query=self.query[kept])


def match(
    reference: pd.DataFrame,
    query: pd.DataFrame,
    where: str,
    *,
    least: int = FEWEST,
    sides: tuple[str, str] = ("reference", "query"),
) -> Match:
    """Find the same genes in two tables, by those of their namings that have most in common.

    A name that a side has more than once is left out: which of them is meant cannot be told.

    Parameters
    ----------
    reference, query
        Tables of genes (`var`).
    where
        What an error calls the query, or both.
    least
        Number of common genes below which it is an error.
    sides
        What an error calls reference and query.

    Raises
    ------
    InputError
        If a side names no genes; if few are in common, with the first names of both sides.
    """
    theirs, ours = (named(var, f"{where}: {side}") for var, side in zip((reference, query), sides, strict=True))
    best = max(
        ((a, b) for a in theirs for b in ours), key=lambda pair: len(_once(theirs[pair[0]]) & _once(ours[pair[1]]))
    )
    known, given = theirs[best[0]], ours[best[1]]
    common = _once(known) & _once(given)
    if len(common) < least:
        ours, theirs = _species(given), _species(known)
        remedy = ""
        if ours and theirs and ours != theirs:
            remedy = f"; name the genes of the {sides[1]} by their {theirs}orthologs"
        elif kind_of(given) != kind_of(known):
            remedy = f"; name the genes of the {sides[1]} by {kind_of(known)}"
        raise InputError(
            f"{where}: {len(common)} genes in common, at least {least} are needed; the {len(known)} of the {sides[0]} "
            f"begin with {_first(known)} ({theirs}{kind_of(known)}), the {len(given)} of the {sides[1]} with "
            f"{_first(given)} ({ours}{kind_of(given)}){remedy}"
        )
    rows = np.flatnonzero(known.isin(common))
    repeated = ({*known[known.duplicated()]} & {*given}) | ({*given[given.duplicated()]} & {*known})
    how = f"{kind_of(given)} ({best[1]}; in the {sides[0]} {best[0]})"
    return Match(rows, given.get_indexer_for(known[rows]), how, len(repeated - {""}), len(known), len(given))


def _once(names: pd.Index) -> set[str]:
    return {*names[~names.duplicated(keep=False)]} - {""}


def _first(names: pd.Index) -> str:
    return " ".join(", ".join(names[:3]).split())

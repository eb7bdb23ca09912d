"""The labelled side: a model fitted to a user's reference, or one that an earlier run has stored."""

import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from anndata import AnnData
from safetensors import SafetensorError
from scipy import sparse

from jindbench import io
from jindbench.annotate.bake_off import BakeOff, bake_off
from jindbench.annotate.by_method import ByMethod
from jindbench.annotate.cells import Cells
from jindbench.annotate.content import Content
from jindbench.annotate.formats import open_cells
from jindbench.annotate.h5ad import AnnDataFile
from jindbench.annotate.hierarchy import Groups, Hierarchy
from jindbench.annotate.settings import AUTO, CONSENSUS, PRESETS, Settings, check_method
from jindbench.data.checks import check_keys, check_types, has_type, to_contract
from jindbench.data.genes import Match, gene_names, named, namings
from jindbench.errors import InputError
from jindbench.jind.estimator import JIND
from jindbench.names import COUNTS, LABEL, MEASURED, X_KIND

FACTS, GENES = "reference.json", "genes.tsv"  # beside the model's own files
NAME = "name in the model"  # column of the table of genes; no column of a file has such a name


log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reference:
    """A fitted model, and what it was fitted on.

    Attributes
    ----------
    jind
        The model, not aligned: JIND, or what stands in its place.
    method
        Its name, as in the settings.
    genes
        The genes it was fitted on, a row each: the index is the name in the model, columns are all their namings.
    composition
        Cells of each type; None where a model was stored by `JIND.save` alone.
    facts
        What people want to know of it, by what each fact is.
    bake_off
        Of all methods, where one was asked for.
    totals
        `Content.totals` of its cells; None where it is not known.
    all_genes
        Whether the cells' totals were those of these genes; if not, a query's other genes belong to its totals too.
    groups
        Broader types that the user named, with their types; None: they are learnt.
    """

    jind: JIND | ByMethod
    method: str
    genes: pd.DataFrame
    composition: pd.Series | None
    facts: dict[str, str]
    totals: tuple[float, ...] | None = None
    bake_off: BakeOff | None = None
    all_genes: bool = True
    groups: Groups | None = None

    @cached_property
    def hierarchy(self) -> Hierarchy:
        """The tree of its types."""
        return Hierarchy.of(self.jind.model_, self.groups)

    def expression(self, X: sparse.csr_matrix, match: Match, cell_ids: pd.Index, *, first: bool = False) -> AnnData:
        """Cells as the model reads them; a method of the benchmark labels them here.

        `first`: these cells begin a query, and may come again.
        """
        cells = self.measured(X, match, cell_ids)
        return self.jind.seen(cells, keep=first) if isinstance(self.jind, ByMethod) else cells

    def measured(self, X: sparse.csr_matrix, match: Match, cell_ids: pd.Index) -> AnnData:
        """Cells as n x the model's genes, those that the query lacks as zeros, and marked so."""
        ones = np.ones(len(match.query), dtype=np.float32)
        shape = (X.shape[1], len(self.genes))
        found, names = X @ sparse.csr_matrix((ones, (match.query, match.reference)), shape), self.genes.index
        if not self.all_genes:
            others = np.setdiff1d(np.arange(X.shape[1]), match.query)
            found = sparse.hstack([found, X[:, others]], format="csr")
            names = names.append(pd.Index([f"gene {position} of the query alone" for position in others]))
        absent = np.setdiff1d(np.arange(len(self.genes)), match.reference)
        measured = ~np.isin(np.arange(len(names)), absent)
        obs, var = pd.DataFrame(index=cell_ids), pd.DataFrame({MEASURED: measured}, index=names)
        return AnnData(found, obs=obs, var=var, uns={X_KIND: self.jind.model_.x_kind})

    def save(self, folder: Path) -> None:
        """Store it in a folder, which `load` reads: the model last, without which it is none."""
        io.write_table(self.genes.rename_axis(NAME).reset_index(), folder / GENES)
        composition = {str(name): int(n) for name, n in self.composition.items()}
        known = {"method": self.method, "composition": composition, "facts": self.facts}
        io.write_json(known | {"totals": self.totals, "groups": self.groups}, folder / FACTS)
        self.jind.save(folder)


def open_reference(settings: Settings) -> tuple[Cells, pd.Series]:
    """Open the labelled cells and check their labels.

    Returns
    -------
    The cells, and the type of each; missing where it has none.

    Raises
    ------
    InputError
        If the file carries no labels, lacks the column, or has only one type.
    """
    path, key = settings.reference, settings.label_key
    cells = open_cells(path)
    if not isinstance(cells, AnnDataFile):
        raise InputError(f"reference: {path}: a {cells.format} carries no labels; expected an AnnData file (.h5ad)")
    obs = cells.obs(key)
    check_keys(obs, path, key, None)
    where = f"{path}: label_key '{key}'"
    known = has_type(obs[key], where, settings.keep_labels)
    labels = obs[key].astype(str).str.strip().where(known)
    for _, names in (types := pd.Series(labels.dropna().unique())).groupby(types.str.casefold()):
        if len(names) > 1:
            log.warning("%s: %s differ in case alone and are taken for several types", where, ", ".join(names))
    if settings.batch_key is not None:
        _batches(cells, settings.batch_key)
    check_types(labels.dropna(), where)
    return cells, labels


def _batches(cells: AnnDataFile, key: str) -> np.ndarray:
    """The batch of each cell, as text; NaN where it has none."""
    obs = cells.obs(key)
    if key not in obs or obs[key].nunique() < 2:
        there = ", ".join(cells.columns) or "none"
        raise InputError(f"{cells.path}: batch_key '{key}' is no column of obs with two batches (there are: {there})")
    return obs[key].astype(str).where(obs[key].notna()).to_numpy(dtype=object)


def check_names(cells: Cells, content: Content, labels: pd.Series, key: str) -> None:
    """Check the names of types and genes as training will, without the values.

    Raises
    ------
    InputError
        If a type has the name of rejected cells, a name holds a control character, or genes have no names.
    """
    var, labels = cells.genes[content.place], labels.dropna()
    named(var, str(cells.path))
    names = _model_names(var)
    nothing = sparse.csr_matrix((len(labels), len(names)), dtype=np.float32)
    _source(nothing, labels, names, COUNTS, f"{cells.path}: label_key '{key}'")


def _model_names(var: pd.DataFrame) -> pd.Index:
    return ad.utils.make_index_unique(gene_names(var))


def _source(X: sparse.csr_matrix, labels: pd.Series, names: pd.Index, kind: str, where: str) -> AnnData:
    """Labelled cells as training reads them, checked."""
    # Cells' names play no part in training, so that those of several samples may be the same.
    obs = pd.DataFrame({LABEL: labels.to_numpy()}, index=[f"cell {i}" for i in range(len(labels))])
    source = AnnData(X, obs=obs, var=pd.DataFrame(index=names), uns={X_KIND: kind})
    return to_contract(source, where, fractional_counts=True)


def fit(cells: Cells, content: Content, labels: pd.Series, rows: np.ndarray, settings: Settings) -> Reference:
    """Fit the model to the labelled cells.

    Parameters
    ----------
    content
        The matrix that is taken.
    labels
        The type of each cell; those without one take no part.
    rows
        Positions of the genes that all queries have.
    """
    X = sparse.vstack([block[:, rows] for block in cells.blocks(content.place)], format="csr")
    n, known = len(labels), labels.notna().to_numpy()
    X, labels = X[known], labels[known]
    var = cells.genes[content.place]
    names = _model_names(var)[rows]
    genes = pd.DataFrame({name: index[rows] for name, index in namings(var).items()}, index=names)
    source = _source(X, labels, names, content.kind, f"{cells.path}: {content.place}")
    method, found = settings.method or CONSENSUS, None
    if method == AUTO:
        batches = None if settings.batch_key is None else _batches(cells, settings.batch_key)[known]
        found = bake_off(source, batches, seed=settings.seed)
        method = found.used
    if method in PRESETS:
        jind = JIND(preset=method, seed=settings.seed).fit(source, label_key=LABEL)
    else:
        jind = ByMethod.fit(method, source, seed=settings.seed)
    facts = {
        "reference": str(cells.path),
        "sha256": io.sha256(cells.path) if cells.path.is_file() else "none: a folder",
        "cells": f"{len(labels):,}" + (f" of {n:,}; the others have no type" if len(labels) < n else ""),
        "label_key": settings.label_key,
        "matrix": f"{content.place}: {content.kind} ({content.why})",
        "genes": f"{len(genes):,}, of which the model reads {len(jind.model_.genes):,}",
        "method": method,
        "seed": str(settings.seed),
    }
    if found is not None:
        facts["methods compared"] = " ".join(found.sentences)
    return Reference(jind, method, genes, labels.value_counts(), facts, content.totals, found)


def load(settings: Settings) -> Reference:
    """Read a stored model.

    Raises
    ------
    InputError
        If the folder holds none, or one of another method.
    """
    folder = Path(settings.reference)
    if not (folder / "model.json").is_file():
        raise InputError(f"reference: {folder}: no stored model; expected a folder with model.json, or an .h5ad file")
    try:
        stored = io.read_json(folder / FACTS) if (folder / FACTS).is_file() else None
        method = (settings.method or CONSENSUS) if stored is None else stored["method"]
        if settings.method not in (None, method):
            raise InputError(f"{folder} was fitted with method={method}, not {settings.method}; leave the key out")
        check_method(method, settings.max_error)
        if method in PRESETS:
            jind = JIND.load(folder, preset=method, seed=settings.seed)
        else:
            jind = ByMethod.load(method, folder, seed=settings.seed)
        if stored is None:  # by JIND.save alone
            names = pd.Index(jind.model_.genes)
            facts = {"reference": str(folder), "genes": f"{len(names):,}"}
            return Reference(
                jind, method, pd.DataFrame({"var_names": names}, index=names), None, facts, all_genes=False
            )
        columns = io.read_table(folder / GENES).columns
        genes = io.read_table(folder / GENES, text=[*columns]).set_index(NAME)
        composition, facts = pd.Series(stored["composition"]), stored["facts"]
    except InputError as error:
        another = "say reference=THE LABELLED CELLS.h5ad and label_key instead of the model's folder"
        raise InputError(f"reference: {error}; {another}") from error
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise InputError(f"reference: {folder}: not a readable model: {' '.join(str(error).split())}") from error
    facts |= {"stored model": str(folder)}
    return Reference(jind, method, genes, composition, facts, stored.get("totals"), groups=stored.get("groups"))

"""A broader label for a cell that is not sure enough of one type: the smallest group of types that surely has its type.

The groups make a tree. It is given by the user, or learnt from the reference: types are near each other if their mean
expression is alike and if held-out cells are taken for one another. How sure is sure enough follows from held-out
cells, as for a single type. docs/annotate.md says how far to trust it, by `tests/real/broader.py`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import average
from scipy.spatial.distance import squareform

from jindbench.annotate.columns import BROAD_LABEL, DEPTH
from jindbench.annotate.settings import Settings
from jindbench.errors import InputError
from jindbench.jind.parameters import ClassifierParameters
from jindbench.jind.thresholds import thresholds_by
from jindbench.names import LABEL, RAW_LABEL, THRESHOLD, UNASSIGNED

if TYPE_CHECKING:
    from jindbench.annotate.h5ad import AnnDataFile
    from jindbench.jind.model import JINDModel

NAMED = 3  # types in the name of a learnt group; of the others it says how many
NOT_TAKEN = 10  # cells of each type that count as never taken for another: a few held-out ones cannot tell
RARE = 0.01  # a mean probability below which two types are never taken for one another
SURE = 0.9  # least probability that a group demands
PARAMETERS = ClassifierParameters(preset="consensus")  # of thresholds
TERM = re.compile(r"CL:\d{7}|unknown")

Groups = dict[str, list[str]]  # the types of each, by name


@dataclass(frozen=True)
class Group:
    """Several types, and what it takes to be of them.

    Attributes
    ----------
    name
        For people.
    types
        Their positions among all K.
    depth
        Steps from the root of the tree, which holds all types: 1 or more.
    threshold
        The probability of being of any of them, above which a cell gets this label.
    """

    name: str
    types: tuple[int, ...]
    depth: int
    threshold: float


@dataclass(frozen=True)
class Hierarchy:
    """The tree of a reference's types.

    Attributes
    ----------
    types
        Names of all K.
    groups
        Those of more than one type and fewer than all, the smallest first. Any two are apart, or one is in the other.
    """

    types: list[str]
    groups: list[Group]

    @classmethod
    def of(cls, model: "JINDModel", given: Groups | None) -> "Hierarchy":
        """That of a model that is not aligned: as given, or learnt."""
        types, probabilities = model.classes, model.validation.cpu().numpy()
        named = learnt(model) if given is None else given
        sets = {}
        for name, members in named.items():
            sets.setdefault(tuple(k for k, kind in enumerate(types) if kind in members), name)
        sets = {members: name for members, name in sets.items() if 1 < len(members) < len(types)}
        assigned = probabilities.argmax(axis=1)
        groups = []
        for members in sorted(sets, key=len):
            sums = probabilities[np.isin(assigned, members)][:, members].sum(axis=1)
            (threshold,) = thresholds_by(PARAMETERS, sums[:, None])
            depth = 1 + sum({*members} < {*others} for others in sets)
            groups.append(Group(sets[members], members, depth, max(SURE, float(threshold))))
        return cls(types, groups)

    @cached_property
    def depths(self) -> np.ndarray:
        """Steps from the root to each of the K types."""
        return np.array([1 + sum(k in group.types for group in self.groups) for k in range(len(self.types))])

    def label(self, table: pd.DataFrame, probabilities: np.ndarray, empty: np.ndarray) -> pd.DataFrame:
        """The broad label of n cells, and its depth.

        It is a cell's label where it has one; else the smallest group with its most probable type, of whose types
        together it is surer than both the group and that type demand; else "unassigned", of depth 0.

        Parameters
        ----------
        table
            Labels, most probable types and thresholds.
        probabilities
            n x K.
        empty
            Which cells have no counts, and so no label.
        """
        raw, demanded = pd.Index(self.types).get_indexer(table[RAW_LABEL]), table[THRESHOLD].to_numpy()
        broad, waiting = table[LABEL].to_numpy(dtype=object, copy=True), (table[LABEL] == UNASSIGNED).to_numpy()
        depth, waiting = np.where(waiting, 0, self.depths[raw]), waiting & ~empty
        for group in self.groups:
            sums = probabilities[:, group.types].sum(axis=1, dtype=np.float64).clip(max=1)
            chosen = waiting & np.isin(raw, group.types) & (sums > np.maximum(group.threshold, demanded))
            broad[chosen], depth[chosen] = group.name, group.depth
            waiting &= ~chosen
        return pd.DataFrame({BROAD_LABEL: broad, DEPTH: depth}, index=table.index)

    def rows(self) -> Iterator[tuple[str, list[str], int, float | None]]:
        """All of the tree, from the root on: name, types, depth and threshold (None: a type, which has its own)."""
        every = [(group.types, group.name, group.depth, group.threshold) for group in self.groups]
        every += [((k,), name, int(self.depths[k]), None) for k, name in enumerate(self.types)]

        def place(item: tuple) -> list[tuple[int, int]]:  # those above it, the largest first, and itself
            above = {other[0] for other in every if {*item[0]} <= {*other[0]}}
            return [(min(members), -len(members)) for members in sorted(above, key=len, reverse=True)]

        for members, name, depth, threshold in sorted(every, key=place):
            yield name, [self.types[k] for k in members], depth, threshold


def learnt(model: "JINDModel") -> Groups:
    """Groups of at most half of the types, by average linkage.

    The distance of two types is the mean of two, from 0 to 1 each: of their mean expression (one less the Pearson
    correlation, halved, of what differs from the mean type), where the model has it; and of the mean probability that
    held-out cells of the one and `NOT_TAKEN` others have of being the other, on a logarithmic scale from `RARE` on.
    """
    types, n = model.classes, len(model.classes)
    if n < 3:
        return {}
    probabilities, truth = model.validation.cpu().numpy(), model.validation_types.cpu().numpy()
    taken = np.array([probabilities[truth == k].sum(axis=0) / ((truth == k).sum() + NOT_TAKEN) for k in range(n)])
    distance = np.log(((taken + taken.T) / 2).clip(RARE, 1)) / np.log(RARE)
    if model.profiles is not None:
        apart = model.profiles.means - model.profiles.means.mean(axis=0)
        apart -= apart.mean(axis=1, keepdims=True)
        norms = np.linalg.norm(apart, axis=1).clip(min=1e-12)
        distance = (distance + (1 - apart @ apart.T / np.outer(norms, norms)) / 2) / 2
    np.fill_diagonal(distance, 0)
    members, groups = [[k] for k in range(n)], {}
    for first, second, *_ in average(squareform(distance.clip(min=0), checks=False)):
        members.append(sorted(members[int(first)] + members[int(second)]))
        if len(members[-1]) <= (n + 1) // 2:
            names = [types[k] for k in members[-1]]
            more = [f"{len(names) - NAMED} more"] * (len(names) > NAMED)
            name = " / ".join([*names[:NAMED], *more])
            groups[name if name not in types else f"any of {name}"] = names
    return groups


def given(settings: Settings, reference: "AnnDataFile | None", labels: pd.Series | None, types: list[str]) -> Groups:
    """The groups that `broad_key` names.

    Parameters
    ----------
    reference, labels
        The labelled cells and their types; None for a stored model, which takes a table alone.
    types
        All types of the reference.

    Raises
    ------
    InputError
        If they are not there, or make no tree.
    """
    if settings.broad_table is not None:
        where = f"broad_key: {settings.broad_table}"
        rows = _rows(settings.broad_table, where, "types and broader types", None)
        levels = pd.DataFrame.from_dict(rows, orient="index")
        _complete(rows, types, where)
    elif reference is None:
        raise InputError("broad_key: a stored model has no columns; name a table (.tsv), or leave the key out")
    else:
        where = f"broad_key: {reference.path}"
        levels = pd.DataFrame({key: _of_types(reference, labels, key, where) for key in settings.broad_key})
    levels, groups = levels.reindex(types), {}
    for _, level in levels.items():
        for name, members in level.groupby(level).groups.items():
            if groups.setdefault(name, sorted(members)) != sorted(members):
                raise InputError(f"{where}: '{name}' names two different groups; give each a name of its own")
    for name, members in groups.items():
        if name == UNASSIGNED:
            raise InputError(f"{where}: '{name}' is the label of cells without one; give the group another name")
        if name in types and name not in members:
            raise InputError(f"{where}: '{name}' is the name of a type, but not of a group with this type")
        for other, theirs in groups.items():
            if {*members} & {*theirs} and not ({*members} <= {*theirs} or {*theirs} <= {*members}):
                raise InputError(f"{where}: no tree: '{name}' and '{other}' share types, and neither is in the other")
    return groups


def _of_types(reference: "AnnDataFile", labels: pd.Series, key: str, where: str) -> pd.Series:
    """The broader type of each type, by the cells."""
    obs = reference.obs(key)
    if key not in obs:
        there = ", ".join(reference.columns) or "none"
        raise InputError(f"{where}: '{key}' is neither a column of obs (there are: {there}) nor a file")
    pairs = pd.DataFrame({"type": labels.to_numpy(), "broad": obs[key].to_numpy()}).dropna().astype(str)
    found = pairs.drop_duplicates()
    if found["type"].duplicated().any():
        name = found["type"][found["type"].duplicated()].iloc[0]
        several = ", ".join(found["broad"][found["type"] == name][:3])
        raise InputError(f"{where}: column '{key}': cells of the type '{name}' have several values: {several}")
    return found.set_index("type")["broad"]


def terms(path: str, types: list[str]) -> dict[str, str]:
    """Cell Ontology ids by label: those of the user's table, of two columns.

    Raises
    ------
    InputError
        If it cannot be read, has an id that is none, or lacks a type of the reference.
    """
    where = f"ontology: {path}"
    rows = _rows(Path(path), where, "labels and ids", 2)
    for name, (term,) in rows.items():
        if term is None or not TERM.fullmatch(term):
            raise InputError(f"{where}: '{name}': expected an id such as CL:0000084, or unknown; got '{term or ''}'")
    _complete(rows, types, where)
    return {name: term for name, (term,) in rows.items()}


def _complete(rows: dict, types: list[str], where: str) -> None:
    if missing := [name for name in types if name not in rows]:
        raise InputError(f"{where}: has no line for {len(missing)} of the reference's types: {', '.join(missing)}")


def _rows(path: Path, where: str, what: str, n_columns: int | None) -> dict[str, list[str | None]]:
    """Lines of a table below its header, by their first field; None for empty fields, and those left out at the end."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{where}: not a readable text file: {error}") from error
    width = len(lines[0].split("\t")) if lines else 0
    if width < 2 or (n_columns is not None and width != n_columns):
        wanted = n_columns or "two or more"
        raise InputError(
            f"{where}: line 1: expected a header with {wanted} columns, separated by tabs ({what}); got {width}"
        )
    rows = {}
    for line, text in enumerate(lines[1:], start=2):
        if not text.strip():
            continue
        name, *fields = (field.strip() for field in text.split("\t"))
        if len(fields) >= width:
            raise InputError(f"{where}: line {line}: expected {width} columns, got {len(fields) + 1}")
        if name in rows:
            raise InputError(f"{where}: line {line}: '{name}' is there twice")
        rows[name] = [field or None for field in fields] + [None] * (width - 1 - len(fields))
    return rows

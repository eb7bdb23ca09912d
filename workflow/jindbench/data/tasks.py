"""Tasks: which cells are the labelled source, and which the target whose labels a method never sees."""

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from anndata import AnnData
from pydantic import BeforeValidator, Field, model_validator
from scipy.sparse import csr_matrix

from jindbench.data import genes
from jindbench.data.checks import check_types
from jindbench.errors import InputError
from jindbench.names import BATCH, LABEL, X_KIND
from jindbench.parameters import DatasetName, Name, Parameters, Title, existing


def _types(value: Any) -> Any:
    is_list = isinstance(value, list) and value and all(isinstance(item, str) for item in value)
    if not is_list and value not in ("common", "all"):
        raise ValueError("expected 'common', 'all' or a list of cell types")
    return value


class Side(Parameters):
    """Source or target of a task."""

    dataset: DatasetName = Field(description="Dataset the cells come from.")
    batch: str | None = Field(None, description="One of its batches; without it, all its cells.")
    types: Annotated[str | list[str], BeforeValidator(_types)] = Field(
        "common",
        description="`common`: only cell types that both sides have; `all`; or a list of types.",
    )


class Split(Parameters):
    """Random split of one batch."""

    PAPERS_OWN: ClassVar[dict] = {"source_share": 0.7, "seed": 0}

    dataset: DatasetName = Field(description="Dataset to split.")
    batch: str | None = Field(None, description="One of its batches; without it, all its cells.")
    rule: Literal["seeded", "paper"] = Field(
        "seeded",
        description="`paper`: the split of the paper's authors, who shuffled the cells in the order of the file with "
        "seed 0 and took the first 70 %.",
    )
    source_share: float = Field(0.7, gt=0, lt=1, description="Share of the cells that form the source.")
    seed: int = Field(0, ge=0, description="Seed of the split, the same for all methods and seeds.")

    @model_validator(mode="after")
    def _the_papers_is_one(self):
        if self.rule == "paper" and {"source_share": self.source_share, "seed": self.seed} != self.PAPERS_OWN:
            raise ValueError("rule: paper has a source_share of 0.7 and seed 0; leave these out")
        return self


class Task(Parameters):
    """A labelled source and a target to annotate: either `source` and `target`, or `split`."""

    title: Title | None = Field(None, description="Name in tables and figures.")
    source: Side | None = Field(None, description="The labelled cells.")
    target: Side | None = Field(None, description="The cells to annotate.")
    split: Split | None = Field(None, description="A random split instead of `source` and `target`.")
    stands_in_for: Annotated[Name, existing("tasks")] | None = Field(
        None,
        description="A task of the paper on the same studies; its numbers are shown beside ours, without a verdict.",
    )

    @model_validator(mode="after")
    def _one_of_two_forms(self):
        if set(self.sides()) not in ({"split"}, {"source", "target"}):
            raise ValueError("expected either source and target, or split")
        return self

    def sides(self) -> dict[str, Side | Split]:
        """The parts of the task that name a dataset, by their key."""
        parts = {"source": self.source, "target": self.target, "split": self.split}
        return {key: part for key, part in parts.items() if part is not None}

    def in_words(self) -> str:
        """Which cells are source and which target, in a sentence."""
        if self.split:
            cells = _cells(self.split)
            if self.split.rule == "paper":
                return f"Source and target are the authors' own split of {cells}, cell by cell."
            return f"Source: {self.split.source_share:.0%} of {cells}, drawn at random; target: the others."
        if self.source.types == self.target.types == "common":
            return f"Source: {_cells(self.source)}; target: {_cells(self.target)}; only types that both have."
        types = {"common": "types that both have", "all": "all types"}
        source, target = (
            f"{_cells(side)} ({types[side.types] if isinstance(side.types, str) else 'chosen types'})"
            for side in (self.source, self.target)
        )
        return f"Source: {source}; target: {target}."

    def with_all_types(self) -> "Task":
        """The same of all cells of its batches, whatever their types."""
        sides = {key: side.model_copy(update={"types": "all"}) for key, side in self.sides().items()}
        return self.model_copy(update=sides)

    def datasets(self) -> list[str]:
        """Names of the datasets the task reads, each once."""
        return list(dict.fromkeys(side.dataset for side in self.sides().values()))


def _cells(side: Side | Split) -> str:
    return side.dataset if side.batch is None else f"{side.dataset}, batch {side.batch}"


def rows_of_split(n: int, split: Split, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows of source and target, in order, of an unstratified random split of n cells (paper, 'Experimental setup').

    Raises
    ------
    InputError
        If a side is left without cells.
    """
    if split.rule == "paper":  # the authors' code, extras/create_data.py
        order = np.arange(n)
        np.random.RandomState(split.seed).shuffle(order)
        n_source = int(split.source_share * n)
    else:
        order = np.random.default_rng(split.seed).permutation(n)
        n_source = round(split.source_share * n)
    if n_source in (0, n):
        raise InputError(f"{where}.split: of {n} cells, {n_source} are source; both sides need cells")
    return np.sort(order[:n_source]), np.sort(order[n_source:])


def random_split(adata: AnnData, split: Split, where: str) -> tuple[AnnData, AnnData]:
    """Source and target of `rows_of_split`."""
    source, target = rows_of_split(adata.n_obs, split, where)
    return adata[source].copy(), adata[target].copy()


def select_batch(adata: AnnData, batch: str | None, where: str) -> AnnData:
    """The cells of one batch, or all where `batch` is None."""
    if batch is None:
        return adata
    selected = adata[adata.obs[BATCH] == batch].copy()
    if selected.n_obs == 0:
        present = ", ".join(sorted(adata.obs[BATCH].unique()))
        raise InputError(f"{where}: there is no batch '{batch}' (there are: {present})")
    return selected


def select_types(
    source: AnnData, target: AnnData, source_types: str | list[str], target_types: str | list[str], where: str
) -> tuple[AnnData, AnnData]:
    """Restrict both sides to chosen cell types.

    Parameters
    ----------
    source_types, target_types
        A list; "all": no restriction; or "common": the types that both sides have (paper, 'Experimental setup'), after
        a list has restricted the other side.

    Raises
    ------
    InputError
        If a listed type does not occur on its side, or a side is left without cells.
    """
    wanted = {"source": source_types, "target": target_types}
    present = {"source": set(source.obs[LABEL]), "target": set(target.obs[LABEL])}
    keep = dict(present)
    for name, types in wanted.items():
        if isinstance(types, list):
            if absent := sorted(set(types) - present[name]):
                there = ", ".join(sorted(present[name]))
                raise InputError(f"{where}.{name}.types: no cell is '{absent[0]}' (there are: {there})")
            keep[name] = set(types)
    common = keep["source"] & keep["target"]
    sides = []
    for name, side in (("source", source), ("target", target)):
        side = side[side.obs[LABEL].isin(common if wanted[name] == "common" else keep[name])].copy()
        if side.n_obs == 0:
            raise InputError(f"{where}.{name}: no cells are left (types: {wanted[name]})")
        sides.append(side)
    return sides[0], sides[1]


def match_genes(source: AnnData, target: AnnData, where: str) -> tuple[AnnData, AnnData]:
    """Restrict cells of two datasets to the genes they share (`genes.match`), in the source's order, by its names."""
    if source.uns[X_KIND] != target.uns[X_KIND]:
        raise InputError(
            f"{where}: X of the source is '{source.uns[X_KIND]}', of the target '{target.uns[X_KIND]}'; "
            "they must be of one kind (see the datasets' x_kind and normalize)"
        )
    found = genes.match(source.var, target.var, where, sides=("source", "target"))
    source, target = source[:, found.reference].copy(), target[:, found.query].copy()
    target.var_names = source.var_names
    return source, target


def check_apart(source: AnnData, target: AnnData, where: str, *, one_dataset: bool) -> None:
    """Check that no cell is on both sides: a method would have seen its label.

    Cells of two datasets may have the same id by chance; they are the same where their expression is too.

    Raises
    ------
    InputError
        With the number of these cells.
    """
    shared = source.obs_names.intersection(target.obs_names)
    if not one_dataset:
        ours, theirs = (csr_matrix(side[shared].X) for side in (source, target))
        shared = shared[(abs(ours - theirs).getnnz(axis=1) == 0) & (ours.getnnz(axis=1) > 0)]
    if len(shared):
        raise InputError(
            f"{where}: {len(shared)} cells, such as '{shared[0]}', are in source and target, which have {source.n_obs} "
            f"and {target.n_obs}; name two batches or datasets without common cells, or a split"
        )


def make(task: Task, datasets: dict[str, AnnData], where: str) -> tuple[AnnData, AnnData]:
    """Source and target of a task, both with labels and the same genes.

    Parameters
    ----------
    datasets
        By name, as `checks.to_contract` returns them.
    where
        The task's key, which an error names.

    Raises
    ------
    InputError
        If the datasets do not hold what the task says, do not fit together, or leave nothing to learn.
    """
    cells = {
        key: select_batch(datasets[side.dataset], side.batch, f"{where}.{key}.batch")
        for key, side in task.sides().items()
    }
    if task.split:
        source, target = random_split(cells["split"], task.split, where)
    else:
        source, target = select_types(cells["source"], cells["target"], task.source.types, task.target.types, where)
        one_dataset = task.source.dataset == task.target.dataset
        if not one_dataset:
            source, target = match_genes(source, target, where)
        check_apart(source, target, where, one_dataset=one_dataset)
    check_types(source.obs[LABEL], f"{where}: the source's labels")
    return source, target

"""The sections of the configuration: their keys, default values, and the checks of one section by itself.

The entries of datasets, integrations and methods hold parameters of a file of that name, which `load` checks by what
that file declares.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from jindbench.data.tasks import Task
from jindbench.parameters import Name, Parameters, Title, UserPath, existing
from jindbench.registry import LIBRARY

Tasks = Annotated[list[Name], existing("tasks")]
Methods = Annotated[list[Name], existing("methods")]
Integrations = Annotated[list[Name], existing("integrations")]

DATA_FOLDER = "data"  # the folder of the datasets, beside those of the runs


@cache
def papers_own() -> set[str]:
    """Tables that are no selection of tasks and methods: those that the rules name."""
    rules = [file.read_text(encoding="utf-8") for file in (LIBRARY.parent / "rules").glob("*.smk")]
    return {name for text in rules for name in re.findall(r"(?:tables/|{part})(\w+)", text)}


def _no_table(name: str) -> str:
    if name in papers_own():
        raise ValueError("this name is taken; choose another")
    return name


def _no_data_folder(name: str) -> str:
    if name == DATA_FOLDER:
        raise ValueError(f"'{DATA_FOLDER}' is the folder of the datasets; choose another name")
    return name


def _different(seeds: list[int]) -> list[int]:
    if len(set(seeds)) < len(seeds):
        raise ValueError("a seed is named twice")
    return seeds


class Run(Parameters):
    """What to run now: a selection from what exists."""

    name: Annotated[Name, AfterValidator(_no_data_folder)] = Field(description="Results go to `results/{name}/`.")
    tasks: Tasks = Field(min_length=1, description="Tasks to run.")
    methods: Methods = Field(min_length=1, description="Methods to run on each task, in the order of the tables.")
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], AfterValidator(_different)] = Field(
        min_length=1,
        description="Every method runs once with each seed; a method without randomness runs with the first only.",
    )
    small_task: int = Field(
        3000,
        ge=0,
        description="A task with at most this many cells, source and target together, is small. Small tasks share "
        "jobs, since starting a job takes longer than the work: one job has up to 30 runs of one method's file. 0: "
        "each run has its own job.",
    )
    strict: bool = Field(
        False, description="End with an error if a method was not run because this machine lacks what it needs."
    )


class Table(Parameters):
    """A supplementary table in the form of Table 2."""

    title: Title = Field(description="Its heading.")
    tasks: Tasks = Field(
        min_length=1,
        description="Its tasks; those that the run selects are shown. If it selects none, the table is not made.",
    )
    methods: Methods = Field(min_length=1, description="Its methods; they run on these tasks for it.")


class Figures(Parameters):
    """Tasks that the paper's figures show: those named that the run selects; if it selects none, all of the run's."""

    method: Annotated[Name, existing("methods")] = Field(
        "jind_plus",
        description="The method whose predictions are shown, and that paired tests and the summary compare the others "
        "with. Figures 2 and 5 show its first two stages: before and after alignment.",
    )
    figure2: Tasks = Field([], description="Latent codes before and after alignment.")
    figure3: Tasks = Field([], description="Rejected cells.")
    figure4: Tasks = Field([], description="The two most confused types and the genes that tell their cells apart.")
    figure5: Tasks = Field(
        [],
        description="A target with types that the source lacks; if none is named, those whose `types` are not "
        "`common`.",
    )


class DifferentialExpression(Parameters):
    """What Figure 4 and Figures S1 to S4 compare: correctly labelled cells of a type, and those labelled otherwise."""

    pairs: Annotated[dict[str, Annotated[list[str], Field(min_length=2, max_length=2)]], existing("tasks")] = Field(
        {}, description="For a task: the true type and the type it is mistaken for; by default the most confused pair."
    )
    model: Literal["voom", "plain"] | None = Field(
        None, description="`voom` for counts, `plain` for values on a log scale; null: chosen by what `X` holds."
    )
    alpha: float = Field(0.001, gt=0, lt=1, description="Largest adjusted p-value of a differentially expressed gene.")
    draws: int = Field(100, ge=1, description="Random pairs of groups for the negative control.")


class Runtime(Parameters):
    """What is timed for the runtime table: alone on all cores, but on small tasks."""

    tasks: Tasks = Field([], description="Tasks, if the run selects them; by default nothing is timed.")
    methods: Methods = Field(
        ["jind_classifier", "jind", "jind_plus", "svm_rej", "actinn", "scpred", "seurat_lt"],
        description="Methods, if they are run.",
    )
    integrations: Integrations = Field(["seurat"], description="Integrations, if they are run.")


class HeldOutTypes(Parameters):
    """What is run again without each of the source's types in turn."""

    tasks: Tasks = Field([], description="Tasks, if the run selects them; by default no type is held out.")
    methods: Methods = Field([], description="Methods, if they are run; by default all of Table 2.")


class Downloads(Parameters):
    """Where downloads are kept."""

    folder: UserPath = Field(
        "data",
        description="Folder for downloads and for files fetched by hand; several checkouts and people may share it.",
    )


class DatasetKeys(Parameters):
    """Keys of a dataset's entry that are not parameters of its file."""

    loader: str | None = Field(None, description="File in `datasets/`; null: the entry's own name.")


class IntegrationKeys(Parameters):
    """Keys of an integration's entry that are not parameters of its file."""

    integration: str | None = Field(None, description="File in `integrations/`; null: the entry's own name.")
    title: Title | None = Field(None, description="Name in tables and figures; null: the file's own.")
    cells: Literal["batches", "task"] = Field(
        "batches",
        description="`batches`: all cells of the task's batches are integrated, and the task's cells are taken from "
        "the result, as the authors did; `task`: only the task's cells are, whose selection may use the target's "
        "labels (`types: common`).",
    )


class MethodKeys(Parameters):
    """Keys of a method's entry that are not parameters of its file."""

    method: str | None = Field(None, description="File in `methods/`; null: the entry's own name.")
    title: Title | None = Field(None, description="Name in tables and figures; null: the file's own.")
    input: Annotated[str, existing("integrations")] | None = Field(
        None, description="Integration whose result it reads, such as `seurat`; null: the cells as they are."
    )
    skip: Annotated[dict[str, str], existing("tasks")] = Field(
        {},
        description="Tasks on which it is not run, each with a reason for the tables; methods that start from it skip "
        "them too.",
    )


# Of the entries; the first key of each names the file.
KEYS = {"datasets": DatasetKeys, "integrations": IntegrationKeys, "methods": MethodKeys}


@dataclass(frozen=True)
class Entry:
    """An entry of datasets, integrations or methods: its file, its keys, and all other values."""

    file: str
    keys: DatasetKeys | IntegrationKeys | MethodKeys
    values: dict


class Sections(Parameters):
    """The whole configuration."""

    run: Run
    tables: dict[Annotated[Name, AfterValidator(_no_table)], Table] = Field({})
    figures: Figures = Figures()
    differential_expression: DifferentialExpression = DifferentialExpression()
    runtime: Runtime = Runtime()
    held_out_types: HeldOutTypes = HeldOutTypes()
    downloads: Downloads = Downloads()
    datasets: dict[Name, Any] = Field({})
    tasks: dict[Name, Task] = Field({})
    integrations: dict[Name, Any] = Field({})
    methods: dict[Name, Any] = Field({})

    @model_validator(mode="before")
    @classmethod
    def _may_be_empty(cls, sections: dict) -> dict:
        """A section with nothing below its name."""
        return {key: {} if value is None else value for key, value in sections.items()}

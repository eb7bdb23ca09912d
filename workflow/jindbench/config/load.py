"""The configuration: read and checked as a whole before anything runs.

Datasets, integrations and methods are files found by discovery; an entry of the configuration sets their parameters, or
adds a variant of one under a name of its own.
"""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from jindbench import registry
from jindbench.annotate.settings import Settings
from jindbench.data.tasks import Task
from jindbench.errors import InputError
from jindbench.parameters import Name, Parameters, Title


class Run(Parameters):
    """What to do now: a selection from what exists."""

    name: Name = Field(description="Results go to `results/{name}/`.")
    tasks: list[Name] = Field(min_length=1, description="Tasks to run.")
    methods: list[Name] = Field(min_length=1, description="Methods to run on each task, in the order of the tables.")
    seeds: list[Annotated[int, Field(ge=0)]] = Field(
        min_length=1,
        description="Every method runs once with each; one in which nothing is random, with the first alone.",
    )
    strict: bool = Field(
        False, description="End with an error where a method was not run because this machine lacks what it needs."
    )


class Table(Parameters):
    """A supplementary table in the form of Table 2."""

    title: Title = Field(description="Its heading.")
    tasks: list[Name] = Field(
        min_length=1, description="Its tasks, those of them that the run selects; without any it is not made."
    )
    methods: list[Name] = Field(min_length=1, description="Its methods; they run on these tasks for it.")


class Figures(Parameters):
    """Which tasks the paper's figures show: of those named the ones that the run selects, or else all of the run's."""

    method: Name = Field("jind_plus", description="Whose predictions they show; Figures 2 and 5 its two parents' too.")
    figure2: list[Name] = Field([], description="Latent codes before and after alignment.")
    figure3: list[Name] = Field([], description="Rejected cells.")
    figure4: list[Name] = Field([], description="The two most confused types and what tells their cells apart.")
    figure5: list[Name] = Field([], description="A target with types that the source lacks.")


class DifferentialExpression(Parameters):
    """What is compared for Figure 4 and Figures S1 to S4: cells of a type labelled rightly, and as another type."""

    pairs: dict[str, Annotated[list[str], Field(min_length=2, max_length=2)]] = Field(
        {}, description="Task: true type and the type it is taken for; else the two that are confused most often."
    )
    model: Literal["voom", "plain"] | None = Field(
        None, description="`voom` for counts, `plain` for values on a log scale; null: by what `X` holds."
    )
    alpha: float = Field(0.001, gt=0, lt=1, description="Largest adjusted p-value of a differentially expressed gene.")
    draws: int = Field(100, ge=1, description="Random pairs of groups of the negative control.")


class Runtime(Parameters):
    """What is timed alone on all cores, for the runtime table."""

    tasks: list[Name] = Field([], description="Tasks, those of them that the run selects; none: nothing is timed.")
    methods: list[Name] = Field(
        ["jind_classifier", "jind", "jind_plus", "svm_rej", "actinn", "scpred", "seurat_lt"],
        description="Methods, those of them that are run.",
    )
    integrations: list[Name] = Field(["seurat"], description="Integrations, those of them that are run.")


class HeldOutTypes(Parameters):
    """What is run again without each of the source's types, for the held-out-type matrix."""

    tasks: list[Name] = Field([], description="Tasks, those of them that the run selects; none: nothing is held out.")
    methods: list[Name] = Field([], description="Methods, those of them that are run; none named: all of Table 2.")


class Downloads(Parameters):
    """Where downloads are kept."""

    folder: str = Field(
        "data",
        description="Folder for downloaded files, and for files fetched by hand; checkouts and people may share one.",
    )


class DatasetKeys(Parameters):
    """Keys of a dataset's entry that are not parameters of its file."""

    loader: str | None = Field(None, description="File in `datasets/`; null: the entry's own name.")


class IntegrationKeys(Parameters):
    """Keys of an integration's entry that are not parameters of its file."""

    integration: str | None = Field(None, description="File in `integrations/`; null: the entry's own name.")
    title: Title | None = Field(None, description="Name in tables and figures; null: the file's own.")


class MethodKeys(Parameters):
    """Keys of a method's entry that are not parameters of its file."""

    method: str | None = Field(None, description="File in `methods/`; null: the entry's own name.")
    title: Title | None = Field(None, description="Name in tables and figures; null: the file's own.")
    parent: str | None = Field(None, description="Method whose stored model it starts from; null: the file's own.")
    input: str | None = Field(
        None, description="Integration whose result it reads, such as `seurat`; null: the cells as they are."
    )
    skip: dict[str, str] = Field(
        {}, description="Tasks that it is not run on, each with the reason that the tables show."
    )


@dataclass(frozen=True)
class Dataset:
    """A dataset of the configuration: the file that loads it, and that file's parameters."""

    loader: str
    parameters: Parameters


@dataclass(frozen=True)
class Method:
    """A method of the configuration: the file that runs it, its name in tables, what it starts from, its parameters."""

    method: str
    title: str
    parent: str | None
    input: str | None
    skip: dict[str, str]
    parameters: Parameters


@dataclass(frozen=True)
class Integration:
    """An integration of the configuration: the file that runs it, its name in tables, its parameters."""

    integration: str
    title: str
    parameters: Parameters


@dataclass(frozen=True)
class Configuration:
    """The checked configuration: all that exists, and in `run` the selection."""

    run: Run
    extra_tables: dict[str, Table]
    figures: Figures
    differential_expression: DifferentialExpression
    runtime: Runtime
    held_out_types: HeldOutTypes
    downloads: Downloads
    datasets: dict[str, Dataset]
    tasks: dict[str, Task]
    integrations: dict[str, Integration]
    methods: dict[str, Method]

    def selected_tasks(self) -> dict[str, Task]:
        """The selected tasks by name."""
        return {name: self.tasks[name] for name in self.run.tasks}

    def selected_datasets(self) -> list[str]:
        """Names of the datasets that the selected tasks read, each once."""
        return list(dict.fromkeys(name for task in self.selected_tasks().values() for name in task.datasets()))

    def tables(self) -> dict[str, Table]:
        """Table 2, which is the run's tasks and methods, and the others that have tasks of the run; by file name."""
        tables = {"table2": Table(title="Table 2", tasks=self.run.tasks, methods=self.run.methods)}
        for name, table in self.extra_tables.items():
            if tasks := [task for task in self.run.tasks if task in table.tasks]:
                tables[name] = table.model_copy(update={"tasks": tasks})
        return tables

    def selected_methods(self, *, parents: bool = True) -> dict[str, Method]:
        """The methods of all tables by name, and those whose models they start from."""
        names = list(dict.fromkeys(name for table in self.tables().values() for name in table.methods))
        for name in names:
            parent = self.methods[name].parent
            if parents and parent is not None and parent not in names:
                names.append(parent)
        return {name: self.methods[name] for name in names}

    def left_out(self, task: str, method: str) -> str | None:
        """Why the configuration has a method not run on a task, as the tables' status; None if it is run."""
        entry = self.methods[method]
        if entry.input is not None and self.tasks[task].split is not None:
            return "not applicable"  # one batch: there is nothing to integrate
        if task in entry.skip:
            return f"not run: {entry.skip[task]}"
        return None if entry.parent is None else self.left_out(task, entry.parent)

    def seeds(self, method: str) -> list[int]:
        """Seeds that a method is run with: the first alone if nothing in it is random."""
        module = registry.component("methods", self.methods[method].method)
        return self.run.seeds if getattr(module, "RANDOM", True) else self.run.seeds[:1]

    def cells(self, *, parents: bool = False) -> list[tuple[str, str]]:
        """(task, method) of all tables' cells, task by task, each once; on request those that they start from too."""
        wanted = {
            (task, method) for table in self.tables().values() for task in table.tasks for method in table.methods
        }
        if parents:
            wanted |= {(task, stage) for task, method in wanted for stage in self.chain(method)}
        return [
            (task, method) for task in self.run.tasks for method in self.selected_methods() if (task, method) in wanted
        ]

    def chain(self, method: str) -> list[str]:
        """A method, preceded by those whose models it starts from, the first first."""
        parent = self.methods[method].parent
        return [method] if parent is None else [*self.chain(parent), method]

    def pairs(self, *, parents: bool = False) -> list[tuple[str, str]]:
        """(task, method) of what is run: the `cells` that are not left out."""
        return [pair for pair in self.cells(parents=parents) if self.left_out(*pair) is None]

    def integrated(self) -> list[tuple[str, str]]:
        """(task, integration) of what is integrated, each once."""
        pairs = ((task, self.methods[method].input) for task, method in self.pairs(parents=True))
        return list(dict.fromkeys(pair for pair in pairs if pair[1] is not None))

    def figure_tasks(self, figure: str) -> list[str]:
        """Tasks that a figure of the paper shows."""
        return [task for task in getattr(self.figures, figure) if task in self.run.tasks] or self.run.tasks

    def stages(self, task: str) -> list[str]:
        """The method that the figures show and what it starts from, first the first, if they are run on this task."""
        stages = self.chain(self.figures.method) if self.figures.method in self.methods else [self.figures.method]
        return stages if all((task, stage) in self.pairs(parents=True) for stage in stages) else []

    def timed(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """What is timed alone: (task, method) and (task, integration)."""
        tasks = [task for task in self.run.tasks if task in self.runtime.tasks]
        methods = [pair for pair in self.pairs(parents=True) if pair[0] in tasks and pair[1] in self.runtime.methods]
        return methods, [
            pair for pair in self.integrated() if pair[0] in tasks and pair[1] in self.runtime.integrations
        ]

    def held_out(self) -> list[tuple[str, str, str]]:
        """(task, method, why not): what is run without each of the source's types, or why it is not; "" if it is."""
        chosen, integrated = self.held_out_types, "not applicable: the integration has seen the type"
        return [
            (task, method, self.left_out(task, method) or (integrated if self.methods[method].input else ""))
            for task, method in self.cells()
            if task in chosen.tasks and method in (chosen.methods or self.run.methods)
        ]

    def selected(self) -> dict:
        """The selection as plain data, all defaults written out."""
        datasets = {name: self.datasets[name] for name in self.selected_datasets()}
        return {
            "run": self.run.model_dump(),
            "tables": {name: table.model_dump() for name, table in self.tables().items() if name != "table2"},
            "figures": self.figures.model_dump(),
            "differential_expression": self.differential_expression.model_dump(),
            "runtime": self.runtime.model_dump(),
            "held_out_types": self.held_out_types.model_dump(),
            "datasets": {
                name: {"loader": dataset.loader} | dataset.parameters.model_dump() for name, dataset in datasets.items()
            },
            "tasks": {name: task.model_dump(exclude_none=True) for name, task in self.selected_tasks().items()},
            "integrations": {
                name: {"integration": self.integrations[name].integration}
                | self.integrations[name].parameters.model_dump()
                for name in dict.fromkeys(integration for _, integration in self.integrated())
            },
            "methods": {
                name: {key: getattr(method, key) for key in ("method", "title", "parent", "input", "skip")}
                | method.parameters.model_dump()
                for name, method in self.selected_methods().items()
            },
        }

    def task_title(self, task: str) -> str:
        """The task's name in tables and figures."""
        return self.tasks[task].title or task


# Columns of Table 2 beside the methods' own, and a folder beside the runs' own.
TABLE_COLUMNS = ("task", "n", "metric")
DATA_FOLDER = "data"
PLAIN_SECTIONS = {
    "figures": Figures,
    "differential_expression": DifferentialExpression,
    "runtime": Runtime,
    "held_out_types": HeldOutTypes,
    "downloads": Downloads,
}
# Their keys that name tasks.
NAME_TASKS = {
    "figures": ("figure2", "figure3", "figure4", "figure5"),
    "differential_expression": ("pairs",),
    "runtime": ("tasks",),
}
# Tables that are no selection of tasks and methods.
PAPERS_OWN = (
    "table1",
    "table2",
    "table2_extended",
    "runtime",
    "held_out_types",
    "held_out_labels",
    "claims",
    "metrics",
    "metrics_by_method",
    "training",
    "runs",
)


class ConfigurationError(Exception):
    """The configuration is wrong; one line for each fault."""


def load(config: dict) -> Configuration:
    """Check a configuration as Snakemake merged it.

    Raises
    ------
    ConfigurationError
        With a line for every fault that can be told without reading data.
    """
    faults: list[str] = []
    known = ["run", "tables", *PLAIN_SECTIONS, "datasets", "tasks", "integrations", "methods"]
    for key in config:
        if key not in known:
            faults.append(f"{key}: unknown key{_hint(key, known)}")
    sections = {}
    for key in known:
        sections[key] = {} if config.get(key) is None else config[key]
        if not isinstance(sections[key], dict):
            faults.append(f"{key}: expected a mapping, got {sections[key]!r}")
            sections[key] = None if key == "run" else {}

    run = _validated(Run, sections["run"], "run", faults) if sections["run"] is not None else None
    plain = {key: _validated(model, sections[key], key, faults) for key, model in PLAIN_SECTIONS.items()}
    tables = {}
    for name, entry in sections["tables"].items():
        _check_name(name, "tables", faults)
        if name in PAPERS_OWN:
            faults.append(f"tables.{name}: this name is taken; choose another")
        if (table := _validated(Table, entry, f"tables.{name}", faults)) is not None:
            tables[name] = table
    tasks = {}
    for name, entry in sections["tasks"].items():
        _check_name(name, "tasks", faults)
        if (task := _validated(Task, entry, f"tasks.{name}", faults)) is not None:
            tasks[name] = task
            if set(task.sides()) not in ({"split"}, {"source", "target"}):
                faults.append(f"tasks.{name}: expected either source and target, or split")
    used = [side.dataset for task in tasks.values() for side in task.sides().values()]
    datasets = {
        name: Dataset(file, parameters)
        for name, file, _, _, parameters in _components(
            "datasets", "loader", sections["datasets"], DatasetKeys, used, faults
        )
    }
    integrations = {
        name: Integration(file, own.title or module.TITLE, parameters)
        for name, file, module, own, parameters in _components(
            "integrations", "integration", sections["integrations"], IntegrationKeys, [], faults
        )
    }
    methods = {}
    for name, file, module, own, parameters in _components(
        "methods",
        "method",
        sections["methods"],
        MethodKeys,
        [*(run.methods if run else []), *(name for table in tables.values() for name in table.methods)],
        faults,
    ):
        title = module.TITLE
        if own.input is not None and own.input not in integrations:
            faults.append(f"methods.{name}.input: no integration '{own.input}'{_hint(own.input, integrations)}")
        elif own.input is not None:
            title = f"{title} ({integrations[own.input].title})"
        for task in own.skip:
            if task not in sections["tasks"]:
                faults.append(f"methods.{name}.skip: no task '{task}'{_hint(task, sections['tasks'])}")
        methods[name] = Method(file, own.title or title, own.parent or module.PARENT, own.input, own.skip, parameters)

    for name, task in tasks.items():
        for key, side in task.sides().items():
            if side.dataset not in datasets and side.dataset not in sections["datasets"]:
                faults.append(f"tasks.{name}.{key}.dataset: no dataset '{side.dataset}'{_hint(side.dataset, datasets)}")
    for name, method in methods.items():
        needed = registry.component("methods", method.method).PARENT
        if method.parent in methods and methods[method.parent].method != needed:
            expected = f"{needed} or a variant of it" if needed else "none"
            faults.append(f"methods.{name}.parent: expected {expected}, got '{method.parent}'")
        elif method.parent is not None and method.parent not in methods and method.parent not in sections["methods"]:
            faults.append(f"methods.{name}.parent: no method '{method.parent}'{_hint(method.parent, methods)}")
        elif method.parent in methods and methods[method.parent].input != method.input:
            faults.append(
                f"methods.{name}.input: its parent '{method.parent}' reads '{methods[method.parent].input}', "
                f"it reads '{method.input}'; name a parent that reads the same"
            )
    selections = {"run": run, "held_out_types": plain["held_out_types"]}
    for where, chosen in (selections | {f"tables.{name}": table for name, table in tables.items()}).items():
        for key, existing in (("tasks", tasks), ("methods", methods)):
            named = getattr(chosen, key) if chosen else []
            for position, name in enumerate(named):
                has_file = key == "methods" and name in registry.names(key)
                if name not in existing and name not in sections[key] and not has_file:
                    faults.append(f"{where}.{key}: no {key[:-1]} '{name}'{_hint(name, existing)}")
                if name in named[:position]:
                    faults.append(f"{where}.{key}: '{name}' is named twice")
    for section, keys in NAME_TASKS.items():
        for key in keys if plain[section] else ():
            for name in getattr(plain[section], key):
                if name not in tasks and name not in sections["tasks"]:
                    faults.append(f"{section}.{key}: no task '{name}'{_hint(name, tasks)}")
    if run is not None:
        if run.name == DATA_FOLDER:
            faults.append(f"run.name: '{DATA_FOLDER}' is the folder of the datasets; choose another name")
        if len(set(run.seeds)) < len(run.seeds):
            faults.append("run.seeds: a seed is named twice")
        for key, items in (("tasks", tasks), ("methods", methods)):
            chosen = set(getattr(run, key)).union(*(getattr(table, key) for table in tables.values()))
            titles = [items[name].title or name for name in chosen if name in items]
            if reserved := sorted(set(titles) & set(TABLE_COLUMNS)):
                faults.append(f"run.{key}: '{reserved[0]}' is a column of the tables; set another title")
            if repeated := sorted({title for title in titles if titles.count(title) > 1}):
                faults.append(f"run.{key}: two have the title '{repeated[0]}' in tables; set title")
    configuration = Configuration(
        run=run,
        extra_tables=tables,
        **plain,
        datasets=datasets,
        tasks=tasks,
        integrations=integrations,
        methods=methods,
    )
    if not faults and not configuration.pairs():
        faults.append("run: nothing is left to run: each of these methods is left out of each of these tasks")
    if faults:
        raise ConfigurationError("\n".join(f"configuration: {fault}" for fault in faults))
    return configuration


def annotation(config: dict) -> Settings:
    """Check the keys of `snakemake annotate`, which are those of no other target.

    Raises
    ------
    ConfigurationError
        With a line for every fault that can be told without looking at files.
    """
    faults: list[str] = []
    settings = _validated(Settings, config, "annotate", faults)
    if faults:
        raise ConfigurationError("\n".join(faults))
    return settings


def check_data(configuration: Configuration) -> None:
    """Check that the data of the selected tasks are there, with the keys and batches that the configuration names.

    Raises
    ------
    ConfigurationError
        With a line for every fault.
    """
    faults, batches = [], {}
    for name in configuration.selected_datasets():
        dataset = configuration.datasets[name]
        try:
            loader = registry.component("datasets", dataset.loader)
            batches[name] = loader.batches(dataset.parameters)
            for origin in loader.origins(dataset.parameters):
                origin.check()
        except InputError as error:
            faults.append(f"datasets.{name}: {error}")
            batches[name] = None
    for name, task in configuration.selected_tasks().items():
        for key, side in task.sides().items():
            present = batches[side.dataset]  # None: the file is wrong, or still to be downloaded
            if present is not None and side.batch is not None and side.batch not in present:
                faults.append(
                    f"tasks.{name}.{key}.batch: dataset '{side.dataset}' has no batch '{side.batch}' "
                    f"(there are: {', '.join(present)})"
                )
    if faults:
        raise ConfigurationError("\n".join(f"configuration: {fault}" for fault in faults))


def _components(
    kind: str, file_key: str, entries: dict, keys: type[BaseModel], selected: list[str], faults: list[str]
) -> Iterator[tuple[str, str, ModuleType, Any, Parameters]]:
    """All discovered files, those with defaults for all parameters as they are, and the configuration's entries.

    Yields the entry's name, its file's name and module, the keys that are not the file's, and the file's parameters.
    """
    discovered = registry.names(kind)
    for name, entry in ({name: {} for name in discovered} | entries).items():
        where, entry = f"{kind}.{name}", {} if entry is None else entry
        _check_name(name, kind, faults)
        if not isinstance(entry, dict):
            faults.append(f"{where}: expected a mapping (or {{}} for the defaults), got {entry!r}")
            continue
        own = {key: value for key, value in entry.items() if key in keys.model_fields}
        chosen = _validated(keys, own, where, faults)
        if chosen is None:
            continue
        file = getattr(chosen, file_key) or name
        if file not in discovered:
            faults.append(f"{where}: there is no file '{file}' in {kind}/{_hint(file, discovered)}; set {file_key}")
            continue
        try:
            module = registry.component(kind, file)
        except Exception as error:  # whatever is wrong with the file, only who uses it needs to know
            if name in selected or name in entries:
                faults.append(f"{where}: {kind}/{file}.py cannot be used: {type(error).__name__}: {error}")
            continue
        values = {key: value for key, value in entry.items() if key not in keys.model_fields}
        if not entry and any(field.is_required() for field in module.Parameters.model_fields.values()):
            if name in entries:
                _validated(module.Parameters, values, where, faults)
            continue  # a loader that needs parameters is no dataset by itself
        parameters = _validated(module.Parameters, values, where, faults, other_keys=list(keys.model_fields))
        if parameters is not None:
            yield name, file, module, chosen, parameters


def _validated(
    model: type[BaseModel], value: Any, where: str, faults: list[str], other_keys: list[str] | None = None
) -> Any:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            path = ".".join([where, *(str(part) for part in fault["loc"])])
            faults.append(f"{path}: {_expected(fault, model, other_keys or [])}")
        return None


def _expected(fault: dict, model: type[BaseModel], other_keys: list[str]) -> str:
    """What was expected, in one line."""
    got = f", got {fault['input']!r}"
    match fault["type"]:
        case "extra_forbidden":
            for part in fault["loc"][:-1]:
                model = _nested(model, part)
            return f"unknown key{_hint(fault['loc'][-1], [*other_keys, *model.model_fields])}"
        case "missing":
            return "this key is required"
        case "string_pattern_mismatch":
            return f"expected letters, digits, '_', '.' and '-' only{got}"
        case "model_type" | "dict_type":
            return f"expected a mapping{got}"
        case "value_error":
            return str(fault["ctx"]["error"]) + (got if fault["loc"] else "")
        case "string_type":
            return f"expected text{got}"
        case "int_type":
            return f"expected a whole number{got}"
        case "float_type" if isinstance(fault["input"], str) and re.fullmatch(r"-?\d+[eE]-?\d+", fault["input"]):
            return f"expected a number{got}; YAML reads {fault['input']} as text, write a decimal point: 1.0e-4"
    message = fault["msg"].removeprefix("Input should be ").replace("a valid ", "a ")
    return f"expected {message[0].lower()}{message[1:]}{got}"


def _nested(model: type[BaseModel], key: str) -> type[BaseModel]:
    """The model of a field such as `source: Side | None`."""
    annotation = model.model_fields[key].annotation
    options = [annotation, *getattr(annotation, "__args__", ())]
    return next(option for option in options if isinstance(option, type) and issubclass(option, BaseModel))


def _check_name(name: Any, section: str, faults: list[str]) -> None:
    try:
        TypeAdapter(Name).validate_python(name, strict=True)
    except ValidationError:
        faults.append(f"{section}.{name}: a name must consist of letters, digits, '_', '.' and '-'")


def _hint(key: Any, known: Any) -> str:
    known = [str(item) for item in known]
    if close := difflib.get_close_matches(str(key), known, n=1):
        return f" (did you mean '{close[0]}'?)"
    return f" (there are: {', '.join(known) or 'none'})"

"""The configuration: read and checked as a whole before anything runs.

Datasets, integrations and methods are files found by discovery; an entry of the configuration sets their parameters, or
adds a variant of one under a name of its own.
"""

from collections.abc import Iterable, Iterator

from pydantic import ValidationError

from jindbench import registry
from jindbench.config import messages, variants
from jindbench.config.plan import Configuration, Dataset, Integration
from jindbench.config.sections import DatasetKeys, Entry, IntegrationKeys, Keys, MethodKeys, Sections
from jindbench.errors import ConfigurationError, InputError, hint
from jindbench.parameters import Parameters

# Columns of Table 2 beside the methods' own.
TABLE_COLUMNS = ("task", "n", "metric")


def load(config: dict) -> Configuration:
    """Check a configuration as Snakemake merged it.

    Raises
    ------
    ConfigurationError
        With a line for every fault that can be told without reading data.
    """
    reader = _Reader({key: value for key, value in config.items() if isinstance(value, dict)})
    datasets = {
        name: Dataset(entry.file, parameters)
        for name, entry in reader.entries("datasets", "loader", DatasetKeys).items()
        if (parameters := reader.parameters("datasets", name, entry))
    }
    integrations = {
        name: Integration(entry.file, entry.keys.title or entry.module.TITLE, parameters)
        for name, entry in reader.entries("integrations", "integration", IntegrationKeys).items()
        if (parameters := reader.parameters("integrations", name, entry))
    }
    methods, stages, faults = variants.methods(reader.entries("methods", "method", MethodKeys), integrations)
    reader.names["methods"] += stages
    faults = reader.faults + faults
    try:
        sections = Sections.model_validate(config, context=reader.names)
    except ValidationError as error:
        _refuse([*faults, *messages.lines(error, Sections)])
    found = {"datasets": datasets, "integrations": integrations, "methods": methods}
    plain = {key: getattr(sections, key) for key in Sections.model_fields if key not in ("tables", *found)}
    configuration = Configuration(extra_tables=sections.tables, **plain, **found)
    faults += reader.faults_of_use(
        "datasets", (name for task in configuration.tasks.values() for name in task.datasets())
    )
    tables = configuration.tables().values()
    faults += reader.faults_of_use("methods", (name for table in tables for name in table.methods))
    if not faults:
        faults += _clashing_titles(configuration)
    if not faults and not configuration.pairs():
        faults.append("run: nothing is left to run: each of these methods is left out of each of these tasks")
    _refuse(faults)
    return configuration


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
            for source in loader.sources(dataset.parameters):
                source.check()
        except InputError as error:
            faults.append(f"datasets.{name}: {error}")
            batches[name] = None
    for name, task in configuration.selected_tasks().items():
        for key, side in task.sides().items():
            present = batches[side.dataset]  # None: the file is wrong, or not downloaded yet
            if present is not None and side.batch is not None and side.batch not in present:
                faults.append(
                    f"tasks.{name}.{key}.batch: dataset '{side.dataset}' has no batch '{side.batch}' "
                    f"(there are: {', '.join(present)})"
                )
    _refuse(faults)


class _Reader:
    """Reads the entries of datasets, integrations and methods.

    Attributes
    ----------
    names
        For each kind, the names that other sections may use; those with faults too, which are told once.
    faults
        A line for each fault found so far.
    """

    def __init__(self, sections: dict[str, dict]) -> None:
        self.names = {kind: list(sections.get(kind, {})) for kind in ("tasks", *registry.REQUIRED)}
        self.faults: list[str] = []
        self._sections = sections
        self._unusable: dict[tuple[str, str], str] = {}

    def entries(self, kind: str, file_key: str, keys: type[Keys]) -> dict[str, Entry[Keys]]:
        """All entries: the configuration's, and one without values for each file that needs none."""
        given, discovered, found = self._sections.get(kind, {}), registry.names(kind), {}
        for name, values in ({name: {} for name in discovered} | given).items():
            if not isinstance(name, str):
                continue  # `Sections` says so
            where, values = f"{kind}.{name}", {} if values is None else values
            if not isinstance(values, dict):
                self.faults.append(f"{where}: expected a mapping (or {{}} for the defaults), got {values!r}")
                continue
            try:
                own = {key: value for key, value in values.items() if key in keys.model_fields}
                chosen = keys.model_validate(own, context=self.names)
            except ValidationError as error:
                self.faults += messages.lines(error, keys, where)
                continue
            file = getattr(chosen, file_key) or name
            if file not in discovered:
                self.faults.append(
                    f"{where}: there is no file '{file}' in {kind}/{hint(file, discovered)}; set {file_key}"
                )
                continue
            try:
                module = registry.component(kind, file)
                if kind == "methods":
                    registry.stages(file)
            except Exception as error:  # whatever is wrong with the file concerns only those who use it
                self._unusable[kind, name] = (
                    f"{where}: {kind}/{file}.py cannot be used: {type(error).__name__}: {error}"
                )
                self.faults += [self._unusable[kind, name]] if name in given else []
                continue
            if name in given or not any(field.is_required() for field in module.Parameters.model_fields.values()):
                rest = {key: value for key, value in values.items() if key not in own}
                found[name] = Entry(file, module, chosen, rest)
        self.names[kind] = list(
            dict.fromkeys([*found, *self.names[kind], *(name for of, name in self._unusable if of == kind)])
        )
        return found

    def parameters(self, kind: str, name: str, entry: Entry) -> Parameters | None:
        """An entry's parameters, or None if these have faults."""
        try:
            return entry.module.Parameters.model_validate(entry.values)
        except ValidationError as error:
            other_keys = type(entry.keys).model_fields
            self.faults += messages.lines(error, entry.module.Parameters, f"{kind}.{name}", other_keys=other_keys)
            return None

    def faults_of_use(self, kind: str, names: Iterable[str]) -> list[str]:
        """What is wrong with the files that are used."""
        return [self._unusable[kind, name] for name in names if (kind, name) in self._unusable]


def _clashing_titles(configuration: Configuration) -> Iterator[str]:
    tables = configuration.tables().values()
    for key, items in (("tasks", configuration.tasks), ("methods", configuration.methods)):
        chosen = {name for table in tables for name in getattr(table, key)}
        titles = [items[name].title or name for name in chosen]
        if reserved := sorted(set(titles) & set(TABLE_COLUMNS)):
            yield f"run.{key}: '{reserved[0]}' is a column of the tables; set another title"
        if repeated := sorted({title for title in titles if titles.count(title) > 1}):
            yield f"run.{key}: two have the title '{repeated[0]}' in tables; set title"


def _refuse(faults: list[str]) -> None:
    """End with the faults, if there are any, each once."""
    if faults:
        raise ConfigurationError("\n".join(f"configuration: {fault}" for fault in dict.fromkeys(faults)))

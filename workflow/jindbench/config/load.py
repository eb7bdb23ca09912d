"""The configuration: read and checked as a whole before anything runs.

Datasets, integrations and methods are files found by discovery; an entry of the configuration sets their parameters, or
adds a variant of one under a name of its own.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import yaml

from jindbench import registry
from jindbench.config import messages, variants
from jindbench.config.plan import Configuration, Dataset, Integration
from jindbench.config.sections import KEYS, Entry, Sections
from jindbench.errors import ConfigurationError, InputError, hint
from jindbench.execution import guard
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
    reader = _Reader(config)
    datasets = {name: Dataset(entry.file, own) for name, entry, own in reader.components("datasets")}
    integrations = {}
    for name, entry, parameters in reader.components("integrations"):
        title = entry.keys.title or registry.component("integrations", entry.file).TITLE
        integrations[name] = Integration(entry.file, title, entry.keys.cells, parameters)
    methods, stages, faults = variants.methods(reader.entries("methods"), integrations)
    reader.names["methods"] += stages
    faults = reader.faults + faults
    with messages.collected(faults):
        sections = messages.checked(Sections, config, context=reader.names)
        found = {"datasets": datasets, "integrations": integrations, "methods": methods}
        configuration = Configuration.model_construct(**dict(sections) | found)
        faults += [line for used, line in reader.unusable.items() if used in _used(configuration)]
        faults += [] if faults else _faults_of_the_selection(configuration)
    _refuse(faults)
    return configuration


def check_files(paths: Iterable[str | Path]) -> None:
    """Check that no configuration file has a key twice: YAML takes the last one and says nothing.

    Raises
    ------
    ConfigurationError
        With a line for every such key.
    """
    _refuse([fault for path in paths for fault in _repeated(yaml.compose(Path(path).read_text("utf-8")), path)])


def _repeated(node: yaml.Node | None, path: str | Path, keys: tuple[str, ...] = ()) -> Iterator[str]:
    """A line for each key that a part of a file has twice; `keys` lead there."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated(item, path, keys)
    elif isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            of_value = (*keys, str(key.value))
            if of_value in seen:
                yield f"{path}: {'.'.join(of_value)}: line {key.start_mark.line + 1} has this key again; expected once"
            seen.add(of_value)
            yield from _repeated(value, path, of_value)


def check_data(configuration: Configuration) -> None:
    """Check that the data of the selected tasks are there, with the keys and batches that the configuration names.

    Raises
    ------
    ConfigurationError
        With a line for every fault.
    """
    looked = _look(configuration, configuration.selected_datasets())
    faults = [f"datasets.{name}: {found['fault']}" for name, found in looked.items() if "fault" in found]
    if not faults:  # all addresses end in a name
        faults += _same_file_names(configuration)
    for name, task in configuration.selected_tasks().items():
        for key, side in task.sides().items():
            present = looked[side.dataset].get("batches")  # None: the file is wrong, or not downloaded yet
            if present is not None and side.batch is not None and side.batch not in present:
                faults.append(
                    f"tasks.{name}.{key}.batch: dataset '{side.dataset}' has no batch '{side.batch}' "
                    f"(there are: {', '.join(present)})"
                )
    _refuse(faults)


def _same_file_names(configuration: Configuration) -> Iterator[str]:
    """Datasets whose downloads would have one name in the downloads folder, and are not of the same address."""
    downloads = {}
    for name in configuration.selected_datasets():
        dataset = configuration.datasets[name]
        origins = registry.component("datasets", dataset.loader).origins(dataset.parameters)
        addresses = {origin.address for origin in origins if not origin.is_local}
        for file_name in {origin.file_name for origin in origins if not origin.is_local}:
            other, known = downloads.setdefault(file_name, (name, addresses))
            if not addresses & known:
                yield (
                    f"datasets.{name}.path: {file_name!r} is the name of the download of dataset '{other}' too; save "
                    "one of the two under another name and give its path"
                )


def _look(configuration: Configuration, names: Sequence[str]) -> dict[str, dict]:
    """By name what there is of each dataset: its `batches`, or its `fault`.

    A process of its own looks, since HDF5 itself crashes on some damaged files.
    """

    def look() -> dict:
        found = {}
        for name in names:
            dataset = configuration.datasets[name]
            try:
                loader = registry.component("datasets", dataset.loader)
                batches = loader.batches(dataset.parameters)
                for origin in loader.origins(dataset.parameters):
                    origin.check()
                found[name] = {"batches": batches}
            except InputError as error:
                found[name] = {"fault": str(error)}
        return found

    outcome = guard.guarded(look)
    if outcome.status == "ok":
        return outcome.result
    if len(names) > 1:  # which of them is it?
        return {name: _look(configuration, [name])[name] for name in names}
    fault = f"damaged: reading its file crashes ({outcome.reason})" if outcome.crashed else outcome.reason
    return {names[0]: {"fault": fault}}


class _Reader:
    """Reads the entries of datasets, integrations and methods."""

    def __init__(self, config: dict) -> None:
        sections = {kind: entries for kind, entries in config.items() if isinstance(entries, dict)}
        self._given = {  # names of other types are told with the sections
            kind: {name: entry for name, entry in entries.items() if isinstance(name, str)}
            for kind, entries in sections.items()
        }
        # For each kind the names that exist, including those whose entries have faults.
        self.names = {kind: list(self._given.get(kind, {})) for kind in ("tasks", *registry.REQUIRED)}
        self.unusable: dict[tuple[str, str], str] = {}  # a line for each file that cannot be used, by kind and name
        self.faults: list[str] = []  # a line for each other fault

    def components(self, kind: str) -> Iterator[tuple[str, Entry, Parameters]]:
        """Name, entry and parameters of each dataset or integration."""
        for name, entry in self.entries(kind).items():
            with messages.collected(self.faults):
                model, other_keys = registry.component(kind, entry.file).Parameters, KEYS[kind].model_fields
                yield name, entry, messages.checked(model, entry.values, f"{kind}.{name}", other_keys=other_keys)

    def entries(self, kind: str) -> dict[str, Entry]:
        """The entries of the configuration, and an empty one for each other file that can do without."""
        given, found = self._given.get(kind, {}), {}
        for name, values in ({name: {} for name in registry.names(kind)} | given).items():
            with messages.collected(self.faults):
                entry = self._entry(kind, name, {} if values is None else values)
                if entry and (name in given or not _required(registry.component(kind, entry.file).Parameters)):
                    found[name] = entry
        self.names[kind] = [*found, *self.names[kind], *(name for of, name in self.unusable if of == kind)]
        return found

    def _entry(self, kind: str, name: object, values: object) -> Entry | None:
        """One entry; None if its file cannot be used, which concerns only those who use it."""
        where, files, keys = f"{kind}.{name}", registry.names(kind), KEYS[kind]
        file_key = next(iter(keys.model_fields))
        if not isinstance(values, dict):
            raise ConfigurationError(f"{where}: expected a mapping (or {{}} for the defaults), got {values!r}")
        own = {key: value for key, value in values.items() if key in keys.model_fields}
        checked = messages.checked(keys, own, where, context=self.names)
        file = getattr(checked, file_key) or name
        if file not in files:
            raise ConfigurationError(
                f"{where}: there is no file '{file}' in {kind}/{hint(file, files)}; set {file_key}"
            )
        try:
            registry.component(kind, file)
            if kind == "methods":
                registry.stages(file)
        except Exception as error:
            reason = " ".join(str(error).split())
            line = f"{where}: {kind}/{file}.py cannot be used: {type(error).__name__}: {reason}"
            self.unusable[kind, name] = line
            if name in self._given.get(kind, {}):
                raise ConfigurationError(line) from error
            return None
        return Entry(file, checked, {key: value for key, value in values.items() if key not in own})


def _required(parameters: type[Parameters]) -> bool:
    return any(field.is_required() for field in parameters.model_fields.values())


def _used(configuration: Configuration) -> set[tuple[str, str]]:
    """Kind and name of the datasets and methods that tasks and tables name."""
    datasets = {("datasets", name) for task in configuration.tasks.values() for name in task.datasets()}
    return datasets | {("methods", name) for table in configuration.shown_tables().values() for name in table.methods}


def _faults_of_the_selection(configuration: Configuration) -> Iterator[str]:
    tables = configuration.shown_tables().values()
    for key, items in (("tasks", configuration.tasks), ("methods", configuration.methods)):
        chosen = {name for table in tables for name in getattr(table, key)}
        titles = [items[name].title or name for name in chosen]
        if reserved := sorted(set(titles) & set(TABLE_COLUMNS)):
            yield f"run.{key}: '{reserved[0]}' is a column of the tables; set another title"
        if repeated := sorted({title for title in titles if titles.count(title) > 1}):
            yield f"run.{key}: two have the title '{repeated[0]}' in tables; set title"
    shown = configuration.methods.get(configuration.figures.method)
    if shown and shown.sees_labels:
        yield (
            f"figures.method: '{configuration.figures.method}' is given the target's labels; expected a method that is "
            "not"
        )
    if not configuration.pairs():
        yield "run: nothing is left to run: each of these methods is left out of each of these tasks"


def _refuse(faults: list[str]) -> None:
    """End with the faults, if there are any, each once."""
    if faults:
        raise ConfigurationError("\n".join(f"configuration: {fault}" for fault in dict.fromkeys(faults)))

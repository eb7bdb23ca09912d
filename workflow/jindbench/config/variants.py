"""Methods that start from each other's stored models, such as the classifier, JIND and JIND+: the stages of a variant.

An entry describes its method and all stages before it, which get names of their own: `jind_plus_500` starts from
`jind_500`, and that from `jind_classifier_500`. Entries of one variant add up. What all stages have in common holds for
all of them whichever entry sets it, so a chain of different presets cannot come about.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pydantic import ValidationError

from jindbench import registry
from jindbench.config import messages
from jindbench.config.plan import Integration, Method
from jindbench.config.sections import Entry, MethodKeys

ALL_STAGES = "all stages"
INPUT = "input"


@dataclass
class Variant:
    """Stages that share a suffix of their names.

    Attributes
    ----------
    names
        Each stage's name, by its file; a stage comes after the one it starts from.
    keys
        Of the stages that have an entry of their own: its keys beside the parameters.
    values, paths
        For each stage's file, and for all stages together: values that entries give, by key, and where they do.
    """

    names: dict[str, str] = field(default_factory=dict)
    keys: dict[str, MethodKeys] = field(default_factory=dict)
    values: dict[str, dict] = field(default_factory=dict)
    paths: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, name: str, entry: Entry, stages: list[str], suffix: str) -> list[str]:
        """Take in an entry; returns its faults."""
        for stage in stages:
            self.names.setdefault(stage, stage + suffix)
        self.names[entry.file], self.keys[entry.file] = name, entry.keys
        where, faults = f"methods.{name}", []
        if entry.keys.input is not None:
            faults += self._set(ALL_STAGES, INPUT, entry.keys.input, f"{where}.{INPUT}")
        fields = {stage: list(_parameters(stage).model_fields) for stage in stages}
        for key, value in entry.values.items():
            if key in stages:  # what is below it is that stage's
                if not isinstance(value, dict):
                    faults.append(f"{where}.{key}: expected a mapping, got {value!r}")
                    continue
                for inner, of_stage in value.items():
                    faults += self._set(key, inner, of_stage, f"{where}.{key}.{inner}", known=fields[key])
                continue
            having = [stage for stage in reversed(stages) if key in fields[stage]] or [entry.file]
            if having[0] != entry.file and len(having) > 1 and key not in _parameters(having[0]).OF_ALL_STAGES:
                faults.append(f"{where}.{key}: {' and '.join(having)} have this key; write {having[0]}: {{{key}: ...}}")
                continue
            known = [*MethodKeys.model_fields, *fields[having[0]], *stages[:-1]]
            faults += self._set(having[0], key, value, f"{where}.{key}", known=known)
        return faults

    def _set(self, stage: str, key: str, value: object, path: str, known: list[str] | None = None) -> list[str]:
        if known is not None and key not in known:
            return [f"{path}: {messages.unknown_key(key, known)}"]
        if stage != ALL_STAGES and key in _parameters(stage).OF_ALL_STAGES:
            stage = ALL_STAGES
        values, paths = self.values.setdefault(stage, {}), self.paths.setdefault(stage, {})
        if values.setdefault(key, value) != value:
            return [f"{path}: {value!r}, but {paths[key]} is {values[key]!r}; the stages of a variant share it"]
        paths.setdefault(key, path)
        return []

    def stage(
        self, file: str, parent: str | None, integrations: Mapping[str, Integration]
    ) -> tuple[Method | None, list[str]]:
        """One stage as a method, or None and what is wrong with its values."""
        parameters = _parameters(file)
        shared = {
            key: value for key, value in self.values.get(ALL_STAGES, {}).items() if key in parameters.model_fields
        }
        try:
            checked = parameters.model_validate(shared | self.values.get(file, {}))
        except ValidationError as error:
            paths = self.paths.get(ALL_STAGES, {}) | self.paths.get(file, {})
            return None, list(messages.lines(error, parameters, f"methods.{self.names[file]}", paths=paths))
        keys, read = self.keys.get(file, MethodKeys()), self.values.get(ALL_STAGES, {}).get(INPUT)
        return Method(file, self._title(file, integrations.get(read)), parent, read, keys.skip, checked), []

    def _title(self, file: str, integration: Integration | None) -> str:
        """The entry's own; else the file's, followed by what the last entry's title adds to that file's."""
        if (keys := self.keys.get(file)) and keys.title is not None:
            return keys.title
        own = registry.component("methods", file).TITLE
        for later in reversed(self.keys):
            title, before = self.keys[later].title, registry.component("methods", later).TITLE
            if file in registry.stages(later) and title is not None and title.startswith(before):
                return own + title.removeprefix(before)
        return own if integration is None else f"{own} ({integration.title})"


def methods(
    entries: Mapping[str, Entry], integrations: Mapping[str, Integration]
) -> tuple[dict[str, Method], list[str], list[str]]:
    """All methods: those with an entry and the stages that these start from.

    A stage that equals another method, its title apart, is not run: what starts from it starts from that other one.

    Returns
    -------
    The methods by name; the names of all, those included whose entries have faults; and the faults.
    """
    variants: dict[tuple[str, str], Variant] = {}
    faults, found = [], {}
    for name, entry in entries.items():
        stages = registry.stages(entry.file)
        is_stage = name == entry.file or name.startswith(f"{entry.file}_")
        suffix = name.removeprefix(entry.file) if is_stage else f".{name}"
        variant = variants.setdefault((stages[0], suffix), Variant())
        faults += variant.add(name, entry, stages, suffix)
    for variant in variants.values():
        started_from = {None: None}
        for file, name in variant.names.items():
            parent = started_from.get(registry.component("methods", file).PARENT)
            method, wrong = variant.stage(file, parent, integrations)
            faults += wrong
            if name in found or (name in entries and file not in variant.keys):
                faults.append(f"methods.{name}: a stage of '{list(variant.names.values())[-1]}' has this name too")
            elif method is not None:
                found[name] = method
                same = (other for other, it in found.items() if replace(it, title=method.title) == method)
                started_from[file] = next(same)
    return found, [name for variant in variants.values() for name in variant.names.values()], faults


def _parameters(file: str) -> type:
    return registry.component("methods", file).Parameters

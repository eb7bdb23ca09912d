"""Methods that start from each other's stored models, such as the classifier, JIND and JIND+: the stages of a variant.

An entry describes its method and all stages before it, which get names of their own: `jind_plus_500` starts from
`jind_500`, and that from `jind_classifier_500`. Entries of one variant add up. What all stages have in common holds for
all of them whichever entry sets it, so a chain of different presets cannot come about.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from jindbench import registry
from jindbench.config import messages
from jindbench.config.plan import Integration, Method
from jindbench.config.sections import Entry, MethodKeys
from jindbench.parameters import Parameters

ALL_STAGES = "all stages"


@dataclass
class Variant:
    """Stages that share a suffix of their names."""

    # Each stage's name, by its file; a stage comes after the one it starts from.
    names: dict[str, str] = field(default_factory=dict)
    # For each stage with an entry of its own: the keys beside its parameters.
    keys: dict[str, MethodKeys] = field(default_factory=dict)
    # Values that the entries give, with their paths in the configuration, by stage's file (or `ALL_STAGES`) and key.
    given: dict[tuple[str, str], tuple[object, str]] = field(default_factory=dict)

    def of_stage(self, file: str) -> dict[str, tuple[object, str]]:
        """What is given of one stage's parameters."""
        known = _parameters(file).model_fields
        return {key: it for (stage, key), it in self.given.items() if stage in (file, ALL_STAGES) and key in known}

    def title(self, file: str, integration: Integration | None, preset: str | None) -> str:
        """The title in the stage's entry; else that of its file, with what another entry's title adds to its file's.

        Else, in brackets, what tells it from its file's other variants: its `preset`, if it has one, and what it reads.
        """
        if (keys := self.keys.get(file)) and keys.title is not None:
            return keys.title
        own = registry.component("methods", file).TITLE
        for later in reversed(self.keys):
            title, before = self.keys[later].title, registry.component("methods", later).TITLE
            if file in registry.stages(later) and title is not None and title.startswith(before):
                return own + title.removeprefix(before)
        apart = ", ".join(filter(None, [preset, integration and integration.title]))
        return f"{own} ({apart})" if apart else own


def methods(
    entries: Mapping[str, Entry], integrations: Mapping[str, Integration]
) -> tuple[dict[str, Method], list[str], list[str]]:
    """All methods: those with an entry, and the stages that these start from.

    A stage may equal another method in all but its title; what starts from it then starts from the first such method.

    Returns
    -------
    The methods by name; the names of all, including those whose entries have faults; and the faults.
    """
    variants: dict[tuple[str, str], Variant] = {}
    faults: list[str] = []
    for name, entry in entries.items():
        stages = registry.stages(entry.file)
        named_after_file = name == entry.file or name.startswith(f"{entry.file}_")
        suffix = name.removeprefix(entry.file) if named_after_file else f".{name}"
        variant = variants.setdefault((stages[0], suffix), Variant())
        variant.names = {stage: stage + suffix for stage in stages} | variant.names | {entry.file: name}
        variant.keys[entry.file] = entry.keys
        for stage, key, value, path in _given(f"methods.{name}", entry, stages, faults):
            earlier, its_path = variant.given.setdefault((stage, key), (value, path))
            if earlier != value:
                faults.append(f"{path}: {value!r}, but {its_path} is {earlier!r}; the stages of a variant share it")

    found: dict[str, Method] = {}
    for variant in variants.values():
        read, _ = variant.given.get((ALL_STAGES, "input"), (None, ""))
        starts_from: dict[str | None, str] = {}
        changed = ""  # what follows the preset of a stage with other values than it has, and of what starts from it
        for file, name in variant.names.items():
            if name in found or (name in entries and file not in variant.keys):
                faults.append(
                    f"methods.{name}: a stage of '{list(variant.names.values())[-1]}' has this name too; choose another"
                )
                continue
            given, parameters = variant.of_stage(file), None
            values, paths = ({key: it[part] for key, it in given.items()} for part in (0, 1))
            with messages.collected(faults):
                parameters = messages.checked(_parameters(file), values, f"methods.{name}", paths=paths)
            if parameters is None:
                continue
            if preset := getattr(parameters, "preset", None):
                same = {key: getattr(parameters, key) for key in parameters.OF_ALL_STAGES}
                changed = changed or ", changed" * (parameters != type(parameters)(**same))
                preset += changed
            title, keys = variant.title(file, integrations.get(read), preset), variant.keys.get(file, MethodKeys())
            parent = starts_from.get(registry.component("methods", file).PARENT)
            method = found[name] = Method(file, title, parent, read, keys.skip, parameters)
            starts_from[file] = next(other for other, it in found.items() if replace(it, title=title) == method)
    return found, [name for variant in variants.values() for name in variant.names.values()], faults


def _given(where: str, entry: Entry, stages: list[str], faults: list[str]) -> Iterator[tuple[str, str, object, str]]:
    """What an entry gives: the stage's file (or `ALL_STAGES`), key, value, and path of each value."""
    if entry.keys.input is not None:
        yield ALL_STAGES, "input", entry.keys.input, f"{where}.input"
    keys = {
        stage: list(_parameters(stage).model_fields) for stage in reversed(stages)
    }  # the last that has a key gets it
    known = list(dict.fromkeys([*MethodKeys.model_fields, *stages[:-1], *(key for of in keys.values() for key in of)]))
    for key, value in entry.values.items():
        path, stage = f"{where}.{key}", next((stage for stage in keys if key in keys[stage]), None)
        if key in stages and isinstance(value, dict):  # values of that stage
            for inner, of_stage in value.items():
                if inner in keys[key]:
                    yield _where_it_holds(key, inner), inner, of_stage, f"{path}.{inner}"
                else:
                    faults.append(f"{path}.{inner}: {messages.unknown_key(inner, keys[key])}")
        elif key in stages:
            faults.append(f"{path}: expected a mapping, got {value!r}")
        elif stage is None:
            faults.append(f"{path}: {messages.unknown_key(key, known)}")
        else:
            yield _where_it_holds(stage, key), key, value, path


def _where_it_holds(stage: str, key: str) -> str:
    return ALL_STAGES if key in _parameters(stage).OF_ALL_STAGES else stage


def _parameters(file: str) -> type[Parameters]:
    return registry.component("methods", file).Parameters

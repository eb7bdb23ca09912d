"""The tables of keys in config/README.md, written from the models: `make reference`.

A table stands between two marks, `<!-- keys of NAME -->` and `<!-- end -->`; the rest of the file is written by hand. A
dataset, integration or method without a table gets a section.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from jindbench import io, registry
from jindbench.config.messages import models_in
from jindbench.config.sections import KEYS, Sections
from jindbench.data.tasks import Side, Split
from jindbench.errors import InputError
from jindbench.jind.parameters import PresetParameters

README = Path(__file__).parents[3] / "config/README.md"
BELOW = {"tasks.source": Side, "tasks.split": Split, "jind": PresetParameters}
MARKED = re.compile(r"(?<=<!-- keys of )(\S+)( -->\n).*?(?=<!-- end -->)", flags=re.DOTALL)


def models() -> dict[str, type[BaseModel]]:
    """The models whose keys the file lists, by the names in its marks."""
    sections = {
        name: KEYS.get(name) or next(models_in(field.annotation)) for name, field in Sections.model_fields.items()
    }
    files = {f"{kind}/{name}": registry.component(kind, name).Parameters for kind, name in _files()}
    return sections | BELOW | files


def table(model: type[BaseModel]) -> str:
    """A model's keys with their default values, or their values in each preset, and what they mean."""
    presets = next(filter(None, map(_presets, model.model_fields.values())), {})
    rows = [["key", *(presets or ["default"]), "meaning"]]
    for name, field in model.model_fields.items():
        if presets and name in model.OF_ALL_STAGES:
            continue  # these have a table of their own
        values = _presets(field).values() or [field.default]
        defaults = ["required"] if field.is_required() else [f"`{_yaml(value)}`" for value in values]
        rows.append([f"`{name}`", *defaults, field.description])
    rows.insert(1, ["---"] * len(rows[0]))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows) if model.model_fields else "No parameters.\n"


def written(text: str) -> str:
    """The file's text with all tables as the models have them.

    Raises
    ------
    InputError
        If a mark names no model, as after its file was removed.
    """
    for kind, name in _files():
        if f"<!-- keys of {kind}/{name} -->" not in text:
            summary = registry.component(kind, name).__doc__.splitlines()[0].rstrip(".")
            start = re.search(f"^## `{kind}`", text, flags=re.MULTILINE).end()
            following = re.search("^## ", text[start:], flags=re.MULTILINE)
            end = start + following.start() if following else len(text)
            section = f"### `{name}`: {summary}\n\n<!-- keys of {kind}/{name} -->\n<!-- end -->\n\n"
            text = f"{text[:end].rstrip()}\n\n{section}{text[end:]}".rstrip() + "\n"
    tables = models()
    if gone := [mark[1] for mark in MARKED.finditer(text) if mark[1] not in tables]:
        raise InputError(f"config/README.md: {', '.join(gone)}: no such file or section: remove it from the page")
    return MARKED.sub(lambda mark: f"{mark[1]}{mark[2]}\n{table(tables[mark[1]])}\n", text)


def _files() -> Iterator[tuple[str, str]]:
    return ((kind, name) for kind in KEYS for name in registry.names(kind))


def _presets(field: FieldInfo) -> dict:
    return (field.json_schema_extra or {}).get("presets", {})


def _yaml(value: object) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=1000).splitlines()[0]


if __name__ == "__main__":
    try:
        io.write_text(written(README.read_text(encoding="utf-8")), README)
    except InputError as error:
        raise SystemExit(str(error)) from None

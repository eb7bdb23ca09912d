"""Pydantic's errors as one line each: the key, what was expected, what was found."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from jindbench.errors import ConfigurationError, hint

Model = TypeVar("Model", bound=BaseModel)


def checked(
    model: type[Model],
    values: Any,
    where: str = "",
    *,
    context: Mapping[str, list[str]] | None = None,
    paths: Mapping[str, str] | None = None,
    other_keys: Iterable[str] = (),
) -> Model:
    """A model of what a user gave.

    Parameters
    ----------
    where
        Path of the values, which begins each line.
    context
        Names that exist, see `jindbench.parameters.existing`.
    paths
        Paths of the keys that the user gave elsewhere.
    other_keys
        Keys that may stand beside the model's.

    Raises
    ------
    ConfigurationError
        With a line for each fault.
    """
    try:
        return model.model_validate(values, context=context)
    except ValidationError as error:
        lines = []
        for fault in error.errors(include_url=False):
            keys = [str(part) for part in fault["loc"] if part != "[key]"]
            path = [paths[keys[0]], *keys[1:]] if keys and paths and keys[0] in paths else [where] * bool(where) + keys
            lines += [f"{'.'.join(path)}: {text}" for text in _expected(fault, model, other_keys)]
        raise ConfigurationError("\n".join(lines)) from error


@contextmanager
def collected(faults: list[str]) -> Iterator[None]:
    """Add the lines of a `ConfigurationError` to the faults, and go on."""
    try:
        yield
    except ConfigurationError as error:
        faults += str(error).splitlines()


def unknown_key(key: object, known: Iterable[str]) -> str:
    """What is said of a key that there is not."""
    return f"unknown key{hint(key, known)}"


def _expected(fault: dict, model: type[BaseModel], other_keys: Iterable[str]) -> list[str]:
    """What was expected; several lines where one check found several faults."""
    got = f", got {fault['input']!r}"
    match fault["type"]:
        case "extra_forbidden":
            *parents, key = fault["loc"]
            for part in parents:
                model = _model_of(model, part)
            return [unknown_key(key, [*other_keys, *model.model_fields])]
        case "missing":
            return ["this key is required"]
        case "value_error":
            texts = [str(text) for text in fault["ctx"]["error"].args]
            return [text + got * (text.startswith("expected") and bool(fault["loc"])) for text in texts]
        case "string_pattern_mismatch" | "string_type" if fault["loc"][-1] == "[key]":
            return ["a name must consist of letters, digits, '_', '.' and '-'"]
        case "string_pattern_mismatch":
            return [f"expected letters, digits, '_', '.' and '-' only{got}"]
        case "too_short":
            return [f"expected at least {fault['ctx']['min_length']}{got}"]
        case "too_long":
            return [f"expected at most {fault['ctx']['max_length']}{got}"]
        case "model_type" | "dict_type":
            return [f"expected a mapping{got}"]
        case "string_type":
            return [f"expected text{got}"]
        case "int_type":
            return [f"expected a whole number{got}"]
        case "float_type" if isinstance(fault["input"], str) and re.fullmatch(r"-?\d+[eE]-?\d+", fault["input"]):
            return [f"expected a number{got}; YAML reads {fault['input']} as text, write a decimal point: 1.0e-4"]
    message = fault["msg"].removeprefix("Input should be ").replace("a valid ", "a ")
    return [f"expected {message[0].lower()}{message[1:]}{got}"]


def _model_of(model: type[BaseModel], key: int | str) -> type[BaseModel]:
    """The model of a field such as `source: Side | None`; a position or a name inside a field has the field's."""
    field = model.model_fields.get(key)
    return model if field is None else next(models_in(field.annotation), model)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in a field's annotation, such as `Side | None` or `dict[str, Task]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)

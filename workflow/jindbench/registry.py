"""Discovery: the file is the registration. Also which files a file's behaviour rests on."""

import ast
import importlib
import os
from functools import cache
from pathlib import Path
from types import ModuleType

LIBRARY = Path(__file__).parent
REQUIRED = {
    "datasets": ("Parameters", "origins", "batches", "load"),
    "methods": ("TITLE", "PARENT", "Parameters", "run"),
    "integrations": ("TITLE", "Parameters", "integrate"),
    "figures": ("draw",),
}


def names(kind: str) -> list[str]:
    """Names of all datasets, methods, integrations or figures (`kind` is the folder)."""
    return sorted(path.stem for path in (LIBRARY / kind).glob("*.py") if path.stem != "__init__")


def component(kind: str, name: str) -> ModuleType:
    """The module of one dataset, method, integration or figure.

    Raises
    ------
    TypeError
        If the file lacks something that its folder's contract names.
    """
    module = importlib.import_module(f"jindbench.{kind}.{name}")
    if missing := [attribute for attribute in REQUIRED[kind] if not hasattr(module, attribute)]:
        raise TypeError(f"{module.__file__} defines no {', '.join(missing)} (see {LIBRARY / kind / '__init__.py'})")
    return module


def stages(method: str) -> list[str]:
    """Files of a method and of those whose models it starts from, the first stage first."""
    parent = component("methods", method).PARENT
    return [method] if parent is None else [*stages(parent), method]


def export_library_path() -> None:
    """Let the processes that this one starts import this library, from this folder and no other."""
    paths = [str(LIBRARY.parent), os.environ.get("PYTHONPATH")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))


def library_code(*names: str) -> list[str]:
    """Library files, named without suffix (`methods/jind`), and what they rest on, see `code_of`; each once."""
    return list(dict.fromkeys(file for name in names for file in code_of(LIBRARY / f"{name}.py")))


def code_of(path: Path) -> list[str]:
    """A Python file and all files of this library that it imports, directly or not; and the .R files that these name.

    Snakemake does not see edits of imported files; rules name these as input, so that an edit re-runs what rests on
    it and nothing else.
    """
    found, waiting = set(), [path.resolve()]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            if current.suffix == ".py":
                waiting += _named_in(current)
    # Relative, so that a moved folder is still up to date.
    return sorted(os.path.relpath(file) for file in found)


@cache
def _named_in(path: Path) -> list[Path]:
    """Files of this library that a Python file imports, and the .R files that it names."""
    named = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            named += [_library_file(alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ImportError(f"{path}:{node.lineno}: import from 'jindbench....', not from '.'")
            modules = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            named += map(_library_file, modules)
        elif isinstance(node, ast.Constant) and str(node.value).endswith(".R"):
            named.append(LIBRARY / "r" / node.value)
    return [file for file in named if file is not None and file.is_file()]


def _library_file(module: str) -> Path | None:
    if not module.startswith("jindbench."):
        return None
    path = LIBRARY.joinpath(*module.split(".")[1:])
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)

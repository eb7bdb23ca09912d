"""Discovery: the file is the registration. Also which files a file's behaviour rests on."""

import ast
import hashlib
import importlib
import os
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from jindbench import r
from jindbench.errors import NotAvailable

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


def require(component: ModuleType) -> None:
    """Check that the Python and R packages that a component names are here (`PACKAGES`, `R_PACKAGES`).

    Raises
    ------
    NotAvailable
        If one is missing; says how to get it.
    """
    missing = [package for package in getattr(component, "PACKAGES", ()) if find_spec(package) is None]
    if missing:
        ours = "`make methods`, or snakemake --sdm conda, installs what envs/methods.txt names"
        raise NotAvailable(f"{', '.join(missing)} not installed ({ours})")
    r.require(getattr(component, "R_PACKAGES", ()))


def preload(module: ModuleType) -> None:
    """Import what the functions of a method or an integration import in their first lines, and load its R packages.

    Processes that are forked later have it all: a job that runs a method several times starts it once, and the time of
    the work is not that of imports. Whatever fails here fails again, and is recorded, where it is used.
    """
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    lines = [line for function in tree.body if isinstance(function, ast.FunctionDef) for line in function.body]
    names = [alias.name for line in lines if isinstance(line, ast.Import) for alias in line.names]
    for line in (line for line in lines if isinstance(line, ast.ImportFrom)):
        names += [line.module, *(f"{line.module}.{alias.name}" for alias in line.names)]
    for name in names:
        with suppress(Exception):
            importlib.import_module(name)
    if packages := getattr(module, "R_PACKAGES", ()):
        with suppress(Exception):
            importlib.import_module("jindbench.r.bridge").load(packages)


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


@cache  # hundreds of jobs ask for it
def code_of(path: Path) -> list[str]:
    """A Python file, all files of this library that it imports, directly or not, and the .R files that these name."""
    found, waiting = set(), [path.resolve()]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            if current.suffix == ".py":
                waiting += _named_in(current)
    # Relative, so that a moved folder is still up to date.
    return sorted(os.path.relpath(file) for file in found)


def digest(files: Iterable[str]) -> str:
    """SHA-256 of the contents of some files together."""
    return hashlib.sha256("".join(map(_sha256, sorted(set(files)))).encode()).hexdigest()


@cache
def _sha256(file: str) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


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

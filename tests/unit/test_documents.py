"""What the documents say is what the tree holds: links, commands, names, examples, and the versions that are installed."""

import itertools
import os
import posixpath
import pydoc
import re
import shlex
import subprocess
import sys
from pathlib import Path

import nbformat
import networkx
import pytest
import yaml
from snakemake.cli import parse_args
from snakemake.utils import update_config

from jindbench import __main__ as command_line
from jindbench import registry
from jindbench.config import load, reference
from jindbench.errors import InputError
from toy_task import sides

REPOSITORY = Path(__file__).parents[2]
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}


def read(path):
    """A document's Markdown; of a notebook, its text cells."""
    if path.endswith(".ipynb"):
        return "\n\n".join(cell.source for cell in notebook(path).cells if cell.cell_type == "markdown")
    return (REPOSITORY / path).read_text()


def notebook(path):
    return nbformat.read(REPOSITORY / path, as_version=4)


DOCUMENTS = sorted(
    str(path.relative_to(REPOSITORY))
    for pattern in ("*.md", "config/*.md", "docs/*.md", "docs/*.ipynb", ".github/**/*.md", ".github/**/*.yml")
    for path in REPOSITORY.glob(pattern)
)
documents = pytest.mark.parametrize("document", DOCUMENTS)


# --- Links


def anchors(text):
    """Of the headings, as repositories and the site make them."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    for heading in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@documents
def test_every_link_leads_somewhere(document):
    text = re.sub(r"`[^`\n]*`", "", read(document))
    for target, anchor in re.findall(r"\]\(([^\s()#:]*)(#[^\s()]+)?\)", text):
        path = posixpath.normpath(posixpath.join(posixpath.dirname(document), target)) if target else document
        assert (REPOSITORY / path).exists(), target
        assert not anchor or anchor.removeprefix("#") in anchors(read(path)), target + anchor


def test_the_clone_address_is_the_one_to_cite():
    address = yaml.safe_load(read("CITATION.cff"))["repository-code"]
    assert f"git clone {address}\n" in read("README.md")
    assert yaml.safe_load(read("mkdocs.yml"))["repo_url"] == address


# --- Commands and names


def code(text):
    """Lines of code blocks that are not Python or YAML, and code between backquotes."""
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE):
        if language in ("", "sh"):
            yield from block.splitlines()
    outside = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    yield from (" ".join(span.split()) for span in re.findall(r"`([^`]+)`", outside))


def commands(document, program):
    """The arguments with which a document calls a program, without comments."""
    for line in code(read(document)):
        words = shlex.split(line, comments=True) if line.startswith(program) else []
        if words[:1] == [program] and words[1:]:
            yield words[1:]


def rules():
    text = "\n".join(path.read_text() for path in [REPOSITORY / "Snakefile", *(REPOSITORY / "workflow").rglob("*.smk")])
    return {"run_method", *re.findall(r"^ *(?:rule|checkpoint|use rule \w+ as) (\w+)", text, flags=re.MULTILINE)}


@documents
def test_every_make_target_exists(document):
    targets = re.findall(r"^([a-z-]+):", read("Makefile"), flags=re.MULTILINE)
    for arguments in commands(document, "make"):
        assert {argument for argument in arguments if "=" not in argument} <= set(targets)


@documents
def test_every_snakemake_command_is_understood(document, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    known = rules()
    for arguments in commands(document, "snakemake"):
        _, given = parse_args(arguments)
        assert set(given.targets) <= known, arguments
        assert set(getattr(given, "set_threads", {})) | set(getattr(given, "set_resources", {})) <= known, arguments
        for path in given.configfile or []:
            assert path.suffix == ".yaml", f"{arguments}: a target after --configfile is taken for a file"
            assert path.name == "my.yaml" or path.exists(), path


@documents
def test_every_jindbench_command_is_understood(document, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # where none of the files exists
    for arguments in commands(document, "jindbench"):
        if len(arguments) > 1:
            monkeypatch.setattr(sys, "argv", ["jindbench", *arguments])
            with pytest.raises(SystemExit, match="no such file"):
                command_line.main()


@documents
def test_every_name_of_the_library_exists(document):
    """Modules that are run, and what the API reference shows."""
    for name in re.findall(r"(?:python -m|^:::) (jindbench[\w.]*)", read(document), flags=re.MULTILINE):
        assert pydoc.locate(name), name


def test_no_formatter_broke_what_the_api_reference_includes():
    included = re.findall(r'^--8<-- "(.+)"$', read("docs/api.md"), flags=re.MULTILINE)
    assert len(included) == 3
    assert all((REPOSITORY / path).exists() for path in included)


MADE_BY_LOCK = "config/downloads.lock.tsv"


@documents
def test_every_path_in_the_tree_exists(document):
    """What looks like one: a folder of the tree and something in it, or the name of a file of code."""
    tracked = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    there = [*tracked.split(), MADE_BY_LOCK] + [
        f"{folder}/" for file in tracked.split() for folder in Path(file).parents
    ]
    folders = {path.split("/")[0] for path in tracked.split() if "/" in path}
    for span in code(read(document)):
        named = re.fullmatch(r"[\w.+-]+(?:/[\w.+-]+)*/?", span)
        in_the_tree = "/" in span and span.split("/")[0] in folders
        if named and "NAME" not in span and (in_the_tree or re.search(r"\.(py|smk|rst|R)$", span)):
            assert any(path == span or path.rstrip("/") == span or path.endswith(f"/{span}") for path in there), span


# --- Examples


@pytest.mark.parametrize("document", ["README.md", "docs/benchmark.md"])
def test_the_examples_of_a_configuration_are_valid(document):
    """Merged over config.yaml, as Snakemake does."""
    configuration = yaml.safe_load(read("config/config.yaml"))
    for example in re.findall(r"```yaml\n(.*?)```", read(document), flags=re.DOTALL):
        update_config(configuration, yaml.safe_load(example))
        load.load(configuration)


def test_the_example_of_a_method_works(tmp_path):
    example = re.search(r"```python\n(.*?)```", read("CONTRIBUTING.md"), flags=re.DOTALL).group(1)
    method = {"__name__": "example"}
    exec(compile(example, "CONTRIBUTING.md", "exec"), method)
    source, target, truth = sides()
    parameters = method["Parameters"]()
    table = method["run"](source, target, parameters, seed=0, threads=1, model_dir=tmp_path, parent_dir=None).table
    assert (table["raw_label"].to_numpy() == truth.to_numpy()).mean() > 0.5
    assert set(registry.REQUIRED["methods"]) <= method.keys()


def test_the_tutorial_runs(tmp_path):
    """Its cells as a script; those that start with `!` are commands."""
    script = ["import subprocess, sys"]
    for cell in notebook("docs/tutorial.ipynb").cells:
        if cell.cell_type == "code" and cell.source.startswith("!"):
            words = shlex.split(cell.source[1:].partition(" 2>")[0])
            script.append(f"subprocess.run([sys.executable, '-m', *{words}], check=True)")
        elif cell.cell_type == "code":
            script.append(cell.source)
    script.append("assert right[assigned].mean() > 0.7")
    script.append("assert lacking.loc[is_b, 'novelty'].median() > lacking.loc[~is_b, 'novelty'].median()")
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "workflow"), "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", "\n".join(script)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# --- The workflow

WHAT_ALL_LEADS_TO = ("provenance", "summary", "complete", "all")


def snakemake(configuration, *options):
    command = [Path(sys.executable).parent / "snakemake", "--configfile", f"config/{configuration}.yaml", *options]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout


def test_the_rule_graph_is_the_workflows():
    """Without the edges that longer ways imply and the rules that everything leads to."""
    block = re.search(r"```mermaid\nflowchart LR\n(.*?)```", read("docs/how-it-works.md"), flags=re.DOTALL)
    drawn = set()
    for line in block.group(1).splitlines():
        chain = [name.strip() for name in line.split("-->") if name.strip()]
        drawn |= set(itertools.pairwise(chain))
    graph = snakemake("config", "--rulegraph", "mermaid-js")
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", graph))
    edges = {(names[a], names[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", graph)}
    needed = networkx.DiGraph((a, b) for a, b in edges if a != b and b not in WHAT_ALL_LEADS_TO)
    assert drawn == set(networkx.transitive_reduction(needed).edges)


def test_every_file_of_the_results_is_described():
    described = {Path(span).name.split(".")[0] for span in code(read("docs/results.md"))}
    folders = {span.split("/")[0] for span in code(read("docs/results.md")) if "/" in span}
    files = [line.split("\t")[0] for line in snakemake("demo", "--summary").splitlines()[1:]]
    of_the_run = [path.removeprefix("results/demo/") for path in files if path.startswith("results/demo/")]
    assert len(of_the_run) > 100
    for path in of_the_run:
        folder, _, name = path.rpartition("/")
        is_described = name.split(".")[0] in described if folder in ("", "tables") else folder.split("/")[0] in folders
        assert is_described, path


# --- Versions


def pins(text):
    return dict(line.split("==") for line in text.splitlines() if "==" in line)


def conda_pins(name):
    environment = yaml.safe_load(read(f"envs/{name}.yaml"))
    *of_conda, last = environment["dependencies"]
    of_pip = last["pip"] if isinstance(last, dict) else []
    return dict(re.split(" ?==", entry) for entry in [*of_conda, last, *of_pip] if "==" in entry)


@pytest.mark.parametrize("name", ["python", "r", "methods"])
def test_conda_environments_have_the_same_versions_as_requirements(name):
    required = pins(read("requirements.txt")) | pins(read("envs/methods.txt"))
    required = {CONDA_NAMES.get(package, package.lower()): version for package, version in required.items()}
    conda = conda_pins(name)
    assert conda == {package: required.get(package) for package in conda}


def test_everything_the_library_imports_is_in_its_conda_environment():
    """rpy2, which one folder imports, in that with R; what a method names as its own in that of methods."""
    imported = {"python": set(), "r": set(), "methods": set()}
    for file in (REPOSITORY / "workflow/jindbench").rglob("*.py"):
        text = file.read_text()
        name = "r" if file.parent.name == "r" else "methods" if "\nPACKAGES = " in text else "python"
        imported[name] |= set(re.findall(r"^\s*(?:import|from) (\w+)", text, flags=re.MULTILINE))
    packages = {"sklearn": "scikit-learn", "umap": "umap-learn", "yaml": "pyyaml", "openTSNE": "opentsne"} | CONDA_NAMES
    packages |= {"scvi": "scvi-tools", "xgboost": "xgboost-cpu"}
    for name, modules in imported.items():
        modules -= set(sys.stdlib_module_names) | {"jindbench"}
        modules -= {"snakemake", "snakemake_interface_logger_plugins"}  # of Snakemake's own process, which is no job
        assert {packages.get(module, module) for module in modules} <= set(conda_pins(name))


@pytest.mark.parametrize("path", ["requirements.txt", "envs/docs.txt", "envs/methods.txt"])
def test_every_requirement_is_pinned_exactly(path):
    lines = [line for line in read(path).splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []


def test_packages_that_are_added_change_none_of_the_others():
    required, docs, methods = (pins(read(path)) for path in ("requirements.txt", "envs/docs.txt", "envs/methods.txt"))
    assert required.keys() & (docs | methods).keys() == set()
    assert docs.items() | methods.items() == (docs | methods).items()


# --- The configuration's description


def test_the_configurations_tables_of_keys_are_those_of_the_models():
    """Stale? `make reference` writes them."""
    assert reference.written(reference.README.read_text()) == reference.README.read_text()


def test_what_the_configurations_readme_lacks_is_written():
    text = reference.README.read_text()
    stale = text.replace("| `n_neighbors` |", "| `neighbours` |").replace("<!-- keys of methods/majority -->", "")
    added = reference.written(stale)
    assert "| `n_neighbors` | `15` |" in added
    assert "`neighbours`" not in added
    assert re.search(
        r"^### `majority`: \w.*\n\n<!-- keys of methods/majority -->\n\nNo parameters", added, re.MULTILINE
    )
    with pytest.raises(InputError, match="methods/gone"):
        reference.written(text.replace("methods/majority -->", "methods/gone -->"))


def test_the_examples_of_the_configurations_readme_are_valid():
    examples = re.findall(r"```yaml\n(.*?)```", reference.README.read_text(), flags=re.DOTALL)
    assert examples
    for example in examples:
        paper = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text())
        for section, entries in yaml.safe_load(example).items():
            paper[section] |= entries
        load.load(paper)

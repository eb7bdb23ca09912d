"""What the documents say is what the code does."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import networkx
import pytest
import yaml

from jindbench.config import load, reference

REPOSITORY = Path(__file__).parents[2]
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}


def pins(text):
    return dict(line.split("==") for line in text.splitlines() if "==" in line)


def conda_pins(name):
    environment = yaml.safe_load((REPOSITORY / f"envs/{name}.yaml").read_text())
    return dict(entry.split(" ==") for entry in environment["dependencies"] if " ==" in entry)


@pytest.mark.parametrize("name", ["python", "r"])
def test_conda_environments_have_the_same_versions_as_requirements(name):
    required = pins((REPOSITORY / "requirements.txt").read_text())
    required = {CONDA_NAMES.get(package, package.lower()): version for package, version in required.items()}
    conda = conda_pins(name)
    assert conda == {package: required.get(package) for package in conda}


def test_everything_the_library_imports_is_in_its_conda_environment():
    """rpy2, which one folder imports, in that with R; all else in the other."""
    imported = {"python": set(), "r": set()}
    for file in (REPOSITORY / "workflow/jindbench").rglob("*.py"):
        modules = re.findall(r"^\s*(?:import|from) (\w+)", file.read_text(), flags=re.MULTILINE)
        imported["r" if file.parent.name == "r" else "python"] |= set(modules)
    packages = {"sklearn": "scikit-learn", "umap": "umap-learn", "yaml": "pyyaml", "openTSNE": "opentsne"} | CONDA_NAMES
    for name, modules in imported.items():
        modules -= set(sys.stdlib_module_names) | {"jindbench"}
        assert {packages.get(module, module) for module in modules} <= set(conda_pins(name))


def test_every_requirement_is_pinned_exactly():
    lines = (REPOSITORY / "requirements.txt").read_text().splitlines()
    assert [
        line for line in lines if line and not line.startswith("#") and not re.fullmatch(r"[\w.-]+==[\w.]+", line)
    ] == []


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
    with pytest.raises(KeyError, match="methods/gone"):
        reference.written(text.replace("methods/majority -->", "methods/gone -->"))


def test_the_examples_of_the_configurations_readme_are_valid():
    examples = re.findall(r"```yaml\n(.*?)```", reference.README.read_text(), flags=re.DOTALL)
    assert examples
    for example in examples:
        paper = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text())
        for section, entries in yaml.safe_load(example).items():
            paper[section] |= entries
        load.load(paper)


WHAT_ALL_LEADS_TO = ("provenance", "summary", "complete", "all")


def test_the_readmes_rule_graph_is_the_workflows():
    """Without the edges that longer ways imply, and without the rules that everything leads to; all figures as one."""
    block = re.search(r"```mermaid\nflowchart LR\n(.*?)```", (REPOSITORY / "README.md").read_text(), flags=re.DOTALL)
    drawn = set()
    for line in block.group(1).splitlines():
        chain = [name.strip() for name in line.split("-->") if name.strip()]
        drawn |= set(itertools.pairwise(chain))
    command = [
        Path(sys.executable).parent / "snakemake",
        "--configfile",
        "config/demo.yaml",
        "--rulegraph",
        "mermaid-js",
    ]
    graph = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    one = dict.fromkeys(registry.names("figures"), "figures")
    rules = {key: one.get(rule, rule) for key, rule in re.findall(r"(id\d+)\[(\w+)\]", graph)}
    edges = {(rules[a], rules[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", graph)}
    needed = networkx.DiGraph((a, b) for a, b in edges if a != b and b not in WHAT_ALL_LEADS_TO)
    assert drawn == set(networkx.transitive_reduction(needed).edges)


def test_the_readme_names_only_what_is_there():
    text = (REPOSITORY / "README.md").read_text()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (REPOSITORY / target).exists(), target
    targets = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), flags=re.MULTILINE)
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", text, flags=re.MULTILINE)) <= set(targets)


def test_the_users_example_in_the_readme_is_a_valid_configuration():
    example = re.search(r"```yaml\n(.*?)```", (REPOSITORY / "README.md").read_text(), flags=re.DOTALL).group(1)
    load.load(yaml.safe_load(example))

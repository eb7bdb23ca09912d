"""The real Snakefile, run as a user runs it, on cells small enough for a test."""

import copy
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
SNAKEMAKE = Path(sys.executable).parent / "snakemake"

TINY = {
    "run": {
        "name": "tiny",
        "tasks": ["batches", "split"],
        "methods": ["majority", "svm_rej", "jind_classifier", "jind", "jind_plus"],
        "seeds": [0],
    },
    "datasets": {"toy": {"n_source": 90, "n_target": 60, "n_genes": 40}},
    "tasks": {
        "batches": {
            "title": "Toy",
            "source": {"dataset": "toy", "batch": "source"},
            "target": {"dataset": "toy", "batch": "target"},
        },
        "split": {"split": {"dataset": "toy", "batch": "source"}},
    },
    "methods": {
        "jind_classifier": {"epochs": 3},
        "jind": {"epochs": 1, "short_epoch_iterations": 2},
        "jind_plus": {"epochs": 1},
    },
}


@dataclass
class Workflow:
    """A copy of the project's files, with a configuration, in a folder of its own; it makes the tables, not all figures."""

    folder: Path
    target: str = "tables"

    def configure(self, configuration: dict) -> None:
        (self.folder / "test.yaml").write_text(yaml.safe_dump(configuration))

    def command(self, *options: str, target: str | None = None) -> list[str]:
        return [str(SNAKEMAKE), target or self.target, *options, "--cores", "2", "--configfile", "test.yaml"]

    def run(self, *options: str, target: str | None = None, ok: bool | None = True) -> str:
        """Run Snakemake; `ok` says whether it must succeed. Returns what it printed."""
        command = self.command(*options, target=target)
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, env=environment(), check=False)
        output = done.stdout + done.stderr
        assert ok is None or (done.returncode == 0) == ok, output
        return output

    def lock(self) -> None:
        """What `make lock` runs."""
        command = [sys.executable, "-m", "jindbench.lock"]
        subprocess.run(command, cwd=self.folder, env=environment() | {"PYTHONPATH": "workflow"}, check=True)

    def pending(self, target: str | None = None) -> set[tuple[str, ...]]:
        """Jobs that Snakemake would run now: (rule, method) for methods, (rule,) for others."""
        jobs, rule = set(), None
        for line in self.run("--dry-run", target=target).splitlines():
            if line.startswith(("rule ", "localrule ")):
                rule = line.split()[1].rstrip(":")
                jobs.add((rule,))
            elif line.strip().startswith("wildcards:") and "method=" in line:
                jobs.discard((rule,))
                jobs.add((rule, line.split("method=")[1].split(",")[0]))
        return jobs

    def read(self, path: str) -> str:
        return (self.folder / "results/tiny" / path).read_text()


def environment() -> dict[str, str]:
    """No variable of the test's own process that would change what Snakemake does."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("PYTHONPATH", "SNAKEMAKE"))}


def copy_project(folder: Path) -> Workflow:
    folder.mkdir(exist_ok=True)
    for name in ("Snakefile", "workflow", "scripts", "config", "envs", "profiles"):
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)
    workflow = Workflow(folder)
    workflow.configure(TINY)
    return workflow


@pytest.fixture
def fresh(tmp_path) -> Workflow:
    """A project in which nothing has run."""
    return copy_project(tmp_path / "fresh")


@pytest.fixture(scope="session")
def _done(tmp_path_factory) -> Workflow:
    workflow = copy_project(tmp_path_factory.mktemp("done"))
    workflow.run()
    return workflow


@pytest.fixture(scope="session")
def everything(_done, tmp_path_factory) -> Workflow:
    """A project in which all is made, figures and claims included; not to be changed."""
    folder = tmp_path_factory.mktemp("everything") / "copy"
    shutil.copytree(_done.folder, folder, symlinks=True)
    workflow = Workflow(folder, target="all")
    configuration = copy.deepcopy(TINY) | {"runtime": {"tasks": ["batches"]}}
    configuration["figures"] = {figure: ["batches"] for figure in ("figure2", "figure3", "figure4", "figure5")}
    configuration["differential_expression"] = {"draws": 2}
    workflow.configure(configuration)
    workflow.run()
    return workflow


@pytest.fixture
def completed(_done, tmp_path) -> Workflow:
    """A project of its own in which a run has completed."""
    shutil.copytree(_done.folder, tmp_path / "copy", symlinks=True)
    return Workflow(tmp_path / "copy")

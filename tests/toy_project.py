"""A copy of the project with cells small enough for a test, in which the real Snakefile is run as a user runs it."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

REPOSITORY = Path(__file__).parents[1]
SNAKEMAKE = Path(sys.executable).parent / "snakemake"

TINY = {
    "run": {
        "name": "tiny",
        "tasks": ["batches", "paper_split"],
        "methods": ["majority", "svm_rej", "jind_classifier", "jind", "jind_plus"],
        "seeds": [0],
        "small_task": 0,  # a job for each run of a method, as on large tasks
    },
    "datasets": {"toy": {"n_source": 90, "n_target": 60, "n_genes": 40}},
    "tasks": {
        "batches": {
            "title": "Toy",
            "source": {"dataset": "toy", "batch": "source"},
            "target": {"dataset": "toy", "batch": "target"},
        },
        "paper_split": {"split": {"dataset": "toy", "batch": "source"}},
    },
    "methods": {
        # Not twice what takes longest, nor what starts from it.
        "jind_classifier": {"epochs": 3, "skip": {"paper_split": "tested on the other task"}},
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
        cores = [] if "--cores" in options else ["--cores", "2"]
        return [str(SNAKEMAKE), target or self.target, *options, *cores, "--configfile", "test.yaml"]

    def run(self, *options: str, target: str | None = None, ok: bool | None = True) -> str:
        """Run Snakemake; `ok` says whether it must succeed. Returns what it printed."""
        command = self.command(*options, target=target)
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, env=environment(), check=False)
        output = done.stdout + done.stderr
        assert ok is None or (done.returncode == 0) == ok, output
        return output

    def finished(self, rule: str) -> int:
        """Jobs of a rule that the last run has finished, by Snakemake's own log."""
        log = max((self.folder / ".snakemake/log").iterdir())
        return log.read_text().count(f"(Rule: {rule})")  # "Finished jobid: 7 (Rule: run_method)"

    def lock(self) -> None:
        """What `make lock` runs."""
        command = [sys.executable, "-m", "jindbench.data.lock"]
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

    def raw(self) -> dict[tuple[str, str], str]:
        """The raw accuracies of Table 2 as text, by task and method."""
        table = pd.read_csv(self.folder / "results/tiny/tables/table2.tsv", sep="\t", dtype=str, keep_default_na=False)
        raw = table[table["metric"] == "raw"].set_index("task").drop(columns=["n", "metric"])
        return raw.stack().to_dict()


def environment() -> dict[str, str]:
    """No variable of the test's own process that would change what Snakemake does."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("PYTHONPATH", "SNAKEMAKE"))}


def copy_project(folder: Path) -> Workflow:
    folder.mkdir(exist_ok=True)
    for name in ("Snakefile", "workflow", "scripts", "config", "envs", "profiles"):
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        else:
            shutil.copy2(source, folder / name)
    workflow = Workflow(folder)
    workflow.configure(TINY)
    return workflow


def add_method(workflow: Workflow, name: str, body: str) -> None:
    """Add a method made from `majority`, with a faulty body; the seed may matter to it."""
    majority = (workflow.folder / "workflow/jindbench/methods/majority.py").read_text()
    faulty = majority.replace('"Majority"', f'"{name.title()}"').replace("RANDOM = False\n", "")
    faulty = faulty.replace("    classes, counts", f"{body}\n    classes, counts")
    (workflow.folder / f"workflow/jindbench/methods/{name}.py").write_text(faulty)


def failing(workflow: Workflow, name: str, body: str, options: tuple[str, ...] = (), **run) -> tuple[str, list[str]]:
    """Run a faulty method beside `majority`.

    Returns
    -------
    What Snakemake printed, and the two cells of Table 2 with the raw accuracy.
    """
    add_method(workflow, name, body)
    configuration = yaml.safe_load((workflow.folder / "test.yaml").read_text())
    configuration["run"] |= {"tasks": ["batches"], "methods": ["majority", name]} | run
    workflow.configure(configuration)
    output = workflow.run(*options, ok=False)
    cells = workflow.raw()
    return output, [cells["Toy", title] for title in ("Majority", name.title())]

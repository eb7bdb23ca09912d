"""The workflow in other places than its clone: Python in a folder with a space, and a module of another workflow."""

import subprocess
import sys
from pathlib import Path

import yaml

from toy_project import SNAKEMAKE, TINY, environment

SMALL = TINY | {"run": TINY["run"] | {"tasks": ["batches"], "methods": ["majority"]}}


def run(command, folder, **variables):
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=environment() | variables, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_python_may_lie_in_a_folder_with_a_space(fresh, tmp_path):
    (tmp_path / "my tools").symlink_to(Path(sys.prefix))
    fresh.configure(SMALL)
    python = tmp_path / "my tools/bin/python"
    command = [python, "-m", "snakemake", "datasets", "--cores", "1", "--configfile", "test.yaml"]
    run(command, fresh.folder)
    assert (fresh.folder / "results/data/toy.h5ad").exists()


def test_as_a_module_from_a_folder_that_is_not_the_clone(fresh, tmp_path):
    """The tables come out, those of config.yaml included; another jindbench that is installed is not imported."""
    other, folder = tmp_path / "installed/jindbench", tmp_path / "deployed"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("raise ImportError('another jindbench')")
    folder.mkdir()
    configuration = SMALL | {"tables": {"s1": {"tasks": ["batches"], "methods": ["majority"]}}}  # its title is there
    (folder / "config.yaml").write_text(yaml.safe_dump(configuration))
    (folder / "Snakefile").write_text(
        'configfile: "config.yaml"\n\n'
        f'module jindbench:\n    snakefile: "{fresh.folder}/Snakefile"\n    config: config\n\n'
        "use rule * from jindbench\n"
    )
    run([SNAKEMAKE, "tables", "--cores", "1"], folder, PYTHONPATH=str(other.parent))
    assert "| raw | rej | eff |" in (folder / "results/tiny/tables/table2.md").read_text()
    assert (folder / "results/tiny/tables/s1.md").exists()
    assert not (fresh.folder / "results").exists()

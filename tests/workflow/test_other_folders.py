"""The workflow in other places than its clone: Python in a folder with a space, and a module of another workflow."""

import subprocess
import sys
from pathlib import Path

import yaml

from toy_project import TINY, environment

SMALL = TINY | {"run": TINY["run"] | {"tasks": ["batches"], "methods": ["majority"]}}


def test_as_a_module_from_a_folder_that_is_not_the_clone(fresh, tmp_path):
    """The tables come out, those of config.yaml included; another jindbench that is installed is not imported."""
    other, folder = tmp_path / "installed/jindbench", tmp_path / "deployed"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("raise ImportError('another jindbench')")
    (tmp_path / "my tools").symlink_to(Path(sys.prefix))  # Python may lie in a folder with a space
    folder.mkdir()
    configuration = SMALL | {"tables": {"s1": {"tasks": ["batches"], "methods": ["majority"]}}}  # its title is there
    (folder / "config.yaml").write_text(yaml.safe_dump(configuration))
    (folder / "Snakefile").write_text(
        'configfile: "config.yaml"\n\n'
        f'module jindbench:\n    snakefile: "{fresh.folder}/Snakefile"\n    config: config\n\n'
        "use rule * from jindbench\n"
    )
    command = [tmp_path / "my tools/bin/python", "-m", "snakemake", "tables", "--cores", "1"]
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        env=environment() | {"PYTHONPATH": str(other.parent)},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| raw | rej | eff |" in (folder / "results/tiny/tables/table2.md").read_text()
    assert (folder / "results/tiny/tables/s1.md").exists()
    assert not (fresh.folder / "results").exists()

"""Is a run the same when it is made again? `make audit` runs the demo twice with all cores and once with one.

Every output is compared by content. What may differ, and why, is in `allowed.tsv`. Anything else that differs is an error.
"""

import fnmatch
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import yaml

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
SNAKEMAKE = Path(sys.executable).parent / "snakemake"
CONFIGURATION = "config/demo.yaml"


def run(folder: Path, cores: int) -> Path:
    """Run the demo in a folder of its own, from nothing; returns its results."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True).stdout
    for name in filter(None, tracked.decode().split("\0")):
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name)
    start = time.monotonic()
    command = [SNAKEMAKE, "--cores", str(cores), "--configfile", CONFIGURATION, "--quiet", "all"]
    subprocess.run(command, cwd=folder, check=True)
    print(f"{folder.name}: {cores} cores, {(time.monotonic() - start) / 60:.1f} minutes", flush=True)
    return folder / "results"


def files(results: Path) -> set[str]:
    """What jobs have written; not what Snakemake keeps for itself beside it."""
    return {
        str(path.relative_to(results))
        for path in results.rglob("*")
        if path.is_file() and not path.name.startswith(".snakemake")
    }


def content(path: Path, without: list[str]) -> str:
    """A table or a JSON file without some of its columns or keys."""
    if path.suffix == ".tsv":
        return pd.read_csv(path, sep="\t", dtype=str).drop(columns=without).to_csv()
    return json.dumps({key: value for key, value in json.loads(path.read_text()).items() if key not in without})


def differences(first: Path, second: Path, allowed: pd.DataFrame) -> tuple[Counter, list[str]]:
    """How often each outcome was seen, and the files that differ although nothing allows it."""
    outcomes, wrong = Counter(), []
    here, there = files(first), files(second)
    wrong += [f"{name}: only in one of the runs" for name in sorted(here ^ there)]
    for name in sorted(here & there):
        if (first / name).read_bytes() == (second / name).read_bytes():
            outcomes["the same in every bit"] += 1
            continue
        rule = next((row for row in allowed.itertuples() if fnmatch.fnmatch(f"/{name}", row.files)), None)
        if rule is None:
            wrong.append(name)
        elif rule.how == "not compared":
            outcomes[f"not compared ({rule.reason}): {rule.files}"] += 1
        else:
            without = rule.how.removeprefix("without ").split(", ")
            if content(first / name, without) == content(second / name, without):
                outcomes[f"the same {rule.how} ({rule.reason}): {rule.files}"] += 1
            else:
                wrong.append(f"{name}, {rule.how}")
    return outcomes, wrong


def main() -> int:
    """Run, compare, print; the exit status says whether all is as it should be."""
    allowed = pd.read_csv(HERE / "allowed.tsv", sep="\t")
    name = yaml.safe_load((REPOSITORY / CONFIGURATION).read_text())["run"]["name"]
    cores, failed = os.cpu_count() or 1, False
    with tempfile.TemporaryDirectory(prefix="audit-") as folder:
        results = [run(Path(folder) / title, n) for title, n in (("first", cores), ("again", cores), ("one_core", 1))]
        for title, other in (("again, with as many cores", results[1]), ("with one core", results[2])):
            outcomes, wrong = differences(results[0], other, allowed)
            print(f"\nRun '{name}' {title}: {sum(outcomes.values()) + len(wrong)} files")
            for outcome, number in outcomes.most_common():
                print(f"  {number:4} {outcome}")
            for line in wrong:
                print(f"  DIFFERS: {line}")
            failed |= bool(wrong)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

"""What every job leaves of itself: which files it read and wrote, by content; and what has become of them since.

Beside the folder of a job's log lies one of records: `results/demo/logs/metrics.log` has
`results/demo/records/metrics.json`.
"""

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from jindbench import io

LOGS, RECORDS = "logs", "records"


def path_of(log: str | Path) -> Path:
    """Where the record of the job with this log lies."""
    log = Path(log)
    # The outermost: a task, a method or the run itself may be called the same. What is no run has one level only.
    logs = next((folder for folder in reversed(log.parents) if folder.match(f"results/*/{LOGS}")), log.parent)
    return logs.with_name(RECORDS) / log.relative_to(logs).with_suffix(".json")


def describe_inputs(paths: Iterable[str]) -> dict:
    """SHA-256 of each file that a job reads."""
    return {"inputs": {path: _contents(Path(path)) for path in sorted(set(paths))}}


def describe_outputs(paths: Iterable[str]) -> dict:
    """SHA-256 of each file that a job has written; from here on they survive a power cut."""
    paths = sorted(paths)
    for path in paths:
        for file in _files(Path(path)):
            _to_disk(file)
    return {"outputs": {path: _contents(Path(path)) for path in paths}}


def unchanged(path: Path, contents: dict, written: int = 0) -> bool:
    """Whether a file or folder holds what its record says; content is compared where it is newer than `written`."""
    if "files" in contents:
        files = contents["files"].items()
        return path.is_dir() and all(unchanged(path / name, of_file, written) for name, of_file in files)
    if not path.is_file() or (status := path.stat()).st_size != contents["bytes"]:
        return False
    return status.st_mtime_ns <= written or io.sha256(path) == contents["sha256"]


def same(read: dict, written: dict) -> bool:
    """Whether what a job read is what another wrote; Snakemake adds files of its own to folders in between."""
    if "files" in written:
        files = read.get("files", {})
        return all(files.get(name) == contents for name, contents in written["files"].items())
    return read == written


def n_bytes(contents: dict) -> int:
    """Size of a file or folder as its record has it."""
    return sum(map(n_bytes, contents["files"].values())) if "files" in contents else contents["bytes"]


def damaged(results: Path) -> Iterator[Path]:
    """Outputs that are no longer what their job wrote, such as files that a power cut has truncated.

    Parameters
    ----------
    results
        The folder of a run, or of the datasets.

    Yields
    ------
    The file or folder that Snakemake knows as an output. One that is missing is not yielded: Snakemake sees that.
    """
    last = {}  # a file may have been another rule's in an earlier version of the workflow
    dated = [(file.stat().st_mtime_ns, record) for file, record in _all(results)]
    for written, record in sorted(dated, key=lambda one: one[0]):
        last |= dict.fromkeys(record.get("outputs", {}), (written, record))
    for name, (written, record) in last.items():
        path = Path(name)
        if path.is_symlink() and record["rule"] == "download":
            continue  # it is kept elsewhere and verified by what reads it
        if path.exists() and not unchanged(path, record["outputs"][name], written):
            yield path


def truncated(results: Path) -> list[Path]:
    """Records of a folder as for `damaged` that were cut off themselves."""
    return [file for file, record in _all(results) if "outputs" not in record]


def remove(path: Path) -> None:
    """Remove an output, so that it is made again."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write(record: dict, path: Path) -> None:
    """Write a record where `path_of` says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with io.replacing(path) as temporary:
        temporary.write_text(json.dumps(record, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
        _to_disk(temporary)


def _to_disk(file: Path) -> None:
    """Return when a file and its name are on the disk."""
    for place in (file, file.parent):
        descriptor = os.open(place, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def edges_of_rules(*results: Path) -> list[tuple[str, str]]:
    """Pairs of rules, of which the second reads what the first wrote, by the records in these folders."""
    jobs = [record for folder in results for _, record in _all(folder) if record]
    made = {path: _rule(job) for job in jobs for path in job["outputs"]}
    edges = {(made[path], _rule(job)) for job in jobs for path in job["inputs"] if path in made}
    return sorted((before, after) for before, after in edges if before != after)


def _rule(job: dict) -> str:
    """Its name; small tasks have rules of their own that do the same (`jobs_of` in workflow/rules/jobs.smk)."""
    return job["rule"].partition("_of_small_tasks")[0]


def _all(results: Path) -> Iterator[tuple[Path, dict]]:
    """Every record of a folder with its file; of one that cannot be read, nothing."""
    for file in (results / RECORDS).rglob("*.json"):
        try:
            yield file, io.read_json(file)
        except ValueError:
            yield file, {}


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _contents(path: Path) -> dict:
    """Size and SHA-256 of a file; of a folder those of each of its files, by their paths in it."""
    if path.is_dir():
        return {"files": {str(file.relative_to(path)): _contents(file) for file in _files(path)}}
    return {"bytes": path.stat().st_size, "sha256": io.sha256(path)}

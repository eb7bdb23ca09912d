"""Where a table or a figure comes from: the jobs that led to it, back to the data, each file by its sha256.

`python -m jindbench.execution.trace results/demo/tables/table2.md`
"""

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from jindbench import io
from jindbench.execution import records

CHANGED = "CHANGED SINCE; "


def trace(file: str, by_output: dict[str, dict], depth: int = 0, seen: set[str] | None = None) -> list[str]:
    """A line for the file and each that it was made from, indented by the number of jobs between.

    Parameters
    ----------
    file
        As Snakemake knows it, relative to the folder that it runs in.
    by_output
        What `jobs_by_output` returns.
    """
    seen = set() if seen is None else seen
    indent, record = "  " * depth, by_output.get(file)
    if record is None:
        return [f"{indent}{file}: made by no job that is known"]
    job = " ".join([record["rule"], *(f"{key}={value}" for key, value in record["wildcards"].items())])
    if file in seen:
        return [f"{indent}{file}: see above"]
    seen.add(file)
    changed = "" if records.unchanged(Path(file), record["outputs"][file]) else CHANGED
    lines = [
        f"{indent}{file}: {changed}{_digest(record['outputs'][file])}; {job}, {record['ended']}, code {record['code']} "
        f"({record['code_sha256'][:12]}), Python {record['python']}, {record['machine']}",
    ]
    if parameters := record.get("parameters"):
        lines.append(f"{indent}  with {json.dumps(parameters, ensure_ascii=False)}")
    packages = record["versions"] | _outcome(record).get("versions", {})
    lines.append(f"{indent}  with {', '.join(map(' '.join, packages.items()))}")
    for name, contents in record["inputs"].items():
        made = by_output.get(name)
        if made and records.same(contents, made["outputs"][name]):
            lines += trace(name, by_output, depth + 1, seen)
        else:  # no job made it, or what the job read has been replaced: the history of what lies there now is another
            known = not made and records.unchanged(Path(name), contents)
            lines.append(f"{indent}  {name}: {'' if known else CHANGED}{_digest(contents)}")
    return lines


def jobs_by_output(results: Path) -> dict[str, dict]:
    """The record of the job that wrote each file below a folder."""
    found = {}
    for path in sorted(results.rglob(f"{records.RECORDS}/**/*.json"), key=lambda file: file.stat().st_mtime_ns):
        record = io.read_json(path)
        found |= dict.fromkeys(record["outputs"], record)
    return found


def jobs_behind(files: Iterable[str], by_output: dict[str, dict]) -> list[dict]:
    """The records of all jobs that led to some files, each once."""
    found, seen, waiting = [], set(), list(files)
    while waiting:
        record = by_output.get(waiting.pop())
        if record and not seen & record["outputs"].keys():
            found.append(record)
            seen |= record["outputs"].keys()
            waiting += record["inputs"]
    return found


def _outcome(record: dict) -> dict:
    """What the process of a method or an integration left, where the job is one and its file is as it was."""
    for name, contents in record["outputs"].items():
        if Path(name).name == "outcome.json" and records.unchanged(Path(name), contents):
            return io.read_json(name)
    return {}


def _digest(contents: dict) -> str:
    if "files" in contents:
        return f"folder of {len(contents['files'])} files"
    return f"sha256 {contents['sha256']}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Say which jobs and files a file of the results was made from.")
    parser.add_argument("file", help="such as results/demo/tables/table2.md")
    arguments = parser.parse_args()
    known = jobs_by_output(Path("results"))
    if arguments.file not in known:
        sys.exit(f"{arguments.file}: no job below results/ has written it (give its path from the project's folder)")
    print("\n".join(trace(arguments.file, known)))

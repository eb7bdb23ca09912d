"""How a run was made: from the records of its jobs."""

import hashlib
from collections import Counter

import pandas as pd
import yaml

from jindbench.render import Table, page, preformatted


def runs_table(outcomes: list[dict]) -> pd.DataFrame:
    """One row for each run of a method: status, cost, seed, threads and warnings."""
    columns = ["task", "method", "seed", "status", "reason", "threads", "seconds", "cpu_seconds", "peak_memory_mb"]
    warnings = ["; ".join(outcome["warnings"]) for outcome in outcomes]
    return pd.DataFrame(outcomes)[columns].assign(warnings=warnings)


def facts(configuration: dict, outcomes: list[dict], jobs: list[dict], datasets: pd.DataFrame) -> pd.DataFrame:
    """What the run's numbers rest on, one row for each fact: columns `fact` and `value`.

    Parameters
    ----------
    configuration
        What was configured, defaults included.
    outcomes
        The record of each run of a method.
    jobs
        The record of every job that led to the results, those of `outcomes` among them.
    datasets
        One row for each dataset: `file` and `origin`; `read from` and `sha256 of the file` of those that are available.
    """
    # A method runs in a process of its own, whose packages are not those of its job.
    versions = sorted({item for record in [*outcomes, *jobs] for item in record["versions"].items()})
    rows = _code(jobs) | {
        "Configuration (sha256)": hashlib.sha256(_as_text(configuration).encode()).hexdigest(),
        "Seeds": _distinct(str(outcome["seed"]) for outcome in outcomes),
        "Machine": _distinct(job["machine"] for job in jobs),
        "Python": _distinct(job["python"] for job in jobs),
        "Packages": ", ".join(f"{package} {version}" for package, version in versions),
        "From": min(job["started"] for job in jobs),
        "To": max(job["ended"] for job in jobs),
    }
    for dataset in datasets.to_dict("records"):
        sha256 = dataset.get("sha256 of the file")  # none of one that is not available
        parts = [dataset["origin"], dataset.get("read from"), sha256 and f"sha256 {sha256}"]
        rows[f"Data: {dataset['file']}"] = "; ".join(filter(None, parts))
    return pd.DataFrame(rows.items(), columns=["fact", "value"])


def run_page(name: str, facts: pd.DataFrame, configuration: dict, outcomes: list[dict], datasets: pd.DataFrame) -> str:
    """An HTML page: the `facts`, datasets, parameters and seeds, cost of each run, configuration."""
    body = [
        Table.of(facts).html(),
        "<h2>Datasets</h2>",
        Table.of(datasets).html(),
        "<h2>Runs</h2>",
        Table.of(runs_table(outcomes)).html(),
        "<h2>Configuration, with all defaults</h2>",
        preformatted(_as_text(configuration)),
    ]
    return page(f"How the run '{name}' was made", "\n".join(body))


def _code(jobs: list[dict]) -> dict[str, str]:
    """The commit; of several commits one fact each, with the rules whose jobs ran with it and the number of jobs."""
    of_rules = Counter(job["rule"] for job in jobs)
    by_commit = {commit: Counter() for commit in sorted({job["code"] for job in jobs})}
    for job in jobs:
        by_commit[job["code"]][job["rule"]] += 1
    if len(by_commit) == 1:
        return {"Code (commit)": min(by_commit)}
    return {
        f"Code (commit) {commit}": ", ".join(
            rule if n == of_rules[rule] else f"{rule} ({n} of {of_rules[rule]})" for rule, n in sorted(rules.items())
        )
        for commit, rules in by_commit.items()
    }


def _as_text(configuration: dict) -> str:
    return yaml.safe_dump(configuration, sort_keys=False, allow_unicode=True)


def _distinct(values) -> str:
    return ", ".join(sorted(set(values)))

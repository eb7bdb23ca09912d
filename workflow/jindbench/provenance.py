"""How a run was made: one page from the records of its jobs."""

import html

import pandas as pd
import yaml

from jindbench.tables import page


def runs_table(outcomes: list[dict]) -> pd.DataFrame:
    """One row for each run of a method: status, cost, seed, threads and what it warned of."""
    columns = ["task", "method", "seed", "status", "reason", "threads", "seconds", "cpu_seconds", "peak_memory_mb"]
    warnings = ["; ".join(outcome["warnings"]) for outcome in outcomes]
    return pd.DataFrame(outcomes)[columns].assign(warnings=warnings)


def run_page(name: str, configuration: dict, outcomes: list[dict], datasets: pd.DataFrame) -> str:
    """An HTML page: datasets, code, machine, versions, parameters and seeds, cost of each run, configuration.

    Parameters
    ----------
    name
        The run's name.
    configuration
        What was configured, defaults included.
    outcomes
        The record of each run of a method.
    datasets
        One row for each dataset.
    """
    facts = {
        "Code (commit)": _distinct(outcome["code"] for outcome in outcomes),
        "Machine": _distinct(outcome["machine"] for outcome in outcomes),
        "Python": _distinct(outcome["python"] for outcome in outcomes),
        "Seeds": _distinct(str(outcome["seed"]) for outcome in outcomes),
        "From": min(outcome["started"] for outcome in outcomes),
        "To": max(outcome["started"] for outcome in outcomes),
    }
    versions = sorted({item for outcome in outcomes for item in outcome["versions"].items()})
    configured = yaml.safe_dump(configuration, sort_keys=False, allow_unicode=True)
    body = [
        _table(pd.DataFrame(facts.items(), columns=["", "value"])),
        "<h2>Datasets</h2>",
        _table(datasets),
        "<h2>Runs</h2>",
        _table(runs_table(outcomes)),
        "<h2>Packages that the methods used</h2>",
        f"<p>{html.escape(', '.join(f'{package} {version}' for package, version in versions))}</p>",
        "<h2>Configuration, with all defaults</h2>",
        f"<pre>{html.escape(configured)}</pre>",
    ]
    return page(f"How the run '{name}' was made", "\n".join(body))


def _table(table: pd.DataFrame) -> str:
    return table.to_html(index=False, border=0, na_rep="", escape=True)


def _distinct(values) -> str:
    return ", ".join(sorted(set(values)))

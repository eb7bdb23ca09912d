"""All methods on all pairs of real cells, as docs/benchmark-results.md: `make benchmark`.

`python tests/real/benchmark.py RUN` writes the page of a run that is there already, such as one of fewer methods.
"""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

from jindbench import io
from jindbench.render import Bold, Table

REPOSITORY = Path(__file__).parents[2]
CONFIGURATIONS = [Path(__file__).with_name(name) for name in ("config.yaml", "benchmark.yaml")]
PAGE = REPOSITORY / "docs/benchmark-results.md"
TABLES = ("ranks.tsv", "accuracy_by_cost.tsv")
CONTROL = "true_labels"  # competes with none
NEAR = 0.01  # accuracy that is not worth a higher price


def main() -> None:
    """Run the workflow, unless a run is named, and write the page."""
    name = sys.argv[1] if sys.argv[1:] else "benchmark"
    results = REPOSITORY / "results" / name
    if not sys.argv[1:]:
        targets = [f"results/{name}/tables/{table}" for table in TABLES]
        snakemake = Path(sys.executable).parent / "snakemake"
        command = [snakemake, *targets, "--cores", "all", "--keep-going", "--quiet", "rules", "--configfile"]
        subprocess.run([*command, *CONFIGURATIONS], cwd=REPOSITORY, check=True)
    PAGE.write_text(page(results))
    print(PAGE)


def page(results: Path) -> str:
    """The page: when and where it was made, accuracies, ranks and costs."""
    scores = io.read_table(results / "tables/metrics_by_method.tsv", text=["task", "method", "metric", "status"])
    ranks, costs = (io.read_table(results / "tables" / table, text=["method"]) for table in TABLES)
    outcomes = pd.DataFrame([io.read_json(path) for path in sorted(results.glob("runs/*/*/*/outcome.json"))])
    raw = scores[scores["metric"] == "raw"].pivot(index="method", columns="task", values="value")
    raw = raw.loc[[*ranks["method"], *raw.index.difference(ranks["method"])], scores["task"].unique()]
    asked = yaml.safe_load(CONFIGURATIONS[-1].read_text())["run"]["methods"]
    left_out = [f"- {method}: not in this run" for method in asked if method not in raw.index]
    sizes = scores.groupby("task", sort=False)["n_target"].first()
    not_run = outcomes[outcomes["status"] != "ok"].groupby(["method", "status", "reason"], sort=False)["task"].nunique()
    return (
        "\n\n".join(
            [
                "# Benchmark on real cells",
                advice(raw.loc[ranks["method"]], costs.set_index("method")["work_seconds"]),
                "This page is written by `make benchmark` from the real cells that development has; do not edit.",
                f"- date: {outcomes['started'].min()} to {outcomes['started'].max()}\n"
                f"- commit: {', '.join(outcomes['code'].unique())}\n"
                f"- machine: {', '.join(outcomes['machine'].unique())}\n"
                f"- seeds: {', '.join(map(str, sorted(outcomes['seed'].unique())))}",
                "## Raw accuracy",
                "In percent, mean over seeds; the best of each column is bold. Methods are sorted by their mean rank.",
                accuracies(raw).markdown().strip(),
                "Cells of the target: " + ", ".join(f"{task} {size:.0f}" for task, size in sizes.items()) + ".",
                "## Who wins",
                "Mean rank by raw accuracy over the tasks, with its 95 % bootstrap interval over tasks and cells; `first`: share of "
                "the draws in which no method has a lower mean rank.",
                Table.of(ranks.round(3)).markdown().strip(),
                "## What it costs",
                "Mean over the tasks. Seconds are those of the work of a method and of the stages before it, beside whatever else the machine did; best for: no other method is "
                "both cheaper and at least as accurate.",
                Table.of(costs.round(3)).markdown().strip(),
                "## Not run",
                "\n".join(
                    [f"- {method}: {status} ({reason}), {n} tasks" for (method, status, reason), n in not_run.items()]
                    + left_out
                )
                or "Everything ran.",
            ]
        )
        + "\n"
    )


def advice(raw: pd.DataFrame, seconds: pd.Series) -> str:
    """Which method to take and why: the most accurate, the safest and the cheapest.

    Parameters
    ----------
    raw
        Raw accuracy, methods x tasks, without controls.
    seconds
        Of work, mean over the tasks, by method.
    """
    mean, behind = raw.mean(axis=1), (raw.max() - raw).max(axis=1)
    best, safest = mean.idxmax(), behind.idxmin()
    cheapest = seconds[mean.index[mean >= mean.max() - NEAR]].idxmin()

    def of(name: str) -> str:
        return (
            f"{mean[name]:.1%} in the mean of the {raw.shape[1]} tasks, at worst {100 * behind[name]:.1f} points behind the best "
            f"method of a task, {seconds[name]:.1f} seconds of work a task"
        )

    return (
        f"**Which method for my data?** The most accurate is `{best}`: {of(best)}. "
        + (f"The safest is `{safest}`: {of(safest)}. " if safest != best else "It is also the safest. ")
        + (
            f"The cheapest within {100 * NEAR:.0f} point of it is `{cheapest}`: {of(cheapest)}."
            if cheapest != best
            else f"None within {100 * NEAR:.0f} point of it is cheaper."
        )
        + f" Of {raw.shape[0]} methods in this run; those left out are at the end. The tasks here are whole batches, most of them of like composition. Where your cells' composition differs from the "
        "labelled ones', or you do not know, take `consensus`: on targets of another composition it gains 3 to 4 points over all "
        "methods that do not correct for it ([measured here](robust-alignment.md)). Between species, compare with `svm_rej` first."
    )


def accuracies(raw: pd.DataFrame) -> Table:
    """Raw accuracy in percent, methods x tasks."""
    best = raw.drop(index=CONTROL, errors="ignore").max()
    rows = [
        [
            method,
            *(_percent(value, value == best[task]) for task, value in row.items()),
            _percent(row.mean(skipna=False)),
        ]
        for method, row in raw.iterrows()
    ]
    return Table(["method", *raw.columns, "mean"], rows)


def _percent(value: float, best: bool = False) -> str:
    text = "-" if pd.isna(value) else f"{100 * value:.1f}"
    return Bold(text) if best else text


if __name__ == "__main__":
    main()

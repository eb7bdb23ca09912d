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
SPLIT = "_7_3"  # at the end of the names of tasks that `consensus` was not developed on


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
                advice(raw, [*ranks["method"]], costs.set_index("method")["work_seconds"]),
                "`make benchmark` writes this page, from real cells that are not part of the repository; do not edit it. "
                "[The methods](benchmark.md#the-methods); `_seurat`: after Seurat's integration; `_robust`: [preset robust]"
                "(robust-alignment.md). A task is called source_target, or NAME_7_3 for a random split of one dataset. Pancreas: "
                "baron, muraro, segerstolpe, human, mouse. Blood: pbmc (10x chemistries), kang (donors), cbmc (cord blood); "
                "mouse_immune. Brain: cortex.",
                f"- date: {outcomes['started'].min()} to {outcomes['started'].max()}\n"
                f"- commit: {', '.join(outcomes['code'].unique())}\n"
                f"- machine: {', '.join(outcomes['machine'].unique())}\n"
                f"- seeds: {', '.join(map(str, sorted(outcomes['seed'].unique())))}",
                "## Raw accuracy",
                "In percent, mean over seeds, methods by mean rank. The best of each column is bold.",
                accuracies(raw).markdown().strip(),
                "Cells of the target: " + ", ".join(f"{task} {size:.0f}" for task, size in sizes.items()) + ".",
                "## Who wins",
                "Mean rank by raw accuracy over the tasks, with its 95 % bootstrap interval over tasks and cells. `first`: share of "
                "the bootstrap draws in which no method has a lower mean rank.",
                Table.of(ranks.round(3)).markdown().strip(),
                "## What it costs",
                "Means over the tasks, with the stages that a method starts from, on a machine that did other work too. `best for`: "
                "no other method is both cheaper and at least as accurate.",
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


def advice(raw: pd.DataFrame, ranked: list[str], seconds: pd.Series) -> str:
    """Which method to take and why: the most accurate, the safest, the cheapest, and what beats them somewhere.

    Parameters
    ----------
    raw
        Raw accuracy, methods x tasks.
    ranked
        The methods that ran on all tasks, without controls.
    seconds
        Of work, mean over the tasks, by method.
    """
    everywhere, others = raw.loc[ranked], raw.drop(index=[*ranked, CONTROL], errors="ignore")
    mean, first = everywhere.mean(axis=1), everywhere.max()
    behind = (first - everywhere).max(axis=1)
    best, safest = mean.idxmax(), behind.idxmin()
    cheapest = seconds[mean.index[mean >= mean.max() - NEAR]].idxmin()

    def of(name: str) -> str:
        return (
            f"{mean[name]:.1%} on average, at worst {100 * behind[name]:.1f} points behind the best of them, "
            f"{seconds[name]:.1f} seconds of work per task"
        )

    said = [
        f"**Which method for my data?** Of the {len(ranked)} methods that ran on all {raw.shape[1]} tasks, `{best}` is the "
        f"most accurate{' and the safest' if safest == best else ''}: {of(best)}.",
        *([f"The safest is `{safest}`: {of(safest)}."] if safest != best else []),
        f"The cheapest within {100 * NEAR:.0f} point of it is `{cheapest}`: {of(cheapest)}."
        if cheapest != best
        else f"None within {100 * NEAR:.0f} point of it is cheaper.",
    ]
    for name, row in others.iterrows():
        if (lead := row - first).max() > NEAR:
            said.append(
                f"`{name}`, which needs two batches, beats all of them by {100 * lead.max():.1f} points on {lead.idxmax()}, "
                f"but is {100 * -lead.min():.1f} points behind on {lead.idxmin()}."
            )
    unseen = everywhere.filter(like=SPLIT).mean(axis=1).sort_values(ascending=False, kind="stable")
    ahead = ", ".join(f"`{name}` {mean:.1%}" for name, mean in unseen.items() if mean >= unseen["consensus"])
    return " ".join(said) + (
        "\n\n**How far to believe it.** `consensus` and `robust` were developed on all of these tasks but the random splits. On "
        f"these, it is number {(unseen > unseen['consensus']).sum() + 1} ({ahead}). On five pairs that were kept for the end, `consensus` had 91.2% and `logreg` "
        "91.9%; on 16 such targets of another composition 92.3% and 89.1% ([last](robust-alignment.md#the-result)). The page has "
        "one seed, and two targets of 100 cells."
        "\n\nThe tasks are whole batches, most with similar compositions in source and target. If the compositions of your "
        "cells differ, or you do not know, take `consensus`: there it gains 3 to 4 points over logistic regression, SVM_Rej and "
        "unaligned networks, which do not correct for it ([measured](robust-alignment.md)). Between species, compare it with "
        "`svm_rej` first."
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

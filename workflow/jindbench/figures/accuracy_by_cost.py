"""What accuracy costs: raw accuracy over seconds and over memory, with the methods that none beats in both."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from jindbench import io
from jindbench.figures.accuracy_coverage import lowest_accuracy
from jindbench.plots import Drawn, grid, palette

COSTS = {"work_seconds": "seconds of work, with all before it", "peak_memory_mb": "peak memory (MB)"}

TITLE = "What accuracy costs"
CAPTION = (
    "Raw accuracy against seconds and against peak memory, each the mean over the tasks. Seconds are those of the "
    "method's work, of the stages before it and of the integration that it reads, without imports, while the machine "
    "may have done other work. The line joins the methods that no other beats: none is both cheaper and at least as "
    "accurate. A method far below the line is not worth its price here."
)


def draw(scores, outcomes, tasks, methods, work):
    """The methods of Table 2 that have run on all tasks of which there are scores, and their table."""
    raw = io.read_table(scores, text=["task", "method", "status", "metric"])
    raw = raw[raw["metric"] == "raw"].pivot(index="method", columns="task", values="value")[list(tasks)]
    raw = raw.reindex(methods).dropna(axis=1, how="all")
    runs = pd.DataFrame([io.read_json(path) for path in outcomes], columns=["task", "method", *COSTS])
    runs = runs[runs["task"].isin(raw.columns)]
    # Over seeds, then over tasks; a method takes as long as all its parts, and as much memory as the largest. One that
    # is run on no task has none.
    of_part = runs.groupby(["method", "task"])[list(COSTS)].mean().groupby("method").mean()
    parts = {name: of_part.reindex(work[name]) for name in methods}
    table = pd.DataFrame(
        {
            "raw": raw.mean(axis=1, skipna=False),
            "work_seconds": {name: of["work_seconds"].sum(skipna=False) for name, of in parts.items()},
            "peak_memory_mb": {name: of["peak_memory_mb"].max(skipna=False) for name, of in parts.items()},
        }
    )
    table = table.dropna()
    for cost in COSTS:
        table[f"best_for_{cost}"] = unbeaten(table[cost], table["raw"])
    tables = {"table": table.rename_axis("method").reset_index()}
    if table.empty:
        return Drawn(None, TITLE, [], ["Costs: no method of this run has scores on all tasks."], tables)
    return Drawn(panels(table.rename(methods)), TITLE, [CAPTION], tables=tables)


def unbeaten(cost: pd.Series, accuracy: pd.Series) -> pd.Series:
    """Is there no method that is as cheap and more accurate, or as accurate and cheaper?"""
    cheaper = cost.to_numpy()[:, None] <= cost.to_numpy()
    better = accuracy.to_numpy()[:, None] >= accuracy.to_numpy()
    beats = cheaper & better & ~(cheaper.T & better.T)
    return pd.Series(~beats.any(axis=0), index=cost.index)


def panels(table: pd.DataFrame) -> Figure:
    """A panel for each cost; a line joins the methods that none beats. Far lower ones are named below.

    Parameters
    ----------
    table
        Indexed by title; columns raw, the costs, and for each `best_for_` it.
    """
    styles = palette.lines_of_methods(list(table.index))
    figure, axes = grid(len(COSTS), 2, 4.2, 4, more=(2.2, 0), sharey=True)
    lowest = lowest_accuracy(table.rename(columns={"raw": "accuracy"}).assign(task="", method=table.index))
    shown = table[table["raw"] >= lowest]
    for ax, (cost, title) in zip(axes[0], COSTS.items(), strict=True):
        front = shown[shown[f"best_for_{cost}"]].sort_values(cost)
        ax.plot(front[cost], front["raw"], color=palette.LEADER, linewidth=1.2, drawstyle="steps-post", zorder=1)
        for method, row in shown.iterrows():
            label, size = method if ax is axes[0, 0] else None, 8 if row[f"best_for_{cost}"] else 5
            colour, _, marker = styles[method].values()
            ax.plot(row[cost], row["raw"], marker, color=colour, markersize=size, label=label)
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_xlabel(title)
        ax.grid(color=palette.GRID)
        ax.set_axisbelow(True)
    if below := [f"{method} {raw:.2f}" for method, raw in table["raw"].items() if raw < lowest]:
        figure.supxlabel(f"below: {', '.join(below)}", fontsize=8)
    axes[0, 0].set_ylabel("raw accuracy, mean over the tasks")
    figure.legend(loc="outside right center", frameon=False, fontsize=8)
    return figure

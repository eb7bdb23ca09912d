"""How training went: what methods recorded for each epoch."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from jindbench import io
from jindbench.plots import grid, palette, words

NOT_DRAWN = {"epoch", "kept", "good", "learning_rate"}


def draw(outcomes, models, tasks, methods):
    """The lines, and the table of their values."""
    histories = []
    for outcome, model in zip(outcomes, models, strict=True):
        facts, path = io.read_json(outcome), Path(model) / "history.tsv"
        if path.exists():
            histories.append(({key: facts[key] for key in ("task", "method", "seed")}, io.read_table(path)))
    values = long_table(histories)
    return lines(values.replace({"task": tasks, "method": methods})), {"table": values}


def long_table(histories: list[tuple[dict, pd.DataFrame]]) -> pd.DataFrame:
    """One row for each recorded value: the facts of the run, epoch, kept, quantity, value.

    Parameters
    ----------
    histories
        For each run its facts (task, method, seed) and the table of its epochs.
    """
    parts = [
        history.melt(
            id_vars=["epoch", "kept"],
            value_vars=[column for column in history.columns if column not in NOT_DRAWN],
            var_name="quantity",
        ).assign(**facts)
        for facts, history in histories
        if len(history)
    ]
    columns = ["task", "method", "seed", "epoch", "kept", "quantity", "value"]
    return pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)


def lines(values: pd.DataFrame) -> Figure:
    """A row for each quantity of each method, a column for each task, a line for each seed; dots: the epochs kept.

    Parameters
    ----------
    values
        As `long_table` gives them.
    """
    rows = list(values[["method", "quantity"]].drop_duplicates().itertuples(index=False, name=None))
    tasks = values["task"].drop_duplicates().tolist()
    if not rows:
        return words("No method of this run trains in epochs.")
    figure, panels = grid(len(rows) * len(tasks), len(tasks), 2.6, 1.35, more=(1.5, 0.6))
    for row, (method, quantity) in enumerate(rows):
        for column, task in enumerate(tasks):
            panel = panels[row, column]
            chosen = values.query("method == @method and quantity == @quantity and task == @task")
            for _, line in chosen.groupby("seed"):
                panel.plot(line["epoch"], line["value"], color=palette.BLUE, alpha=0.7, linewidth=1)
            kept = chosen[chosen["kept"].astype(bool)]
            panel.plot(kept["epoch"], kept["value"], "o", color=palette.VERMILION, markersize=4)
            panel.tick_params(labelsize=7)
            if row == 0:
                panel.set_title(task, fontsize=9)
            if row == len(rows) - 1:
                panel.set_xlabel("epoch", fontsize=8)
        label = quantity.replace("_", " ")
        panels[row, 0].set_ylabel(f"{method}\n{label}", fontsize=8, rotation=0, ha="right", va="center")
    return figure

"""How training went: what methods recorded for each epoch."""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from jindbench import io
from jindbench.plots import Drawn, grid, palette

NOT_DRAWN = {"epoch", "kept", "good", "learning_rate"}

TITLE = "Training, epoch by epoch"
CAPTION = (
    "What the methods that train in epochs recorded, a line for each task and seed; the dot is the epoch whose state "
    "was kept. JIND unaligned: loss and validation accuracy of the prediction model. JIND: losses of generator and "
    "discriminator (both near .69 if the discriminator cannot tell the batches apart), the discriminator's accuracy, "
    "and the share of target cells that the thresholds reject; epoch 0 is the unaligned start. JIND+: self-training. "
    "The summary lists, under warnings, runs whose alignment did not converge by the preset's rule."
)


def draw(outcomes, models, tasks, methods):
    """The lines, and the table of their values."""
    histories = []
    for outcome, model in zip(outcomes, models, strict=True):
        facts, path = io.read_json(outcome), Path(model) / "history.tsv"
        if path.exists():
            histories.append(({key: facts[key] for key in ("task", "method", "seed")}, io.read_table(path)))
    values = long_table(histories)
    if values.empty:
        return Drawn(None, TITLE, [], ["No method of this run trains in epochs."], {"table": values})
    picture = lines(values.replace({"task": tasks, "method": methods}))
    return Drawn(picture, TITLE, [CAPTION], tables={"table": values})


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
    """A panel for each quantity of each method, a line for each task and seed; dots: the epochs kept.

    Parameters
    ----------
    values
        As `long_table` gives them.
    """
    tasks = values["task"].drop_duplicates().tolist()
    style = palette.lines_of_methods(tasks)
    drawn = list(values.dropna(subset="value").groupby(["method", "quantity"], sort=False))
    figure, panels = grid(len(drawn), 4, 2.5, 1.6, more=(0, 0.4))
    for panel, ((method, quantity), chosen) in zip(panels.flat, drawn, strict=False):
        for (task, _), line in chosen.groupby(["task", "seed"], sort=False):
            colour, dash, _ = style[task].values()
            panel.plot(line["epoch"], line["value"], color=colour, linestyle=dash, linewidth=1)
            kept = line[line["kept"].astype(bool)]
            panel.plot(kept["epoch"], kept["value"], "o", color=colour, markersize=3.5)
        panel.set_title(f"{method}\n{quantity.replace('_', ' ')}", fontsize=8)
        panel.tick_params(labelsize=7)
        panel.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    handles = [
        plt.Line2D([], [], label=task, color=style[task]["color"], linestyle=style[task]["linestyle"]) for task in tasks
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=min(3, len(tasks)), fontsize=8, frameon=False)
    figure.supxlabel("epoch", fontsize=9)
    return figure

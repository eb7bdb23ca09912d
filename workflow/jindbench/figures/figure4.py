"""Figure 4 of the paper: the two types that are confused most often, and the genes that tell their cells apart."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import SubFigure

from jindbench import io, predictions
from jindbench.plots import alluvial, cells, heatmap, palette, tsne_panels, words


def draw(tsne, predicted, sources, solutions, comparisons, heatmaps, outcomes, tasks, methods, without):
    """A column for each task: alluvial plot, tSNE with the two types, top genes."""
    shown, missing = cells.of_each_task(
        tasks, without, outcomes, methods, tsne, predicted, sources, solutions, comparisons, heatmaps
    )
    if not shown:
        return words(missing), {"points": cells.joined([]), "flows": cells.joined([])}
    figure = plt.figure(figsize=(9 * len(shown), 17), layout="constrained")
    parts = figure.subfigures(3, len(shown), squeeze=False, height_ratios=[1, 0.9, 0.9])
    points, flows = [], []
    for (top, middle, bottom), of_task in zip(parts.T, shown, strict=True):
        task, [places], [labelled], [source], [solution], [comparison], [genes] = of_task
        title, truth, record = tasks[task], io.read_solution(solution), io.read_json(comparison)
        placed = cells.of_target(cells.read_points(places), truth)
        flow = alluvial.flows(truth, predictions.read(labelled))
        of_types = palette.of_types(cells.types_of(source, truth))
        pair = [record[key] for key in ("type_a", "type_b") if key in record]
        alluvial.draw(top.subplots(), flow, of_types, f"{title}: true to predicted type")
        emphasis = f"{title}: target, {' and '.join(pair)}" if pair else f"{title}: no type is confused"
        tsne_panels.by_category(middle.subplots(), placed, "type", of_types, emphasis, emphasise=pair)
        _genes(bottom, record, io.read_table(genes, text=["cell_id", "group"]))
        points.append(placed.assign(task=task))
        flows.append(flow.assign(task=task))
    figure.supxlabel(missing, fontsize=8)
    return figure, {"points": cells.joined(points), "flows": cells.joined(flows)}


def _genes(figure: SubFigure, record: dict, top: pd.DataFrame) -> None:
    """The heatmap of the top genes, or why there is none."""
    if record["status"] != "ok":
        figure.text(0.5, 0.5, record["status"], ha="center", va="center", wrap=True)
        return
    a, b = record["type_a"], record["type_b"]
    if record["n_significant"] == 0:
        groups = f"{a} as {a} ({record['n_first']} cells) and {a} as {b} ({record['n_second']} cells)"
        found = f"No gene differs (adjusted p < {record['alpha']:g}, {record['model']}) between\n{groups}."
        figure.text(0.5, 0.5, found, ha="center", va="center")
        return
    shown = len(top.columns) - 2
    title = f"{shown} of {record['n_significant']} genes with adjusted p < {record['alpha']:g} ({record['model']})"
    heatmap.draw_on(figure, top, {f"{a} as {a}": record["n_first"], f"{a} as {b}": record["n_second"]}, title)

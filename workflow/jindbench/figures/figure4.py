"""Figure 4 of the paper: the two types that are confused most often, and the genes that tell their cells apart."""

import matplotlib.pyplot as plt

from jindbench import io, predictions
from jindbench.plots import Drawn, alluvial, cells, heatmap, lettered, tsne_panels

TITLE = "Figure 4: the types that are confused most often, and genes that tell their cells apart"
CAPTION = (
    "Top: true and predicted types. Middle: the two types that are confused most often (or the pair that the "
    "configuration names) on the tSNE of the target. Bottom: the genes that differ between cells of the one type that "
    "are labelled correctly and those that are labelled as the other. Many such genes suggest that the misclassified "
    "cells really are different; Figures S3 and S4 show how many genes to expect by chance."
)


def draw(
    tsne,
    predicted,
    sources,
    solutions,
    comparisons,
    heatmaps,
    outcomes,
    all_sources,
    all_solutions,
    tasks,
    methods,
    without,
):
    """A column for each task: alluvial plot, tSNE with the two types, top genes."""
    shown, missing = cells.of_each_task(
        tasks, without, outcomes, methods, tsne, predicted, sources, solutions, comparisons, heatmaps
    )
    if not shown:
        return Drawn(None, TITLE, [], missing, {"points": cells.joined([]), "flows": cells.joined([])})
    records = [io.read_json(comparison) for *_, [comparison], _ in shown]
    reasons = {record["task"]: why for record in records if (why := heatmap.impossible(record))}
    heights = [1, 0.9, 0.9][: 3 if len(reasons) < len(shown) else 2]
    figure = plt.figure(figsize=(9 * len(shown), 6 * sum(heights)), layout="constrained")
    parts = figure.subfigures(len(heights), len(shown), squeeze=False, height_ratios=heights)
    points, flows, panels, found, of_types = [], [], [], [], cells.colours(all_sources, all_solutions)
    for column, record, of_task in zip(parts.T, records, shown, strict=True):
        task, [places], [labelled], _, [solution], _, [genes] = of_task
        title, truth = tasks[task], io.read_solution(solution)
        placed = cells.of_target(cells.read_points(places), truth)
        flow = alluvial.flows(truth, predictions.read(labelled))
        pair = [record[key] for key in ("type_a", "type_b") if key in record]
        panels += [column[0].subplots(), column[1].subplots()]
        alluvial.draw(panels[-2], flow, of_types, f"{title}: true to predicted type")
        emphasis = f"{title}: target, {' and '.join(pair)}" if pair else f"{title}: no type is confused"
        tsne_panels.by_category(panels[-1], placed, "type", of_types, emphasis, emphasise=pair)
        if task in reasons:
            missing.append(f"Genes of {title}: {reasons[task]}")
        else:
            heatmap.draw_on(column[2], io.read_table(genes, text=["cell_id", "group"]), *heatmap.described(record))
            found.append(
                f"{title}: {record['n_significant']} genes differ between {record['n_first']} {record['type_a']} "
                f"labelled correctly and {record['n_second']} labelled {record['type_b']}."
            )
        points.append(placed.assign(task=task))
        flows.append(flow.assign(task=task))
    lettered(panels)
    return Drawn(
        figure, TITLE, [CAPTION, *found], missing, {"points": cells.joined(points), "flows": cells.joined(flows)}
    )

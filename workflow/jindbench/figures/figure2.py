"""Figure 2 of the paper: what alignment does to the latent codes, and to the labels."""

from jindbench import io, predictions
from jindbench.plots import alluvial, cells, grid, palette, tsne_panels, words


def draw(tsne, predicted, sources, solutions, outcomes, tasks, methods, without):
    """A row for each task before and after alignment: tSNE by batch, by type, and an alluvial plot."""
    shown, missing = cells.of_each_task(
        tasks, without, outcomes, methods, tsne, predicted, sources, solutions, outcomes
    )
    if not shown:
        return words(missing), {"points": cells.joined([]), "flows": cells.joined([])}
    figure, panels = grid(6 * len(shown), 3, 17 / 3, 5.2, width_ratios=[1, 1, 1.1])
    rows, points, flows = iter(panels), [], []
    for task, of_tsne, of_predictions, [source], [solution], stages in shown:
        truth, labels = io.read_solution(solution), io.read_source_labels(source)
        for places, labelled, outcome in zip(of_tsne, of_predictions, stages, strict=True):
            method = io.read_json(outcome)["method"]
            title = f"{tasks[task]}, {methods[method]}"
            placed = cells.typed(cells.read_points(places), labels, truth)
            flow = alluvial.flows(truth, predictions.read(labelled))
            of_types = palette.of_types(placed["type"])
            by_batch, by_type, from_truth = next(rows)
            tsne_panels.by_category(by_batch, placed, "side", palette.SIDES, f"{title}: latent codes by batch")
            tsne_panels.by_category(by_type, placed, "type", of_types, f"{title}: by true type")
            alluvial.draw(from_truth, flow, of_types, f"{title}: true to predicted type")
            points.append(placed.assign(task=task, method=method))
            flows.append(flow.assign(task=task, method=method))
    figure.supxlabel(missing, fontsize=8)
    return figure, {"points": cells.joined(points), "flows": cells.joined(flows)}

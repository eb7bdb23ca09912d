"""Figure 2 of the paper: what alignment does to the latent codes, and to the labels."""

from jindbench import io, predictions
from jindbench.plots import Drawn, alluvial, cells, grid, lettered, palette, tsne_panels
from jindbench.scoring import metrics

TITLE = "Figure 2: latent codes and labels before and after alignment"
CAPTION = (
    "tSNE of the latent codes (50 principal components, perplexity 50) by batch and by true type, and the labels "
    "that follow from them, before and after alignment. After a good alignment, the target's cells lie among the "
    "source's of their type. tSNE shows neighbourhoods, not distances between clusters. First seed."
)


def draw(tsne, predicted, sources, solutions, outcomes, all_sources, all_solutions, tasks, methods, without):
    """A row for each task before and after alignment: tSNE by batch, by type, and an alluvial plot."""
    shown, missing = cells.of_each_task(
        tasks, without, outcomes, methods, tsne, predicted, sources, solutions, outcomes
    )
    if not shown:
        return Drawn(None, TITLE, [], missing, {"points": cells.joined([]), "flows": cells.joined([])})
    figure, panels = grid(3 * sum(len(stages) for *_, stages in shown), 3, 17 / 3, 5.2, width_ratios=[1, 1, 1.1])
    rows, points, flows, found = iter(panels), [], [], []
    of_types = cells.colours(all_sources, all_solutions)
    for task, of_tsne, of_predictions, [source], [solution], stages in shown:
        truth, labels, effects = io.read_solution(solution), io.read_source_labels(source), []
        for places, labelled, outcome in zip(of_tsne, of_predictions, stages, strict=True):
            method = io.read_json(outcome)["method"]
            title, table = f"{tasks[task]}, {methods[method]}", predictions.read(labelled)
            placed = cells.typed(cells.read_points(places), labels, truth)
            flow = alluvial.flows(truth, table)
            by_batch, by_type, from_truth = next(rows)
            tsne_panels.by_category(by_batch, placed, "side", palette.SIDES, f"{title}\nlatent codes by batch")
            tsne_panels.by_category(by_type, placed, "type", of_types, f"{title}\nby true type")
            tsne_panels.names(by_type, placed)
            alluvial.draw(from_truth, flow, of_types, f"{title}\ntrue to predicted type")
            points.append(placed.assign(task=task, method=method))
            flows.append(flow.assign(task=task, method=method))
            effects.append(metrics.correct_and_kept(table, truth))
        if len(effects) > 1:  # of a method without alignment there is nothing to compare
            found.append(f"{tasks[task]}: {_effect(*effects)}")
    lettered(panels.flat)
    return Drawn(
        figure, TITLE, [CAPTION, *found], missing, {"points": cells.joined(points), "flows": cells.joined(flows)}
    )


def _effect(before, after) -> str:
    """What alignment did to rejected and to right cells, in words."""

    def change(what, first, second, value):
        verb = "raised" if second > first else "lowered" if second < first else "did not change"
        of = f" from {value(first)} to {value(second)}" if first != second else f" ({value(first)})"
        return f"{verb} {what}{of}"

    rejection = change("rejection", (~before["kept"]).sum(), (~after["kept"]).sum(), str)
    accuracy = change("raw accuracy", before["correct"].mean(), after["correct"].mean(), lambda share: f"{share:.3f}")
    return f"alignment {rejection} of {len(before)} cells and {accuracy}."

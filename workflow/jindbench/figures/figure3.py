"""Figure 3 of the paper, panels a and b: the cells that are rejected."""

from jindbench import io, predictions
from jindbench.names import CELL_ID, RAW_LABEL
from jindbench.plots import cells, grid, palette, tsne_panels, words
from jindbench.scoring import metrics


def draw(tsne, predicted, sources, solutions, outcomes, tasks, methods, method, without):
    """The target's cells, a panel for each task."""
    shown, missing = cells.of_each_task(tasks, without, outcomes, methods, tsne, predicted, sources, solutions)
    if not shown:
        return words(missing), {"points": cells.joined([])}
    figure, panels = grid(len(shown), 2, 9, 6.5)
    points = []
    for panel, (task, [places], [labelled], [source], [solution]) in zip(panels.flat, shown, strict=False):
        truth, table = io.read_solution(solution), predictions.read(labelled)
        kept = metrics.correct_and_kept(table, truth).assign(**{RAW_LABEL: table.set_index(CELL_ID)[RAW_LABEL]})
        placed = cells.of_target(cells.read_points(places), truth).join(kept, on=CELL_ID)
        of_types = palette.of_types(cells.types_of(source, truth))
        tsne_panels.rejected(panel, placed, of_types, f"{tasks[task]}, {methods[method]}")
        points.append(placed.assign(task=task))
    figure.supxlabel(missing, fontsize=8)
    return figure, {"points": cells.joined(points)}

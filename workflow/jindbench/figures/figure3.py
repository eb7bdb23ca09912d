"""Figure 3 of the paper, panels a and b: the cells that are rejected."""

from jindbench import io, predictions
from jindbench.names import CELL_ID, RAW_LABEL
from jindbench.plots import Drawn, cells, grid, lettered, tsne_panels
from jindbench.scoring import metrics

TITLE = "Figure 3 a and b: the rejected cells"
CAPTION = (
    "tSNE of the target's own expression. Colours are labels before rejection, crosses errors, large markers rejected "
    "cells. Rejection works where large markers and crosses coincide. First seed."
)


def draw(tsne, predicted, sources, solutions, outcomes, all_sources, all_solutions, tasks, methods, method, without):
    """The target's cells, a panel for each task."""
    shown, missing = cells.of_each_task(tasks, without, outcomes, methods, tsne, predicted, sources, solutions)
    if not shown:
        return Drawn(None, TITLE, [], missing, {"points": cells.joined([])})
    figure, panels = grid(len(shown), 2, 9, 6.5)
    points, found, of_types = [], [], cells.colours(all_sources, all_solutions)
    for panel, (task, [places], [labelled], _, [solution]) in zip(panels.flat, shown, strict=False):
        truth, table = io.read_solution(solution), predictions.read(labelled)
        kept = metrics.correct_and_kept(table, truth).assign(**{RAW_LABEL: table.set_index(CELL_ID)[RAW_LABEL]})
        placed = cells.of_target(cells.read_points(places), truth).join(kept, on=CELL_ID)
        tsne_panels.rejected(panel, placed, of_types, f"{tasks[task]}, {methods[method]}")
        points.append(placed.assign(task=task))
        wrong = ~kept["correct"]
        found.append(
            f"{tasks[task]}: {(wrong & ~kept['kept']).sum()} of {wrong.sum()} wrong labels are rejected, and "
            f"{(~wrong & ~kept['kept']).sum()} of {(~wrong).sum()} right ones."
        )
    lettered(panels.flat[: len(shown)])
    return Drawn(figure, TITLE, [CAPTION, *found], missing, {"points": cells.joined(points)})

"""Figure 4: confusions, the two types that are confused most often, and the genes that differ."""

from jindbench import io, predictions
from jindbench.execution import job
from jindbench.plots import alluvial, cells, figure4

with job.run(snakemake):
    missing = cells.missing(snakemake.params.without, snakemake.input.outcomes, snakemake.params.method_titles)
    drawn, points, flows = [], [], []
    for task, *files in zip(
        snakemake.params.tasks,
        *(snakemake.input[key] for key in ("tsne", "predictions", "sources", "solutions", "comparisons", "heatmaps")),
    ):
        tsne, predicted, source, solution, comparison, heatmap = files
        if task in missing:
            continue
        truth = io.read_solution(solution)
        placed = cells.of_target(cells.read_points(tsne), truth)
        of_task = alluvial.flows(truth, predictions.read(predicted))
        top = io.read_table(heatmap, text=["cell_id", "group"])
        title = snakemake.params.task_titles[task]
        types = cells.types_of(source, truth)
        drawn.append(figure4.Column(title, types, placed, of_task, io.read_json(comparison), top))
        points.append(placed.assign(task=task))
        flows.append(of_task.assign(task=task))
    io.write_figure(
        figure4.draw(drawn, cells.titled(missing, snakemake.params.task_titles)),
        snakemake.output.svg,
        snakemake.output.png,
    )
    io.write_table(cells.joined(points), snakemake.output.points)
    io.write_table(cells.joined(flows), snakemake.output.flows)

"""Figure 2: latent codes and labels before and after alignment."""

from jindbench import io, predictions
from jindbench.execution import job
from jindbench.plots import alluvial, cells, figure2

with job.run(snakemake):
    missing = cells.missing(snakemake.params.without, snakemake.input.outcomes, snakemake.params.method_titles)
    drawn, points, flows = [], [], []
    for position, task in enumerate(snakemake.params.tasks):
        if task in missing:
            continue
        truth = io.read_solution(snakemake.input.solutions[position])
        labels = cells.source_labels(snakemake.input.sources[position])
        for stage, method in enumerate(snakemake.params.stages[task][:2], start=2 * position):
            facts = {"task": task, "method": method}
            placed = cells.typed(cells.read_points(snakemake.input.tsne[stage]), labels, truth)
            of_stage = alluvial.flows(truth, predictions.read(snakemake.input.predictions[stage]))
            title = f"{snakemake.params.task_titles[task]}, {snakemake.params.method_titles[method]}"
            drawn.append(figure2.Stage(title, placed, of_stage))
            points.append(placed.assign(**facts))
            flows.append(of_stage.assign(**facts))
    io.write_figure(
        figure2.draw(drawn, cells.titled(missing, snakemake.params.task_titles)),
        snakemake.output.svg,
        snakemake.output.png,
    )
    io.write_table(cells.joined(points), snakemake.output.points)
    io.write_table(cells.joined(flows), snakemake.output.flows)

"""Figure 2: latent codes and labels before and after alignment."""

from jindbench import figures, io, jobs, predictions
from jindbench.plots import alluvial, figure2

with jobs.logged(snakemake.log[0]):
    drawn, points, flows = [], [], []
    tsne, predicted = iter(snakemake.input.tsne), iter(snakemake.input.predictions)
    for task, source, solution in zip(snakemake.params.tasks, snakemake.input.sources, snakemake.input.solutions):
        truth = io.read_solution(solution)
        for method in snakemake.params.stages[task][:2]:
            facts = {"task": task, "method": method}
            cells = figures.typed(figures.read_points(next(tsne)), io.read_h5ad(source), truth)
            of_stage = alluvial.flows(truth, predictions.read(next(predicted)))
            title = f"{snakemake.params.task_titles[task]}, {snakemake.params.method_titles[method]}"
            drawn.append(figure2.Stage(title, cells, of_stage))
            points.append(cells.assign(**facts))
            flows.append(of_stage.assign(**facts))
    io.write_figure(figure2.draw(drawn), snakemake.output.svg, snakemake.output.png)
    io.write_table(figures.joined(points), snakemake.output.points)
    io.write_table(figures.joined(flows), snakemake.output.flows)

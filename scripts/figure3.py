"""Figure 3: rejected cells, and how many each method rejects."""

from jindbench import io, predictions
from jindbench.execution import job
from jindbench.names import CELL_ID, RAW_LABEL
from jindbench.plots import cells, figure3, figure3_rates
from jindbench.scoring import metrics
from jindbench.tables import titles

with job.run(snakemake):
    missing = cells.missing(snakemake.params.without, snakemake.input.outcomes, snakemake.params.method_titles)
    drawn, types = {}, {}
    for task, tsne, predicted, source, solution in zip(
        snakemake.params.tasks,
        *(snakemake.input[key] for key in ("tsne", "predictions", "sources", "solutions")),
    ):
        if task in missing:
            continue
        truth, table = io.read_solution(solution), predictions.read(predicted)
        placed = cells.of_target(cells.read_points(tsne), truth)
        results = metrics.correct_and_kept(table, truth).assign(**{RAW_LABEL: table.set_index(CELL_ID)[RAW_LABEL]})
        placed = placed.join(results, on=CELL_ID)
        title = f"{snakemake.params.task_titles[task]}, {snakemake.params.method_titles[snakemake.params.method]}"
        drawn[title], types[title] = placed.assign(task=task), cells.types_of(source, truth)
    io.write_figure(
        figure3.draw(drawn, types, cells.titled(missing, snakemake.params.task_titles)),
        snakemake.output.svg,
        snakemake.output.png,
    )
    io.write_table(cells.joined(drawn.values()), snakemake.output.points)
    scores = io.read_table(snakemake.input.scores, text=["task", "method", "status"])
    scores = titles.titled(scores, snakemake.params.task_titles, snakemake.params.methods)
    io.write_figure(figure3_rates.draw(scores), snakemake.output.rates, snakemake.output.rates_png)

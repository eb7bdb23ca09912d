"""Figure 3: rejected cells, and how many each method rejects."""

from jindbench import figures, io, jobs, predictions, scoring, tables
from jindbench.names import CELL_ID, RAW_LABEL
from jindbench.plots import figure3, rejection_rates

with jobs.job(snakemake):
    missing = figures.missing(snakemake.params.without, snakemake.input.outcomes, snakemake.params.method_titles)
    drawn, types = {}, {}
    for task, tsne, predicted, source, solution in zip(
        snakemake.params.tasks,
        *(snakemake.input[key] for key in ("tsne", "predictions", "sources", "solutions")),
    ):
        if task in missing:
            continue
        truth, table = io.read_solution(solution), predictions.read(predicted)
        cells = figures.of_target(figures.read_points(tsne), truth)
        outcomes = scoring.outcomes(table, truth).assign(**{RAW_LABEL: table.set_index(CELL_ID)[RAW_LABEL]})
        cells = cells.join(outcomes, on=CELL_ID)
        title = f"{snakemake.params.task_titles[task]}, {snakemake.params.method_titles[snakemake.params.method]}"
        drawn[title], types[title] = cells.assign(task=task), figures.types_of(source, truth)
    io.write_figure(
        figure3.draw(drawn, types, figures.titled(missing, snakemake.params.task_titles)),
        snakemake.output.svg,
        snakemake.output.png,
    )
    io.write_table(figures.joined(drawn.values()), snakemake.output.points)
    scores = io.read_table(snakemake.input.scores, text=["task", "method", "status"])
    scores = tables.titled(scores, snakemake.params.task_titles, snakemake.params.methods)
    io.write_figure(rejection_rates.draw(scores), snakemake.output.rates, snakemake.output.rates_png)

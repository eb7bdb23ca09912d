"""Figure and table of what methods recorded in training."""

from pathlib import Path

from jindbench import io
from jindbench.execution import job
from jindbench.plots import training

with job.run(snakemake):
    histories = []
    for outcome, model in zip(snakemake.input.outcomes, snakemake.input.models):
        facts, path = io.read_json(outcome), Path(model) / "history.tsv"
        if path.exists():
            history = io.read_table(path)
            histories.append(({key: facts[key] for key in ("task", "method", "seed")}, history))
    values = training.long_table(histories)
    io.write_table(values, snakemake.output.table)
    titles = {"task": snakemake.params.task_titles, "method": snakemake.params.method_titles}
    io.write_figure(training.draw(values.replace(titles)), snakemake.output.svg, snakemake.output.png)

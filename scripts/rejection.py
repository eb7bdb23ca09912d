"""Tables of what rejection buys, of every run: quality, by type, confusions, reliability, accuracy over coverage."""

import pandas as pd

from jindbench import io, predictions
from jindbench.execution import job
from jindbench.scoring import metrics, rejection

with job.run(snakemake):
    truths = {task: io.read_solution(path) for task, path in zip(snakemake.params.tasks, snakemake.input.solutions)}
    sources = zip(snakemake.params.tasks, snakemake.input.sources)
    types = {task: set(io.read_source_labels(path)) for task, path in sources}
    runs = []
    for outcome, path in zip(map(io.read_json, snakemake.input.outcomes), snakemake.input.predictions):
        if outcome["status"] == "ok":
            runs.append(({key: outcome[key] for key in ("task", "method", "seed")}, predictions.read(path)))
    # The share of cells that the reference keeps, by task: that of its first seed for what runs with other seeds.
    kept = {}
    for facts, table in runs:
        if facts["method"] == snakemake.params.reference:
            share = metrics.correct_and_kept(table, truths[facts["task"]])["kept"].mean()
            kept.setdefault(facts["task"], {})[facts["seed"]] = share

    parts = {name: [] for name in ("quality", "per_type", "confusion", "reliability", "coverage")}
    for facts, table in runs:
        truth, shares = truths[facts["task"]], kept.get(facts["task"], {})
        curve = rejection.coverage_curve(table, truth)
        coverage = shares.get(facts["seed"], next(iter(shares.values()), float("nan")))
        at = rejection.accuracy_at(curve, coverage) if coverage == coverage else float("nan")
        beside_reference = {"coverage_of_reference": coverage, "accuracy_at_that_coverage": at}
        parts["quality"].append(pd.DataFrame([rejection.quality(table, truth) | beside_reference]).assign(**facts))
        parts["per_type"].append(rejection.per_type(table, truth, types[facts["task"]]).assign(**facts))
        parts["confusion"].append(rejection.confusion(table, truth).assign(**facts))
        parts["reliability"].append(rejection.reliability(table, truth).assign(**facts))
        parts["coverage"].append(rejection.thin(curve).assign(**facts))
    for name, tables in parts.items():
        joined = pd.concat(tables) if tables else pd.DataFrame(columns=["task", "method", "seed"])
        first = ["task", "method", "seed"]
        io.write_table(joined[[*first, *joined.columns.difference(first, sort=False)]], snakemake.output[name])

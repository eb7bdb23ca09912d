"""What rejection buys, of every run: quality, by type, confusions, reliability, accuracy over coverage.

Also the share that JIND rejects at several outlier fractions, and every method against the reference (JIND+) on the
same cells.
"""

from pathlib import Path

import pandas as pd

from jindbench import io, predictions
from jindbench.execution import job
from jindbench.jind.model import JINDModel
from jindbench.scoring import metrics, paired_tests, rejection, rejection_by_theta
from jindbench.tables import paired_tests as tables

RUN = ["task", "method", "seed"]
EMPTY = {"by_theta": ["theta", "rej"]}  # columns that are read where no JIND is run


def of_runs(outcomes, *paths):
    """What a run is, and its files, of each that has a result."""
    for outcome, *files in zip(map(io.read_json, outcomes), *paths):
        if outcome["status"] == "ok":
            yield {key: outcome[key] for key in RUN}, *files


with job.run(snakemake):
    job.limit_threads(snakemake.threads)
    tasks, methods, reference = snakemake.params.tasks, snakemake.params.methods, snakemake.params.reference
    truths = {task: io.read_solution(path) for task, path in zip(tasks, snakemake.input.solutions)}
    types = {task: set(io.read_source_labels(path)) for task, path in zip(tasks, snakemake.input.sources)}
    of_all = of_runs(snakemake.input.outcomes, snakemake.input.predictions)
    runs = [(facts, predictions.read(path)) for facts, path in of_all]
    # One failed seed leaves no average.
    outcomes = map(io.read_json, snakemake.input.outcomes)
    incomplete = {(outcome["task"], outcome["method"]) for outcome in outcomes if outcome["status"] != "ok"}
    kept = {}  # the share of cells that the reference keeps, by task and seed
    for facts, table in runs:
        if facts["method"] == reference:
            share = metrics.correct_and_kept(table, truths[facts["task"]])["kept"].mean()
            kept.setdefault(facts["task"], {})[facts["seed"]] = share

    parts = {name: [] for name in ("quality", "per_type", "confusion", "reliability", "coverage", "by_theta")}
    for facts, table in runs:
        truth, shares = truths[facts["task"]], kept.get(facts["task"], {})
        curve = rejection.coverage_curve(table, truth)
        quality = rejection.quality(table, truth) | rejection.beside_reference(curve, facts["seed"], shares)
        parts["quality"].append(pd.DataFrame([quality]).assign(**facts))
        parts["per_type"].append(rejection.per_type(table, truth, types[facts["task"]]).assign(**facts))
        parts["confusion"].append(rejection.confusion(table, truth).assign(**facts))
        parts["reliability"].append(rejection.reliability(table, truth).assign(**facts))
        parts["coverage"].append(rejection.thin(curve).assign(**facts))
    files = (snakemake.input.get(f"jind_{name}", []) for name in ("outcomes", "predictions", "models"))
    for facts, predicted, model in of_runs(*files):
        if (facts["task"], facts["method"]) in incomplete:
            continue
        rates = rejection_by_theta.rates(JINDModel.load(Path(model), "cpu"), predictions.read(predicted))
        parts["by_theta"].append(rates.assign(**facts))
    for name, of_part in parts.items():
        joined = pd.concat(of_part) if of_part else pd.DataFrame(columns=[*RUN, *EMPTY.get(name, [])])
        io.write_table(joined[[*RUN, *joined.columns.difference(RUN, sort=False)]], snakemake.output[name])

    by_seed = {}
    for facts, table in runs:
        if (facts["task"], facts["method"]) not in incomplete:
            by_seed.setdefault((facts["task"], facts["method"]), {})[facts["seed"]] = table
    parts = [
        paired_tests.against(by_seed[task, reference], of_method, truths[task]).assign(task=task, method=method)
        for (task, method), of_method in by_seed.items()
        if method != reference and (task, reference) in by_seed
    ]
    table = paired_tests.correct(pd.concat(parts, ignore_index=True)) if parts else pd.DataFrame()
    table = table.reindex(columns=["task", "method", *paired_tests.COLUMNS])
    shown = tables.shown(table.replace({"task": tasks, "method": methods}), methods.get(reference, reference))
    title = f"{methods.get(reference, reference)} against each method, on the same cells ({snakemake.params.run})"
    shown.write(table, title, snakemake.output.tsv)

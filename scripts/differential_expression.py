"""Compare the cells of a type that are labelled correctly with those that are mistaken for another type.

Groups that are too small, and a machine without R, give empty tables and a record with the reason.
"""

import pandas as pd

from jindbench import io, predictions
from jindbench.data.preprocess import transform
from jindbench.errors import InputError, NotAvailable
from jindbench.execution import job
from jindbench.names import RAW_LABEL, X_KIND
from jindbench.plots import heatmap
from jindbench.scoring import differential_expression as de

TOP_GENES = 20  # of Figure 4
EMPTY = {
    "genes": pd.DataFrame(columns=["gene"]),
    "control": pd.DataFrame(columns=["draw", "n_first", "n_second", "n_significant"]),
    "top": heatmap.nothing(),
    "all": heatmap.nothing(),
}


def compare(record, run, target, solution):
    """Fill in the record; returns the tables."""
    if not run:
        record["status"] = f"not run: {snakemake.params.method} is not run on this task"
        return {}
    outcome = io.read_json(run["outcome"])
    if outcome["status"] != "ok":
        record["status"] = f"{outcome['status']}: {outcome['reason']}"
        return {}
    adata, truth = io.read_target(target), io.read_solution(solution)
    predicted = predictions.read(run["predictions"])
    pair = snakemake.params.pairs.get(record["task"]) or de.most_confused_pair(truth, predicted)
    if pair is None:
        record["status"] = "not compared: no type is mistaken for another"
        return {}
    if unknown := {*pair} - {*truth, *predicted[RAW_LABEL]}:
        raise InputError(f"pairs: no cell of {record['task']} is or is labelled {' or '.join(sorted(unknown))}")
    first, second = de.groups(truth, predicted, tuple(pair))
    record |= {"type_a": pair[0], "type_b": pair[1], "n_first": len(first), "n_second": len(second)}
    alpha, model = snakemake.params.alpha, snakemake.params.model
    comparison = de.compare(adata, first, second, model)
    significant = comparison.significant(alpha)["gene"]
    record |= {"model": comparison.model, "n_significant": len(significant)}
    control = de.negative_control(
        adata,
        truth.index[truth == pair[0]],
        (len(first), len(second)),
        model,
        draws=snakemake.params.draws,
        seed=snakemake.params.seed,
        alpha=alpha,
    )
    record |= {"draws": len(control), "control_median": float(control["n_significant"].median())}
    record |= {
        "control_max": int(control["n_significant"].max()),
        "control_none": int((control["n_significant"] == 0).sum()),
    }

    groups = pd.Series(
        dict.fromkeys(first, f"{pair[0]} as {pair[0]}") | dict.fromkeys(second, f"{pair[0]} as {pair[1]}")
    )
    X = transform(adata[groups.index, list(significant)].X, adata.uns[X_KIND])
    values = pd.DataFrame(X.toarray(), index=groups.index, columns=significant)
    drawn = {
        name: heatmap.order(values, groups, list(genes), seed=snakemake.params.seed)
        for name, genes in (("top", significant[:TOP_GENES]), ("all", significant))
    }
    return {"genes": comparison.table, "control": control} | drawn


with job.run(snakemake):
    job.limit_threads(snakemake.threads)
    for number, (task, run) in enumerate(snakemake.params.runs.items()):
        record = {"task": task, "method": snakemake.params.method, "seed": snakemake.params.seed}
        record |= {"alpha": snakemake.params.alpha, "status": "ok"}
        tables = {}
        try:
            tables = compare(record, run, snakemake.input.target[number], snakemake.input.solution[number])
        except de.TooFewCells as error:
            record["status"] = f"not compared: {error}"
        except NotAvailable as error:
            record["status"] = f"not run: {error}"
        except InputError as error:
            record["status"] = f"not compared: differential_expression: {error}"
        for name, empty in EMPTY.items():
            io.write_table(tables.get(name, empty), snakemake.output[name][number])
        io.write_json(record, snakemake.output.comparison[number])

"""The share of cells that JIND and JIND+ reject at several outlier fractions, from their stored models."""

from pathlib import Path

import pandas as pd

from jindbench import io, predictions
from jindbench.execution import job
from jindbench.jind.model import JINDModel
from jindbench.scoring import rejection_by_theta

with job.run(snakemake):
    job.limit_threads(snakemake.threads)
    tables = [pd.DataFrame(columns=["task", "method", "seed", "theta", "rej"])]
    for path, predicted, model in zip(snakemake.input.outcomes, snakemake.input.predictions, snakemake.input.models):
        outcome = io.read_json(path)
        if outcome["status"] == "ok":
            rates = rejection_by_theta.rates(JINDModel.load(Path(model), "cpu"), predictions.read(predicted))
            facts = {key: outcome[key] for key in ("task", "method", "seed")}
            tables.append(rates.assign(**facts)[list(tables[0])])
    io.write_table(pd.concat(tables[1:] or tables), snakemake.output[0])

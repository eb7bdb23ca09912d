"""The page and the tables that say how the run was made."""

import json
from pathlib import Path

import pandas as pd

from jindbench import io
from jindbench.execution import job, trace
from jindbench.tables import provenance

with job.run(snakemake):
    outcomes = [io.read_json(path) for path in snakemake.input.outcomes]
    datasets = []
    for path in snakemake.input.datasets:
        if reason := io.not_available(path):
            datasets.append({"file": path, "origin": io.NOT_AVAILABLE + reason})
            continue
        adata = io.read_h5ad(path, backed=True)
        datasets.append({"file": path, "origin": adata.uns["source"], "X": adata.uns["x_kind"]})
        datasets[-1] |= {"cells": adata.n_obs, "genes": adata.n_vars, "read from": ", ".join(adata.uns["files"])}
        datasets[-1] |= {"sha256 of the file": io.sha256(path)}
        adata.file.close()
    configuration, datasets = json.loads(snakemake.params.configuration), pd.DataFrame(datasets).fillna("")
    by_output = {}
    for folder in ("data", snakemake.wildcards.run):
        by_output |= trace.jobs_by_output(Path("results", folder))
    made_by = trace.jobs_behind(snakemake.input, by_output)
    facts = provenance.facts(configuration, outcomes, made_by, datasets)
    io.write_table(facts, snakemake.output.facts)
    io.write_table(provenance.runs_table(outcomes), snakemake.output.runs)
    page = provenance.run_page(snakemake.wildcards.run, facts, configuration, outcomes, datasets)
    io.write_text(page, snakemake.output.page)

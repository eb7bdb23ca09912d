"""Table 1 of the paper, as TSV, Markdown and HTML."""

import pandas as pd

from jindbench import io
from jindbench.execution import job
from jindbench.names import BATCH, LABEL
from jindbench.tables import published, table1

with job.run(snakemake):
    sizes = []
    for dataset, path in zip(snakemake.params.datasets, snakemake.input.datasets):
        sizes.append({"dataset": dataset, "status": "ok"})
        if reason := io.not_available(path):
            sizes[-1]["status"] = io.NOT_AVAILABLE + reason
            continue
        adata = io.read_h5ad(path, backed=True)
        sizes[-1] |= {"cells": adata.n_obs, "genes": adata.n_vars}
        sizes[-1] |= {"cell_types": adata.obs[LABEL].nunique(), "batches": adata.obs[BATCH].nunique()}
        adata.file.close()
    scores = pd.concat([io.read_table(path, text=["dataset", "batch"]) for path in snakemake.input.scores])
    sizes = pd.DataFrame(sizes).reindex(columns=["dataset", *table1.COUNTS, "status"])
    table = table1.table1(sizes, scores, published.read(snakemake.input.published))
    table1.shown(table).write(table, f"Table 1 ({snakemake.params.run})", snakemake.output.tsv)

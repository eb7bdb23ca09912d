"""tSNE of the target's cells by their own expression, which no method has touched."""

import pandas as pd

from jindbench import io
from jindbench.execution import job
from jindbench.names import CELL_ID
from jindbench.plots import tsne

with job.run(snakemake):
    job.limit_threads(snakemake.threads)
    cells = io.read_h5ad(snakemake.input.cells)
    points = tsne.expression_tsne(cells, snakemake.params.seed, snakemake.threads)
    io.write_table(tsne.table(pd.DataFrame({CELL_ID: cells.obs_names}), points), snakemake.output[0])

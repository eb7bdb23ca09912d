"""tSNE of cells, of their latent codes or of their expression."""

import pandas as pd

from jindbench import io
from jindbench.execution import job
from jindbench.names import CELL_ID
from jindbench.plots import tsne

with job.run(snakemake):
    job.limit_threads(snakemake.threads)
    cells = io.read_h5ad(snakemake.input.cells)
    settings = {"seed": snakemake.params.seed, "threads": snakemake.threads}
    if snakemake.params.expression:
        points = tsne.expression_tsne(cells, **settings)
        table = pd.DataFrame({CELL_ID: cells.obs_names})
    else:
        points = tsne.tsne(cells.X, **settings)
        table = cells.obs[[CELL_ID, "side"]].reset_index(drop=True)
    io.write_table(table.assign(tsne_1=points[:, 0], tsne_2=points[:, 1]), snakemake.output[0])

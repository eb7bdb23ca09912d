"""tSNE of cells, of their latent codes or of their expression."""

import pandas as pd

from jindbench import embedding, io, jobs
from jindbench.names import CELL_ID

with jobs.job(snakemake):
    jobs.limit_threads(snakemake.threads)
    cells = io.read_h5ad(snakemake.input.cells)
    settings = {"seed": snakemake.params.seed, "threads": snakemake.threads}
    if snakemake.params.expression:
        points = embedding.expression_tsne(cells, **settings)
        table = pd.DataFrame({CELL_ID: cells.obs_names})
    else:
        points = embedding.tsne(cells.X, **settings)
        table = cells.obs[[CELL_ID, "side"]].reset_index(drop=True)
    io.write_table(table.assign(tsne_1=points[:, 0], tsne_2=points[:, 1]), snakemake.output[0])

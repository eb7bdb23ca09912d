"""tSNE of targets' cells by their own expression, which no method has touched; none if they are not available."""

import numpy as np
import pandas as pd

from jindbench import io, tsne
from jindbench.errors import DataNotAvailable
from jindbench.execution import job
from jindbench.names import CELL_ID

with job.run(snakemake):
    job.limit_threads(snakemake.threads)
    for cells_file, tsne_file in zip(snakemake.input.cells, snakemake.output, strict=True):
        try:
            cells = io.read_h5ad(cells_file)
        except DataNotAvailable:
            ids, points = [], np.zeros((0, 2))
        else:
            ids, points = cells.obs_names, tsne.expression_tsne(cells, snakemake.params.seed, snakemake.threads)
        io.write_table(tsne.table(pd.DataFrame({CELL_ID: ids}), points), tsne_file)

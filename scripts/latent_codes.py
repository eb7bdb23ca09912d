"""Latent codes of source and target, and their tSNE.

The source's codes are as the encoder gives them, the target's as the stage aligns them. Of a stage that failed there
are no cells: the figures say why.
"""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from jindbench import io
from jindbench.execution import job
from jindbench.jind.model import JINDModel
from jindbench.names import CELL_ID
from jindbench.plots import tsne

with job.run(snakemake):
    job.limit_threads(snakemake.threads)
    if io.read_json(snakemake.input.outcome)["status"] == "ok":
        model = JINDModel.load(Path(snakemake.input.model), "cpu")
        source, target = io.read_h5ad(snakemake.input.source), io.read_target(snakemake.input.target)
        codes = np.concatenate([model.without_alignment().codes(source), model.codes(target)])
        sides = np.repeat(["source", "target"], [source.n_obs, target.n_obs])
        # A cell may be in both batches by the same name, so names of rows tell the side.
        cells = pd.DataFrame({CELL_ID: [*source.obs_names, *target.obs_names], "side": sides})
        cells.index = [f"{side}:{cell}" for side, cell in zip(sides, cells[CELL_ID])]
    else:
        codes, cells = np.zeros((0, 1)), pd.DataFrame({CELL_ID: [], "side": []})
    io.write_h5ad(ad.AnnData(codes, obs=cells), snakemake.output.codes)
    points = tsne.tsne(codes, snakemake.params.seed, snakemake.threads)
    io.write_table(tsne.table(cells.reset_index(drop=True), points), snakemake.output.tsne)

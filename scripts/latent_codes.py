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


def cells_and_codes(model_dir):
    """The cells of both sides, with their codes as a stage has them."""
    model = JINDModel.load(Path(model_dir), "cpu")
    source, target = io.read_h5ad(snakemake.input.source), io.read_target(snakemake.input.target)
    codes = np.concatenate([model.without_alignment().codes(source), model.codes(target)])
    sides = np.repeat(["source", "target"], [source.n_obs, target.n_obs])
    # A cell may be in both batches by the same name, so names of rows tell the side.
    cells = pd.DataFrame({CELL_ID: [*source.obs_names, *target.obs_names], "side": sides})
    cells.index = [f"{side}:{cell}" for side, cell in zip(sides, cells[CELL_ID])]
    return cells, codes


with job.run(snakemake):
    job.limit_threads(snakemake.threads)
    inputs, outputs = snakemake.input, snakemake.output
    for outcome, model, *files in zip(inputs.outcomes, inputs.models, outputs.codes, outputs.tsne, strict=True):
        if io.read_json(outcome)["status"] == "ok":
            cells, codes = cells_and_codes(model)
        else:
            cells, codes = pd.DataFrame({CELL_ID: [], "side": []}), np.zeros((0, 1))
        io.write_h5ad(ad.AnnData(codes, obs=cells), files[0])
        points = tsne.tsne(codes, snakemake.params.seed, snakemake.threads)
        io.write_table(tsne.table(cells.reset_index(drop=True), points), files[1])

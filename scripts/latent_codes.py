"""Latent codes of source and target, and their tSNE.

The source's codes are as the encoder gives them, the target's as the stage aligns them. Of a stage that failed there
are no cells: the figures say why.
"""

from itertools import islice
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from jindbench import io, tsne
from jindbench.execution import job
from jindbench.jind.model import JINDModel
from jindbench.names import CELL_ID


def cells_of(source, target):
    """The cells of both sides."""
    sides = np.repeat(["source", "target"], [source.n_obs, target.n_obs])
    # A cell may be in both batches by the same name, so names of rows tell the side.
    cells = pd.DataFrame({CELL_ID: [*source.obs_names, *target.obs_names], "side": sides})
    cells.index = [f"{side}:{cell}" for side, cell in zip(sides, cells[CELL_ID])]
    return cells


with job.run(snakemake):
    job.limit_threads(snakemake.threads)
    inputs, outputs = snakemake.input, snakemake.output
    stages = zip(inputs.outcomes, inputs.models, outputs.codes, outputs.tsne, strict=True)
    n_stages = len(inputs.models) // len(inputs.source)
    for source_file, target_file in zip(inputs.source, inputs.target, strict=True):
        sides = None
        for outcome, folder, codes_file, tsne_file in islice(stages, n_stages):
            cells, codes = pd.DataFrame({CELL_ID: [], "side": []}), np.zeros((0, 1))
            if io.read_json(outcome)["status"] == "ok":
                sides = sides or (io.read_h5ad(source_file), io.read_target(target_file))
                model = JINDModel.load(Path(folder), "cpu")
                cells = cells_of(*sides)
                codes = np.concatenate([model.without_alignment().codes(sides[0]), model.codes(sides[1])])
            io.write_h5ad(ad.AnnData(codes, obs=cells), codes_file)
            points = tsne.tsne(codes, snakemake.params.seed, snakemake.threads)
            io.write_table(tsne.table(cells.reset_index(drop=True), points), tsne_file)

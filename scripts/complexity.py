"""kNN scores of a dataset, batch by batch; none of one that is not available."""

import pandas as pd

from jindbench import io
from jindbench.errors import DataNotAvailable
from jindbench.execution import job
from jindbench.scoring import complexity

with job.run(snakemake):
    job.limit_threads(snakemake.threads)
    try:
        adata = io.read_h5ad(snakemake.input.dataset)
    except DataNotAvailable:
        scores = pd.DataFrame(columns=["batch"])
    else:
        scores = complexity.dataset_scores(adata, seed=snakemake.params.seed, threads=snakemake.threads)
    job.log.info("%s", scores.to_string(index=False))
    scores.insert(0, "dataset", snakemake.wildcards.dataset)
    io.write_table(scores, snakemake.output[0])

"""kNN scores of datasets, batch by batch; none of one that is not available."""

import pandas as pd

from jindbench import io
from jindbench.execution import job
from jindbench.scoring import complexity

with job.run(snakemake):
    job.limit_threads(snakemake.threads)
    scores = [pd.DataFrame(columns=["dataset", "batch"])]
    for name, path in zip(snakemake.params.datasets, snakemake.input.datasets, strict=True):
        if io.not_available(path):
            continue
        adata = io.read_h5ad(path)
        of_dataset = complexity.dataset_scores(adata, seed=snakemake.params.seed, threads=snakemake.threads)
        of_dataset.insert(0, "dataset", name)
        job.log.info("%s", of_dataset.to_string(index=False))
        scores.append(of_dataset)
    io.write_table(pd.concat(scores), snakemake.output[0])

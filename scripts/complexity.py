"""kNN scores of a dataset, batch by batch."""

from jindbench import io
from jindbench.execution import job
from jindbench.scoring import complexity

with job.run(snakemake):
    job.limit_threads(snakemake.threads)
    adata = io.read_h5ad(snakemake.input.dataset)
    scores = complexity.dataset_scores(adata, seed=snakemake.params.seed, threads=snakemake.threads)
    job.log.info("%s", scores.to_string(index=False))
    scores.insert(0, "dataset", snakemake.wildcards.dataset)
    io.write_table(scores, snakemake.output[0])

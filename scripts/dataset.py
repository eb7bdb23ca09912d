"""Load a dataset from its origin, check it, normalise it if the configuration says so."""

from jindbench import io, jobs, registry
from jindbench.preprocess import normalize_library_size

with jobs.logged(snakemake.log[0]):
    loader = registry.component("datasets", snakemake.params.loader)
    parameters = loader.Parameters.model_validate(snakemake.params.parameters)
    adata = loader.load(parameters)
    if getattr(parameters, "normalize", False):
        normalize_library_size(adata)
    # Which files the cells come from; a list of text, since AnnData takes "/" in keys for folders.
    adata.uns["files"] = [f"{path} sha256 {io.sha256(path)}" for path in loader.files(parameters)]
    jobs.log.info("%s: %d cells x %d genes, X is %s", snakemake.wildcards.dataset, *adata.shape, adata.uns["x_kind"])
    io.write_h5ad(adata, snakemake.output[0])

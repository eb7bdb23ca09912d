"""Load a dataset from its file, check it, and normalise it if configured.

A download that is not there or is refused does not fail the job, see `download.py`; a file of the user's own does.
"""

from pathlib import Path

from jindbench import io, registry
from jindbench.data import downloads
from jindbench.data.preprocess import normalize_library_size
from jindbench.errors import InputError
from jindbench.execution import guard, job

path = Path(snakemake.input.file).resolve() if snakemake.input.get("file") else None


def load():
    """Write the dataset."""
    loader = registry.component("datasets", snakemake.params.loader)
    parameters = loader.Parameters.model_validate(snakemake.params.parameters)
    sha256 = io.sha256(path) if path else None
    origin = ""
    if snakemake.input.get("record"):
        record = io.read_json(snakemake.input.record)
        downloads.check_unchanged(path, sha256, record)
        origin = f" from {record['address']}"
    adata = loader.load(parameters, path)
    if getattr(parameters, "normalize", False):
        normalize_library_size(adata)
    # The file that the cells come from; a list of text, because AnnData takes "/" in keys for folders.
    adata.uns["files"] = [f"{path.name} sha256 {sha256}{origin}"] if path else []
    job.log.info("%s: %d cells x %d genes, X is %s", snakemake.wildcards.dataset, *adata.shape, adata.uns["x_kind"])
    io.write_h5ad(adata, snakemake.output[0])
    return {}


def refuse(reason):
    """Go on without the dataset, or end the job."""
    if not snakemake.input.get("record"):
        raise InputError(reason)
    job.log.error("%s is not available: %s\n%s", snakemake.wildcards.dataset, reason, job.GOES_ON)
    io.write_not_available(reason.removeprefix(f"{path}: "), snakemake.output[0])


with job.run(snakemake) as job_record:
    if reason := path and io.not_available(path):
        io.write_not_available(reason, snakemake.output[0])
    else:
        outcome = guard.guarded(load)  # HDF5 itself crashes on some damaged files
        job_record["versions"] = outcome.record["versions"]
        if outcome.crashed:
            refuse(f"{path}: damaged: reading it crashes ({outcome.reason})")
        elif outcome.status != "ok":
            refuse(outcome.reason)

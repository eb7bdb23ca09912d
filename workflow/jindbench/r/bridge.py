"""The one module that runs R: R functions lie beside it in .R files, rpy2 is imported here and nowhere else.

Import it inside the function that needs R: the import starts R in this process.
"""

import logging
import os
import shutil
from pathlib import Path

import numpy as np
from scipy import sparse

from jindbench.errors import InputError

log = logging.getLogger(__name__)

HOW_TO_GET_R = (
    "on Debian and Ubuntu: sudo apt-get install --no-install-recommends r-base-core r-cran-matrix "
    "r-bioc-summarizedexperiment; elsewhere: snakemake --sdm conda, or a conda environment made from envs/r.yaml"
)


def read_summarized_experiment(
    path: Path, assay: str, column: str
) -> tuple[sparse.csr_matrix, list[str], list[str], list[str]]:
    """Read an R SummarizedExperiment from an RDS file. Nothing becomes dense on the way.

    Parameters
    ----------
    path
        The .rds file.
    assay
        Name of the assay (genes x cells).
    column
        Column of `colData`.

    Returns
    -------
    The assay as float32 CSR, cells x genes; names of the genes; names of the cells; the column's values.

    Raises
    ------
    InputError
        If R or its package is missing, or the file is not what was expected; with R's own message.
    """
    parts = _call("summarized_experiment.R", ["SummarizedExperiment", "Matrix"], str(path), assay, column)
    genes, cells, values = (list(parts.rx2(name)) for name in ("genes", "cells", "column"))
    # R's columns of a genes x cells matrix are the rows of its transpose.
    X = sparse.csr_matrix(
        (
            np.asarray(parts.rx2("data"), dtype=np.float32),
            np.array(parts.rx2("indices"), dtype=np.int32),
            np.array(parts.rx2("indptr"), dtype=np.int64),
        ),
        shape=(len(cells), len(genes)),
    )
    return X, genes, cells, values


def _call(file: str, packages: list[str], *arguments: str):
    """Call the function that an .R file holds."""
    if shutil.which("R") is None and "R_HOME" not in os.environ:
        raise InputError(f"R was not found; {HOW_TO_GET_R}")
    os.environ.setdefault("R_LIBS_USER", os.devnull)  # packages of the system or the environment, not of a user
    import rpy2.robjects as ro
    from rpy2.rinterface_lib import callbacks, embedded

    callbacks.consolewrite_warnerror = lambda text: log.warning("R: %s", text.strip())
    missing = [name for name in packages if not ro.r["requireNamespace"](name, quietly=True)[0]]
    if missing:
        raise InputError(f"R has no package {', '.join(missing)}; {HOW_TO_GET_R}")
    function = ro.r((Path(__file__).parent / file).read_text(encoding="utf-8"))
    try:
        return function(*arguments)
    except embedded.RRuntimeError as error:
        message = " ".join(str(error).split())
        raise InputError(f"{arguments[0]}: R says: {message}") from error

"""The one module that runs R: R functions lie beside it in .R files, rpy2 is imported here and nowhere else.

The import starts R in this process, so import this module inside the function that needs R.

Names of cells, genes and types do not cross to R, which would change many of them ("T cell" to "T.cell", "g_1" to
"g-1", two names to the same): rows, columns and types go by position, and R's functions give them codes of their own.
"""

import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from jindbench import r

os.environ.setdefault("R_LIBS_USER", os.devnull)  # packages of the system or the environment, not of a user
try:
    import rpy2.rinterface as ri
    import rpy2.robjects as ro
    from rpy2.rinterface_lib import callbacks
except Exception as error:  # rpy2 raises whatever finding and loading R's library raises
    raise r.NotAvailable(f"R cannot be started by rpy2: {error} ({r.HOW_TO_GET_R})".replace("\n", " ")) from error

log = logging.getLogger(__name__)

# What R's code prints. Warnings, messages and errors have ways of their own, in `call`.
callbacks.consolewrite_print = callbacks.consolewrite_warnerror = lambda text: log.debug("R prints: %s", text.rstrip())


class RError(Exception):
    """R stopped; the message is R's own."""


_said: set[str] = set()


def _to_log(level: int) -> ri.SexpClosure:
    """R function that writes a text to this module's log, in one call of R no text twice."""

    @ri.rternalize
    def write(text):
        line = " ".join(text[0].split())
        if line not in _said:
            _said.add(line)
            log.log(level, "R: %s", line)
        return text  # R takes no NULL from here

    return write


_warn, _inform = _to_log(logging.WARNING), _to_log(logging.INFO)  # kept here: R holds no reference that Python sees
_evaluated = ro.r("""function(expression, frame, warn, inform) withCallingHandlers(
  eval(str2lang(expression), frame),
  warning = function(w) { warn(conditionMessage(w)); invokeRestart("muffleWarning") },
  message = function(m) { inform(conditionMessage(m)); invokeRestart("muffleMessage") }
)""")


def load(packages: tuple[str, ...]) -> None:
    """Load R packages.

    Raises
    ------
    NotAvailable
        If R lacks one.
    """
    r.require(packages)
    for package in packages:
        ro.r["loadNamespace"](package)


def call(file: str, function: str, packages: tuple[str, ...], **arguments: Any) -> Any:
    """Call a function of an .R file.

    Parameters
    ----------
    file
        Name of the file beside this module.
    packages
        R packages that the function needs.
    **arguments
        By R's names. Cells x genes in CSR become a dgCMatrix of genes x cells (the same three arrays: nothing is
        transposed, nothing dense), lists of text and arrays of numbers become vectors, None becomes NULL.

    Returns
    -------
    A dgCMatrix of genes x cells as float32 CSR of cells x genes, another matrix as a two-dimensional array, numbers as
    an array, text as a list, a named list as a dictionary.

    Raises
    ------
    NotAvailable
        If R lacks a package.
    RError
        If R stops. What R warns of goes to this module's log as warnings, its messages as information.
    """
    load(packages)
    _said.clear()
    frame = ro.r["new.env"]()
    ro.r["sys.source"](str(Path(__file__).parent / file), frame)
    for name, value in arguments.items():
        frame[name] = _to_r(value)
    # By name: Seurat turns every call on R's stack into text, for each of its steps, so no matrix may stand in one.
    expression = f"{function}({', '.join(f'{name} = {name}' for name in arguments)})"
    try:
        return _from_r(_evaluated(expression, frame, _warn, _inform))
    except ri.embedded.RRuntimeError as error:
        raise RError(" ".join(str(error).split())) from error


def versions() -> dict[str, str]:
    """Version of R and of every package that it has loaded."""
    loaded = ro.r("""local({
      packages <- setdiff(loadedNamespaces(), c("base", rownames(installed.packages(priority = "base"))))
      vapply(packages, function(package) as.character(getNamespaceVersion(package)), "")
    })""")
    return {"R": ri.evalr("as.character(getRversion())")[0]} | {
        f"R {name}": loaded[i] for i, name in sorted(enumerate(loaded.names), key=lambda item: item[1].lower())
    }


def _to_r(value: Any) -> Any:
    if value is None:
        return ri.NULL
    if sparse.issparse(value):
        X = sparse.csr_matrix(value)
        if X.nnz >= 2**31:
            raise RError(f"{X.nnz} values are more than a sparse matrix of R can hold (2^31)")
        X.sort_indices()
        return ro.r["new"](
            "dgCMatrix",
            x=_vector(X.data, np.float64),
            i=_vector(X.indices, np.int32),
            p=_vector(X.indptr, np.int32),
            Dim=_vector(np.array([X.shape[1], X.shape[0]]), np.int32),
        )
    if isinstance(value, np.ndarray):
        return _vector(value, np.int32 if np.issubdtype(value.dtype, np.integer) else np.float64)
    return ro.StrVector(value) if isinstance(value, list) else value


def _vector(values: np.ndarray, dtype: type) -> Any:
    kind = ri.IntSexpVector if dtype is np.int32 else ri.FloatSexpVector
    values = np.ascontiguousarray(values, dtype=dtype)
    return kind.from_memoryview(memoryview(values)) if len(values) else kind([])


def _from_r(value: Any) -> Any:
    if isinstance(value, ri.SexpS4):
        shape = tuple(value.do_slot("Dim"))[::-1]
        data, indices, indptr = (_array(value.do_slot(name)) for name in ("x", "i", "p"))
        return sparse.csr_matrix((data.astype(np.float32), indices, indptr), shape=shape)
    if isinstance(value, ri.ListSexpVector):
        return {name: _from_r(item) for name, item in zip(value.names, value, strict=True)}
    if isinstance(value, ri.StrSexpVector):
        return list(value)
    array = _array(value)
    return array.reshape(tuple(value.do_slot("dim")), order="F") if "dim" in value.list_attrs() else array


def _array(vector: Any) -> np.ndarray:
    return np.array(vector.memoryview()) if len(vector) else np.array([])

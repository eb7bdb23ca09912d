"""What crosses between Python and R, and what R says."""

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from jindbench import r
from jindbench.errors import NotAvailable

LIBRARY = Path(__file__).parents[2] / "workflow/jindbench"

FUNCTIONS = """
same <- function(x) x
described <- function(x) list(class = class(x)[1], dim = dim(x), sums = Matrix::rowSums(x))
joined <- function(text, number, flag, nothing) paste(text[1], number, flag, is.null(nothing), Encoding(text[2]))
table <- function() matrix(c(1, 2, 3, 4, 5, 6), nrow = 2)
talks <- function() { message("so far\\nso good"); warning("take care"); 1 }
fails <- function() stop("no ", "luck")
"""


@pytest.fixture
def call(tmp_path):
    try:
        r.require(("Matrix",))
    except NotAvailable as error:
        pytest.skip(str(error))
    from jindbench.r import bridge

    (tmp_path / "functions.R").write_text(FUNCTIONS)
    return lambda function, **arguments: bridge.call(str(tmp_path / "functions.R"), function, ("Matrix",), **arguments)


def test_a_sparse_matrix_crosses_both_ways_and_is_genes_by_cells_in_r(call):
    X = sparse.random(7, 5, density=0.4, random_state=0, format="csr", dtype=np.float32)
    described = call("described", x=X)
    assert described["class"] == ["dgCMatrix"]
    assert described["dim"].tolist() == [5, 7]
    assert described["sums"] == pytest.approx(X.toarray().sum(axis=0))
    back = call("same", x=X)
    assert sparse.isspmatrix_csr(back)
    assert back.dtype == np.float32
    assert (back != X).nnz == 0
    assert back.shape == X.shape


def test_unsorted_and_empty_matrices(call):
    X = sparse.csr_matrix((np.array([1.0, 2.0]), np.array([2, 0]), np.array([0, 2, 2])), shape=(2, 3))
    assert call("same", x=X).toarray().tolist() == [[2, 0, 1], [0, 0, 0]]
    assert call("same", x=sparse.csr_matrix((2, 3))).toarray().tolist() == [[0, 0, 0], [0, 0, 0]]


def test_a_matrix_is_never_dense_on_the_way(call):
    X = sparse.csr_matrix((np.ones(3), ([0, 1, 2], [0, 5, 9])), shape=(200_000, 200_000))  # dense: 320 GB
    assert call("same", x=X).nnz == 3


def test_text_numbers_and_nothing(call):
    assert call("joined", text=["é ü/–_ 1", "é"], number=2, flag=True, nothing=None) == ["é ü/–_ 1 2 TRUE TRUE UTF-8"]
    assert call("same", x=["T cell", "CD4+ T", "a_b", "1st", "a/b", "α"]) == [
        "T cell",
        "CD4+ T",
        "a_b",
        "1st",
        "a/b",
        "α",
    ]
    assert call("same", x=np.array([1.5, 2.0])).tolist() == [1.5, 2.0]
    assert call("table").tolist() == [[1, 3, 5], [2, 4, 6]]


def test_what_r_says_comes_to_the_log(call, caplog):
    with caplog.at_level(logging.INFO, logger="jindbench.r.bridge"):
        assert call("talks").tolist() == [1]
    assert [(entry.levelname, entry.getMessage()) for entry in caplog.records] == [
        ("INFO", "R: so far so good"),
        ("WARNING", "R: take care"),
    ]


def test_rs_own_message_is_the_error(call):
    from jindbench.r import bridge

    with pytest.raises(bridge.RError, match="no luck"):
        call("fails")
    assert call("same", x=1).tolist() == [1]  # R goes on


def test_versions(call):
    from jindbench.r import bridge

    versions = bridge.versions()
    assert versions["R"].count(".") == 2
    assert versions["R Matrix"][0].isdigit()


def test_a_package_that_is_not_there():
    with pytest.raises(NotAvailable, match=r"^R with noSuchPackage not found \(.*make setup"):
        r.require(("noSuchPackage",))


def test_without_r(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("R_HOME", raising=False)
    with pytest.raises(NotAvailable, match="R with Seurat, limma not found"):
        r.require(("Seurat", "limma"))
    monkeypatch.setenv("JINDBENCH_R", "no")
    with pytest.raises(NotAvailable, match=r"^R is left out \(R=no\)$"):
        r.require(("Seurat",))


def test_only_the_bridge_imports_rpy2():
    """And nothing that the Snakefile or another method imports loads the bridge."""
    users = [
        path for path in LIBRARY.rglob("*.py") if "import rpy2" in path.read_text() or "from rpy2" in path.read_text()
    ]
    assert users == [LIBRARY / "r/bridge.py"]
    code = (
        "import sys; from jindbench import registry\nfrom jindbench.config import load\nfrom jindbench.execution import components, guard\n"
        "for kind in ('datasets', 'integrations', 'methods'):\n"
        "    [registry.component(kind, name) for name in registry.names(kind)]\n"
        "assert not {'rpy2', 'torch', 'sklearn.svm'} & set(sys.modules), set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=LIBRARY.parent)

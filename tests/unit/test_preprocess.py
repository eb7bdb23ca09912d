import anndata as ad
import numpy as np
import pytest
from scipy import sparse

from jindbench.data import preprocess
from jindbench.errors import InputError


def adata(X, x_kind="counts"):
    return ad.AnnData(sparse.csr_matrix(np.array(X, dtype=np.float32)), uns={"x_kind": x_kind})


def test_normalisation_to_ten_thousand_leaves_empty_cells_alone():
    cells = adata([[1, 3, 0], [0, 0, 0], [0, 0, 5]])
    preprocess.normalize_library_size(cells)
    assert cells.X.toarray().tolist() == [[2500, 7500, 0], [0, 0, 0], [0, 0, 10000]]
    assert cells.uns["x_kind"] == "normalized"


def test_logarithms_are_not_normalised():
    with pytest.raises(InputError, match="X is stated to be 'log'"):
        preprocess.normalize_library_size(adata([[1, 2]], "log"))


def transformed(rows, x_kind="counts", **options):
    X = sparse.csr_matrix(np.array(rows, dtype=np.float32))
    result = preprocess.transform(X, x_kind, **options)
    assert X.toarray().tolist() == rows  # left as it was
    assert sparse.isspmatrix_csr(result)
    return result.toarray()


def test_log2_of_one_plus_x_once():
    assert transformed([[0, 1, 3, 7]]) == pytest.approx(np.array([[0, 1, 2, 3]]))
    assert transformed([[0, 1, 3, 7]], "normalized") == pytest.approx(np.array([[0, 1, 2, 3]]))
    assert transformed([[0, 1, 3, 7]], "log").tolist() == [[0, 1, 3, 7]]


def test_the_authors_transforms():
    assert transformed([[0, 1, 3]], log_base="e") == pytest.approx(np.log1p([[0, 1, 3]]))
    assert transformed([[0, 1, 3]], "normalized", log_normalized=False).tolist() == [[0, 1, 3]]
    scaled = np.log1p([[2500, 7500], [0, 0]])
    assert transformed([[1, 3], [0, 0]], log_base="e", cell_total=10_000) == pytest.approx(scaled)
    assert transformed([[1, 3]], "normalized", cell_total=10_000) == pytest.approx(np.array([[1, 2]]))


@pytest.mark.parametrize("block", [7, 100])  # of 50 cells
def test_most_variable_genes_by_plain_variance(block, monkeypatch):
    monkeypatch.setattr(preprocess, "BLOCK", block)
    rng = np.random.default_rng(0)
    X = rng.poisson(2, (50, 20)) * rng.random(20) * 3
    expected = np.sort(np.argsort(X.var(axis=0))[-5:])
    assert preprocess.most_variable_genes(sparse.csr_matrix(X), 5).tolist() == expected.tolist()
    assert preprocess.most_variable_genes(sparse.csr_matrix(X), 20).tolist() == list(range(20))
    assert preprocess.most_variable_genes(sparse.csr_matrix(X), 5000).tolist() == list(range(20))


def test_genes_are_scaled_to_unit_variance_and_one_that_does_not_vary_to_zero():
    rng = np.random.default_rng(0)
    X = sparse.csr_matrix(np.column_stack([rng.poisson(1, (50, 8)), np.full(50, 0.1)]), dtype=np.float32)
    scaled = preprocess.scaled(X, preprocess.unit_scale(X, ddof=1)).toarray()
    assert scaled[:, :8].std(axis=0, ddof=1) == pytest.approx(np.ones(8))
    assert not scaled[:, 8].any()
    assert X[0, 8] == np.float32(0.1)

"""Every fault of an input file gets its own one-line error that names the file and what was expected."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from jindbench import io
from jindbench.data import tasks
from jindbench.data.checks import to_contract
from jindbench.datasets import anndata_file
from jindbench.errors import InputError

N_CELLS, N_GENES = 6, 4


def good():
    X = np.arange(N_CELLS * N_GENES, dtype=np.float32).reshape(N_CELLS, N_GENES) % 5
    obs = pd.DataFrame(
        {"type": ["a", "a", "b", "b", "b", "c"], "donor": ["d1", "d2"] * 3}, index=[f"c{i}" for i in range(N_CELLS)]
    )
    return ad.AnnData(X, obs=obs, var=pd.DataFrame(index=[f"g{i}" for i in range(N_GENES)]))


def load(adata, tmp_path, **changes):
    path = tmp_path / "cells.h5ad"
    adata.write_h5ad(path)
    keys = {"path": str(path), "label_key": "type", "batch_key": "donor", "x_kind": "counts"} | changes
    parameters = anndata_file.Parameters(**keys)
    assert anndata_file.batches(parameters)
    return anndata_file.load(parameters, path)


def test_a_good_file_comes_out_by_the_contract(tmp_path):
    loaded = load(good(), tmp_path)
    assert sparse.isspmatrix_csr(loaded.X)
    assert loaded.X.dtype == np.float32
    assert (loaded.X.toarray() == good().X).all()
    assert loaded.obs["label"].tolist() == ["a", "a", "b", "b", "b", "c"]
    assert loaded.obs["batch"].tolist() == ["d1", "d2"] * 3
    assert list(loaded.obs.columns) == ["label", "batch"]
    assert loaded.uns["x_kind"] == "counts"


def with_value(value):
    def change(adata):
        adata.X[2, 1] = value

    return change


def renamed(axis, old, new):
    def change(adata):
        names = [new if name == old else name for name in getattr(adata, axis)]
        setattr(adata, axis, names)

    return change


def label(value):
    def change(adata):
        adata.obs["type"] = ["a", value, "b", "b", "b", "c"]

    return change


def no_label(adata):
    adata.obs["type"] = "Unknown"


FAULTS = {
    "NaN": (with_value(np.nan), {}, "values that are NaN or infinite: 1"),
    "infinite": (with_value(np.inf), {}, "values that are NaN or infinite: 1"),
    "negative": (with_value(-2), {}, "negative values, which 'counts' cannot have (1, the lowest -2)"),
    "negative log": (with_value(-2), {"x_kind": "log"}, "which 'log' cannot have"),
    "fractional counts": (with_value(1.5), {}, "x_kind is 'counts', but not all values are integers (1 not, such as 1.5)"),
    "duplicate cell": (renamed("obs_names", "c1", "c0"), {}, "cell ids (obs_names) must be unique; 1 are repeated, the first is 'c0'"),
    "duplicate gene": (renamed("var_names", "g1", "g0"), {}, "genes (var_names) must be unique; 1 are repeated, the first is 'g0'"),
    "no label at all": (no_label, {}, "label: no cell has a type ('Unknown' (6))"),
    "no such label": (label(None), {"keep_labels": ["unknown"]}, "label: keep_labels: no cell is 'unknown'"),
    "line break in a label": (label("T cell\r"), {}, "label: 'T cell\\r' holds a control character"),
    "tab in a cell id": (renamed("obs_names", "c1", "c\t1"), {}, "cell ids (obs_names): 'c\\t1' holds a control character"),
    "batch and label the same": (lambda adata: None, {"batch_key": "type"}, "label_key and batch_key are both 'type'"),
    "reserved label": (label("unassigned"), {"keep_labels": ["unassigned"]}, "'unassigned' is the name of rejected cells"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_the_content(fault, tmp_path):
    change, keys, message = FAULTS[fault]
    adata = good()
    change(adata)
    with pytest.raises(InputError) as error:
        load(adata, tmp_path, **keys)
    assert message in str(error.value)
    assert str(tmp_path / "cells.h5ad") in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "missing", [None, " ", "nan", "NA", "#N/A", "<NA>", "None", "NULL", "Unknown cells", "un-assigned", "--"]
)
def test_cells_without_a_type_are_left_out_and_named(missing, tmp_path, caplog):
    adata = good()
    label(missing)(adata)
    loaded = load(adata, tmp_path)
    assert loaded.obs_names.tolist() == ["c0", "c2", "c3", "c4", "c5"]
    assert (loaded.X.toarray() == good().X[[0, 2, 3, 4, 5]]).all()
    text = "" if missing is None else missing
    line = f"label: 1 of 6 cells have no type and are left out: {text!r} (1); keep_labels names those that are types"
    assert line in caplog.text
    if text.strip():
        assert load(adata, tmp_path, keep_labels=[missing]).obs["label"].tolist() == ["a", missing, "b", "b", "b", "c"]


@pytest.mark.parametrize("name", ["Naive", "NA+ neuron", "Nonesuch", "unknown-like T", "T cells", "γδ"])
def test_names_of_types_are_no_placeholders(name, tmp_path, caplog):
    adata = good()
    label(name)(adata)
    assert load(adata, tmp_path).obs["label"].tolist() == ["a", name, "b", "b", "b", "c"]
    assert [record for record in caplog.records if record.name == "jindbench.data.checks"] == []


def test_doublets_are_learnt_and_named(tmp_path, caplog):
    adata = good()
    label("Doublet")(adata)
    assert load(adata, tmp_path).n_obs == 6
    assert "label: learnt as types of their own: 'Doublet' (1)" in caplog.text


def test_genes_of_a_file_that_has_lost_its_index_are_named_by_a_column(tmp_path, caplog):
    adata = good()
    adata.var = pd.DataFrame({"id": list("0123"), "ensembl": ["ENSG00000000001"] * 4}, index=list("0123"))
    adata.var["ensembl"] = [f"ENSG0000000000{i}" for i in range(4)]
    assert load(adata, tmp_path).var_names.tolist() == adata.var["ensembl"].tolist()
    adata.var["feature_name"] = ["CD4", "MATR3", "MATR3", ""]
    assert load(adata, tmp_path).var_names.tolist() == ["CD4", "MATR3", "MATR3-1", "3"]
    assert "var_names (0, 1, 2, ...) are numbers; genes are named by var['feature_name']" in caplog.text
    adata.var = adata.var[["id"]]
    assert load(adata, tmp_path).var_names.tolist() == list("0123")
    assert "are numbers; genes can only be compared within this file" in caplog.text


def test_the_index_may_have_any_name_and_the_input_stays_as_it_is(tmp_path):
    adata = good()
    adata.obs.index.name, adata.var.index.name = "label", "batch"
    adata.X = sparse.csr_matrix((np.zeros(1, dtype=np.float32), ([0], [0])), shape=adata.shape)
    stated = ad.AnnData(adata.X, obs=adata.obs.rename(columns={"type": "label"}), uns={"x_kind": "counts"})
    checked = to_contract(stated, "here")
    assert checked.obs.index.name is None
    assert stated.X.nnz == 1  # an explicit zero
    io.write_h5ad(checked, tmp_path / "out.h5ad")


def test_fractional_counts_are_accepted_where_declared(tmp_path):
    adata = good()
    adata.X[2, 1] = 1.5
    assert load(adata, tmp_path, fractional_counts=True).X[2, 1] == 1.5
    assert load(adata, tmp_path, x_kind="normalized").X[2, 1] == 1.5


@pytest.mark.parametrize(("key", "name"), [("label_key", "celltype"), ("batch_key", "sample")])
def test_missing_key(key, name, tmp_path):
    with pytest.raises(InputError, match=rf"{key} '{name}' is not a column of obs \(there are: type, donor\)"):
        load(good(), tmp_path, **{key: name})


def test_missing_file_says_where_it_comes_from(tmp_path):
    keys = {"path": str(tmp_path / "no.h5ad"), "label_key": "type", "x_kind": "counts", "origin": "GEO GSE1"}
    with pytest.raises(InputError, match=r"no\.h5ad: no such file \(to be had from: GEO GSE1\)"):
        anndata_file.batches(anndata_file.Parameters(**keys))


def test_empty_matrix(tmp_path):
    with pytest.raises(InputError, match="0 cells x 4 genes"):
        adata = good()[:0].copy()
        path = tmp_path / "cells.h5ad"
        adata.write_h5ad(path)
        anndata_file.load(anndata_file.Parameters(path=str(path), label_key="type", x_kind="counts"), path)


# --- Tasks


def test_unequal_kinds(tmp_path):
    source = load(good(), tmp_path)
    other = source.copy()
    other.uns["x_kind"] = "normalized"
    with pytest.raises(InputError, match="'counts', of the target 'normalized'"):
        tasks.match_genes(source, other, "tasks.t")


def test_empty_side(tmp_path):
    cells = load(good(), tmp_path)
    only_a, only_c = cells[cells.obs["label"] == "a"], cells[cells.obs["label"] == "c"]
    with pytest.raises(InputError, match=r"tasks\.t\.source: no cells are left \(types: common\)"):
        tasks.select_types(only_a, only_c, "common", "common", "tasks.t")
    with pytest.raises(InputError, match=r"tasks\.t\.split: of 6 cells, 6 are source"):
        tasks.random_split(cells, tasks.Split(dataset="d", source_share=0.99), "tasks.t")
    with pytest.raises(InputError, match=r"there is no batch 'd9' \(there are: d1, d2\)"):
        tasks.select_batch(cells, "d9", "tasks.t")
    with pytest.raises(InputError, match=r"tasks\.t\.target\.types: no cell is 'z' \(there are: c\)"):
        tasks.select_types(only_a, only_c, "all", ["z"], "tasks.t")


def test_a_target_file_with_labels_is_refused(tmp_path):
    cells = load(good(), tmp_path)
    io.write_h5ad(cells, tmp_path / "target.h5ad")
    with pytest.raises(InputError, match="a target must hold no batch or label column"):
        io.read_target(tmp_path / "target.h5ad")

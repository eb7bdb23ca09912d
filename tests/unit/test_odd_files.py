"""Odd and damaged files at the loader and at prediction: a sound result, or one line that names file and field.

`ODD_FILES=2000 pytest tests/unit/test_odd_files.py` tries that many of each kind, drawn anew.
"""

import functools
import os
import pickle
import re
import tempfile
import zipfile
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from jindbench import io
from jindbench.annotate import content
from jindbench.annotate.formats import open_cells
from jindbench.data import checks
from jindbench.datasets import anndata_file
from jindbench.errors import InputError
from jindbench.execution import components
from jindbench.jind.estimator import JIND
from jindbench.methods import jind_classifier, majority
from jindbench.names import UNASSIGNED, X_KINDS

N_EXAMPLES = int(os.environ.get("ODD_FILES", 0))
GENES = [f"g{i}" for i in range(6)]
QUICK = {"classifier": {"epochs": 1}, "alignment": {"epochs": 1, "short_epoch_iterations": 1}}


def examples(n):
    return settings(
        max_examples=N_EXAMPLES or n,
        derandomize=not N_EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


# --- Odd cells: each of these changes a good AnnData, in a way of its own.

NAMES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    st.sampled_from(["NA", "nan", "c0", "C0", "g0", "G0", " ", "é", "e\u0301", "../x", "a\tb", "a\nb", "<b>", "x" * 70_000]),
    st.sampled_from(["unassigned", "all", "\u2028", "\ufeff", "\x85", "1e5", "007", "\ud7ff", "γδ T/NK, CD4+"]),
)  # fmt: skip


def cells(n=5, seed=0):
    rng = np.random.default_rng(seed)
    obs = pd.DataFrame({"type": [f"t{i % 2}" for i in range(n)], "donor": "d"}, index=[f"c{i}" for i in range(n)])
    X = rng.poisson(2, (n, len(GENES))).astype(np.float32)
    return ad.AnnData(X, obs=obs, var=pd.DataFrame(index=GENES))


def size(draw, adata):
    return adata[: draw(st.integers(0, 5)), : draw(st.integers(0, 6))].copy()


def value(draw, adata):
    odd = [0, -0.0, -1, 0.5, 1e-40, 21, 2**24, 2**24 + 2, 2**31, 1e30, 3e38, 1e300, np.inf, -np.inf, np.nan]
    X = np.zeros(adata.shape) if adata.X is None else np.array(adata.X, dtype=np.float64)
    rows = draw(st.sampled_from([slice(None), slice(0, 1), slice(1, 2)]))
    X[rows, draw(st.sampled_from([slice(None), slice(0, 1), slice(1, 2)]))] = draw(st.sampled_from(odd))
    adata.X = X
    return adata


def dtype(draw, adata):
    kinds = ["bool", "i1", "u2", "i4", "u8", "f2", "f4", "f8", ">f4", ">i4", "c8", "S3"]
    if adata.X is not None and adata.X.dtype.kind != "S":
        adata.X = np.asarray(adata.X).astype(draw(st.sampled_from(kinds)))
    return adata


def without(draw, adata):
    del adata.X
    return adata


def rename(axis):
    def change(draw, adata):
        names = list(getattr(adata, f"{axis}_names"))
        at = st.integers(0, max(len(names) - 1, 0))
        for position in draw(st.lists(at, max_size=3)) if names else ():
            names[position] = draw(NAMES)
        getattr(adata, axis).index = pd.Index(names, dtype=object)
        return adata

    return change


def column(key):
    def change(draw, adata):
        kind = draw(st.sampled_from(["text", "categories", "bool", "int", "float", "NaN", "pd.NA", "same", "none"]))
        n = adata.n_obs
        if kind == "none":
            adata.obs = adata.obs.drop(columns=key, errors="ignore")
            return adata
        text = draw(st.lists(NAMES, min_size=n, max_size=n))
        if kind == "categories":
            values = pd.Categorical(text, categories=list(dict.fromkeys([*text, *draw(st.lists(NAMES, max_size=2))])))
        elif kind == "NaN":
            values = pd.Categorical([None, *text][:n])
        elif kind == "pd.NA":
            values = pd.array([pd.NA, *range(n)][:n], dtype="Int64")
        else:
            values = {"bool": True, "int": 2**40, "float": 0.1, "same": "t0", "text": text}[kind]
        adata.obs[key] = values
        return adata

    return change


def ballast(draw, adata):
    """What the loader has no use for."""
    adata.uns = {"x_kind": draw(st.sampled_from(["log", "nonsense", "counts"])), "a": {"b": np.arange(3)}}
    adata.obsm["X_pca"] = np.full((adata.n_obs, 2), np.nan)
    adata.layers["zeros"] = sparse.csr_matrix(adata.shape)
    if adata.X is not None:
        adata.raw = adata.copy()
    return adata


CHANGES = [size, value, dtype, without, rename("obs"), rename("var"), column("type"), column("donor"), ballast]


# --- Odd files: each of these changes what HDF5 holds, in ways that AnnData would not write.


def opened(change):
    def changed(draw, path):
        with h5py.File(path, "a") as file:
            change(draw, file)

    return changed


def put(file, key, values, **attributes):
    kept = dict(file[key].attrs) if key in file else {}
    if key in file:
        del file[key]
    file[key] = values
    file[key].attrs.update(kept | attributes)


ODD_VALUES = st.sampled_from(
    [
        np.arange(5),
        np.array([0.5, 1, np.nan, 1, 2]),
        np.array([b"a", b"\xff\xfe", b"b", b"", b"a"]),
        np.array([True] * 5),
        np.arange(4),
        np.zeros((5, 2)),
        np.array(["1", "2", "3", "4", "5"], dtype="S"),
        np.void(pickle.dumps({"a": os.getcwd})),
        np.zeros(5, dtype=[("a", "f4"), ("b", "i4")]),
        np.zeros(0),
        7.0,
        "text",
        h5py.Empty("f4"),
    ]
)


@opened
def replaced(draw, file):
    """Any of the values in any place."""
    keys = []
    file.visit(keys.append)
    put(file, draw(st.sampled_from(sorted(keys))), draw(ODD_VALUES))


@opened
def removed(draw, file):
    keys = []
    file.visit(keys.append)
    del file[draw(st.sampled_from(sorted(keys)))]


@opened
def mislabelled(draw, file):
    keys = [""]
    file.visit(keys.append)
    item = file[draw(st.sampled_from(sorted(keys))) or "/"]
    if len(item.attrs):
        name = draw(st.sampled_from(sorted(item.attrs)))
        other = [
            "",
            "array",
            "csr_matrix",
            "csc_matrix",
            "dataframe",
            "nonsense",
            [3, 3],
            [2**40, 6],
            ["type", "type"],
            [],
        ]
        del item.attrs[name]
        if draw(st.booleans()):
            item.attrs[name] = draw(st.sampled_from(other))


@opened
def numbers_for_ids(draw, file):
    axis = draw(st.sampled_from(["obs", "var"]))
    key = f"{axis}/{file[axis].attrs['_index']}"
    n = len(file[key])
    odd = [np.arange(n), np.arange(n) / 2, np.full(n, np.nan), np.zeros(n, bool)]
    del file[key]
    file[key] = draw(st.sampled_from(odd))
    file[key].attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})


@opened
def column_twice(draw, file):
    file["obs"].attrs["column-order"] = ["type", "type", "donor"]


@opened
def sparse_parts(draw, file):
    """Row or column numbers outside the matrix, pointers that go back, values of other lengths."""
    if not isinstance(file.get("X"), h5py.Group):
        return
    key = draw(st.sampled_from(["data", "indices", "indptr"]))
    values = file[f"X/{key}"][()]
    kind = draw(st.sampled_from(["high", "negative", "short", "repeated", "float"]))
    if kind == "short":
        values = values[:-1]
    elif kind == "repeated":
        values[:] = values[:1]
    elif kind == "float":
        values = values.astype(float) + 0.5
    elif len(values):
        values[draw(st.integers(0, len(values) - 1))] = {"high": 10**6, "negative": -7}[kind]
    put(file, f"X/{key}", values)


FILE_CHANGES = [replaced, removed, mislabelled, numbers_for_ids, column_twice, sparse_parts]


def write(draw, path):
    adata = cells()
    for change in draw(st.lists(st.sampled_from(CHANGES), max_size=3)):
        adata = change(draw, adata)
    if adata.X is not None and adata.X.dtype.kind in "biuf" and adata.X.dtype.itemsize > 2 and adata.X.dtype.isnative:
        adata.X = draw(st.sampled_from([np.asarray, sparse.csr_matrix, sparse.csc_matrix]))(adata.X)
    adata.write_h5ad(path)
    if change := draw(st.none() | st.sampled_from(FILE_CHANGES)):
        change(draw, path)


# --- What must hold.


def one_line(error, path):
    """That the message names the file, and the field after it."""
    message = str(error)
    fields = r"X |x_kind|obs|var|cell ids|genes|label|batch|cells x|not a readable AnnData|no such file"
    field = re.search(fields, message.removeprefix(str(path)))
    return message.startswith(f"{path}: ") and "\n" not in message and field


def loaded(path, x_kind):
    """What the Snakefile and the dataset's job do with a file, down to the file that tasks read; None: refused."""
    parameters = anndata_file.Parameters(path=str(path), label_key="type", batch_key="donor", x_kind=x_kind)
    out = path.with_name("out.h5ad")
    try:
        batches = anndata_file.batches(parameters)
        io.write_h5ad(anndata_file.load(parameters, path), out)
    except InputError as error:
        assert one_line(error, path), error
        assert sorted(path.parent.iterdir()) == [path]
        return None
    made = io.read_h5ad(out)
    assert sorted(set(made.obs["batch"])) == batches
    return made


def assert_sound(made, path, x_kind):
    """The contract, and the file's own cells, labels and values."""
    assert sparse.isspmatrix_csr(made.X)
    assert made.X.dtype == np.float32
    assert np.isfinite(made.X.data).all()
    assert x_kind in ("scaled", "integrated") or made.X.data.min(initial=0) >= 0
    assert made.obs_names.is_unique
    assert made.var_names.is_unique
    for key in ("label", "batch"):
        assert all(isinstance(name, str) and name.strip() for name in made.obs[key])
    assert UNASSIGNED not in set(made.obs["label"])
    there = io.read_cells(path)  # what else is in the file may be damaged
    labelled = checks.has_type(there.obs["type"], "here")
    assert labelled.any()
    there = there[labelled]
    assert made.obs_names.tolist() == there.obs_names.astype(str).tolist()
    assert made.var_names.tolist() == there.var_names.astype(str).tolist()
    assert made.obs["label"].tolist() == there.obs["type"].astype(str).tolist()
    assert np.allclose(made.X.toarray(), sparse.csr_matrix(there.X.astype(np.float64)).toarray(), rtol=1e-6, atol=1e-30)


@pytest.fixture(scope="module")
def reference():
    source = cells(40)
    source.uns["x_kind"] = "counts"
    return JIND(**QUICK).fit(source, label_key="type")


def assert_predicts(reference, target):
    """A user's own call, on the file as it is: a prediction for each cell, or a refusal that says what is wrong."""
    try:
        for jind in (reference, reference.align(target)):
            predicted = jind.predict(target)
            assert predicted["cell_id"].tolist() == target.obs_names.tolist()
            assert predicted["confidence"].between(0, 1 + 1e-6).all()
    except InputError as error:
        assert "\n" not in str(error)
        assert re.match("X |the target|genes|x_kind", str(error)), error


def assert_annotates(made, folder):
    """The workflow's call, with the file on both sides."""
    target = made.copy()
    target.obs = target.obs[[]]
    for method, parameters in (
        (majority, majority.Parameters()),
        (jind_classifier, jind_classifier.Parameters(epochs=1)),
    ):
        try:
            predicted = components.run_method(method, made, target, parameters, seed=0, threads=1, model_dir=folder)
            assert set(predicted.table["cell_id"]) == set(made.obs_names)
        except InputError as error:
            assert re.match("the source has 1 cells; JIND needs two", str(error)), error


def assert_opens(path):
    """What `annotate` does with a file before it looks at genes and labels."""
    try:
        opened = open_cells(path)
        for found in content.contents(opened, content.places(opened, None)):
            assert found.place in opened.genes
            assert "\n" not in found.why
        for key in opened.columns:
            assert len(opened.obs(key)) in (0, len(opened.cell_ids))
    except InputError as error:
        assert str(error).startswith(f"{path}: ")
        assert "\n" not in str(error)


def try_file(path, x_kind, reference):
    assert_opens(path)
    made = loaded(path, x_kind)
    if made is not None:
        assert_sound(made, path, x_kind)
        assert_predicts(reference, made)
        assert_annotates(made, path.parent)
    for backed in (False, True):
        try:
            given = io.read_h5ad(path, backed=backed)
        except InputError:
            continue
        assert_predicts(reference, given)
        given.file.close()


@pytest.mark.filterwarnings("ignore")
@examples(120)
@given(data=st.data(), x_kind=st.sampled_from(X_KINDS))
def test_odd_files(data, x_kind, reference):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "odd.h5ad"
        write(data.draw, path)
        try_file(path, x_kind, reference)


@functools.cache
def sound_bytes():
    with tempfile.TemporaryDirectory() as folder:
        adata = cells()
        adata.X = sparse.csr_matrix(adata.X)
        adata.write_h5ad(f"{folder}/sound.h5ad")
        return Path(f"{folder}/sound.h5ad").read_bytes()


@pytest.mark.filterwarnings("ignore")
@examples(120)
@given(data=st.data())
def test_damaged_bytes(data, reference):
    """Cut off, or overwritten in up to three places."""
    content = bytearray(sound_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        for _ in range(data.draw(st.integers(1, 3))):
            new = data.draw(st.binary(min_size=1, max_size=16))
            start = data.draw(st.integers(0, len(content) - len(new)))
            content[start : start + len(new)] = new
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "odd.h5ad"
        path.write_bytes(content)
        try_file(path, "counts", reference)


def zipped(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("odd.h5ad", sound_bytes())


def other_hdf5(path):
    with h5py.File(path, "w") as file:
        file["a"] = np.arange(3)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.write_text("<html>404</html>"), id="text"),
        pytest.param(lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99)), id="picture"),
        pytest.param(lambda path: path.write_bytes(pickle.dumps(cells())), id="pickle"),
        pytest.param(lambda path: path.mkdir(), id="folder"),
        pytest.param(zipped, id="zip"),
        pytest.param(other_hdf5, id="HDF5"),
    ],
)
def test_files_of_other_kinds(make, tmp_path):
    make(tmp_path / "odd.h5ad")
    assert loaded(tmp_path / "odd.h5ad", "counts") is None


class Touch:
    """Unpickling it would write a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("place", ["X", "obs/type", "obs/_index", "uns/pickle", "obsm/pickle"])
def test_a_pickle_in_any_place_is_never_loaded(place, tmp_path):
    path = tmp_path / "odd" / "odd.h5ad"
    path.parent.mkdir()
    cells().write_h5ad(path)
    with h5py.File(path, "a") as file:
        put(file, place, np.void(pickle.dumps(Touch(tmp_path / "pwned"))))
    assert loaded(path, "counts") is None or place in ("uns/pickle", "obsm/pickle")  # which are not read
    assert not (tmp_path / "pwned").exists()

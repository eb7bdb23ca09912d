"""Files and folders that people really have: what is read of them, and what a refusal tells them to do."""

import faulthandler
import gzip
import os
import re
import signal
import subprocess
import sys
import time

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import io as scipy_io
from scipy import sparse

from jindbench import __version__
from jindbench.annotate import cells as opened_cells
from jindbench.annotate import command, content, formats, process, reference, writing
from jindbench.annotate.formats import open_cells
from jindbench.annotate.h5ad import AnnDataFile
from jindbench.annotate.labelling import Labelled
from jindbench.annotate.settings import LOG, Settings
from jindbench.config import messages
from jindbench.data import remedies
from jindbench.datasets import anndata_file
from jindbench.errors import InputError
from toy_project import REPOSITORY, environment

N, N_GENES = 60, 80
SYMBOLS = [f"RPL{i}" for i in range(N_GENES)]


def cells(seed=0):
    """Counts of two types, a label for each cell, ids and symbols of the genes."""
    rng = np.random.default_rng(seed)
    mean = np.ones((N, N_GENES))
    mean[::2, :20] = mean[1::2, 20:40] = 9
    obs = pd.DataFrame({"type": pd.Categorical(["A", "B"] * (N // 2))}, index=[f"c{i}" for i in range(N)])
    var = pd.DataFrame({"gene_ids": [f"ENSG{i:011}" for i in range(N_GENES)]}, index=SYMBOLS)
    return ad.AnnData(sparse.csr_matrix(rng.poisson(mean), dtype=np.float32), obs=obs, var=var)


def logged(adata):
    adata = adata.copy()
    adata.X = sparse.csr_matrix(np.log1p(1e4 * adata.X.toarray() / adata.X.sum(axis=1)), dtype=np.float32)
    return adata


def taken(path, layer=None):
    """The matrix that is taken of a file."""
    opened = open_cells(path)
    chosen = content.choose({opened.path: content.contents(opened, content.places(opened, layer))})[opened.path]
    return content.check(opened, chosen, np.arange(len(opened.genes[chosen.place])), "layer")


def refusal(function, *arguments):
    with pytest.raises(InputError) as error:
        function(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


# --- AnnData, as others write it


def without_encoding(path, *groups):
    """As R converters write tables: the names of index and columns are there, the encoding is not."""
    with h5py.File(path, "a") as file:
        for group in groups:
            for name in ("encoding-type", "encoding-version"):
                del file[group].attrs[name]


@pytest.mark.parametrize("groups", [["var"], ["var", "raw/var"], ["obs"], ["obs", "var", "raw/var", "obs/type"]])
def test_tables_without_encoding_attributes_are_read_by_their_index(groups, tmp_path):
    adata = logged(cells())
    adata.raw = cells()
    adata.write_h5ad(tmp_path / "r.h5ad")
    without_encoding(tmp_path / "r.h5ad", *groups)
    opened = open_cells(tmp_path / "r.h5ad")
    assert opened.cell_ids.tolist() == adata.obs_names.tolist()
    assert opened.genes["X"].index.tolist() == opened.genes["raw/X"].index.tolist() == SYMBOLS
    assert opened.genes["raw/X"]["gene_ids"].tolist() == adata.var["gene_ids"].tolist()
    assert opened.obs("type")["type"].tolist() == adata.obs["type"].tolist()
    assert taken(tmp_path / "r.h5ad").place == "raw/X"


def test_the_index_of_rhdf5_is_an_array_and_columns_may_have_no_order(tmp_path):
    cells().write_h5ad(tmp_path / "r.h5ad")
    with h5py.File(tmp_path / "r.h5ad", "a") as file:
        file["var"].attrs["_index"] = np.array([b"_index"])
        del file["obs"].attrs["column-order"]
    opened = open_cells(tmp_path / "r.h5ad")
    assert opened.genes["X"].index.tolist() == SYMBOLS
    assert opened.columns == ["type"]


def test_categories_of_anndata_07_are_read(tmp_path):
    adata = cells()
    adata.write_h5ad(tmp_path / "old.h5ad")
    with h5py.File(tmp_path / "old.h5ad", "a") as file:
        codes = file["obs/type/codes"][()]
        del file["obs/type"]
        file["obs/type"] = codes
        file["obs/__categories/type"] = ["A", "B"]
        file["obs/type"].attrs["categories"] = file["obs/__categories/type"].ref
        file["obs"].attrs["encoding-version"] = "0.1.0"
    assert open_cells(tmp_path / "old.h5ad").obs("type")["type"].tolist() == adata.obs["type"].tolist()


def written_copy(path, out):
    known = {"label": "A", "raw_label": "A", "confidence": 0.9, "threshold": 0.5, "novelty": 0.1, "status": "assigned"}
    known |= {"second_label": "B", "second_probability": 0.1}
    table = pd.DataFrame(known, index=range(N))
    labelled = Labelled(table, None, np.ones((N, 4), dtype=np.float32), np.zeros(N, dtype=bool), *[pd.DataFrame()] * 2)
    writing.write_copy(open_cells(path), labelled, np.zeros((N, 2)), {}, out)
    return ad.read_h5ad(out)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("groups", [["obs"], ["obs", "var"]])
def test_the_copy_of_an_r_converters_file_names_its_cells(groups, tmp_path):
    adata = cells()
    adata.write_h5ad(tmp_path / "r.h5ad")
    without_encoding(tmp_path / "r.h5ad", *groups)
    copy = written_copy(tmp_path / "r.h5ad", tmp_path / "out.h5ad")
    assert copy.obs_names.tolist() == adata.obs_names.tolist()
    assert copy.obs["type"].tolist() == adata.obs["type"].tolist()
    assert copy.obs["jind_label"].tolist() == ["A"] * N


def test_a_column_called_barcodes_makes_no_10x_file(tmp_path):
    adata = cells()
    adata.obs["barcodes"] = adata.obs["data"] = adata.obs["indices"] = adata.obs_names
    adata.obs["indptr"] = adata.obs["shape"] = adata.obs["mod"] = 1
    adata.write_h5ad(tmp_path / "q.h5ad")
    with h5py.File(tmp_path / "q.h5ad", "a") as file:
        for name in ("matrix/barcodes", "mod/rna", "row_attrs/a", "col_attrs/a"):
            file.create_group(name)
    assert isinstance(open_cells(tmp_path / "q.h5ad"), AnnDataFile)


def test_a_matrix_that_nobody_needs_refuses_no_file(tmp_path):
    adata = logged(cells())
    adata.layers["counts"] = cells().X
    adata.layers["velocity"] = np.full(adata.shape, np.nan, dtype=np.float32)
    adata.X = np.where(np.arange(N_GENES) == 3, np.nan, adata.X.toarray())
    adata.write_h5ad(tmp_path / "q.h5ad")
    with h5py.File(tmp_path / "q.h5ad", "a") as file:
        file["layers/cut"] = np.ones((3, 3))
        file["layers/text"] = np.full((N, N_GENES), b"a")
    assert taken(tmp_path / "q.h5ad").place == "layers/counts"
    unusable = refusal(taken, tmp_path / "q.h5ad", "velocity")
    assert f"layers/velocity: unusable, holds values that are NaN or infinite: {N * N_GENES:,}" in unusable
    del adata.layers["counts"]
    adata.write_h5ad(tmp_path / "q.h5ad")
    assert f"X: unusable, holds values that are NaN or infinite: {N:,}; layers/velocity: unusable, holds" in refusal(
        taken, tmp_path / "q.h5ad"
    )


def test_a_layer_is_named_as_it_is_listed(tmp_path):
    adata = logged(cells())
    adata.layers["raw"], adata.layers["X"] = cells(1).X, cells(2).X
    adata.write_h5ad(tmp_path / "q.h5ad")
    adata.raw = cells(3)
    adata.write_h5ad(tmp_path / "both.h5ad")
    for layer, place in {"layers/raw": "layers/raw", "raw": "raw/X", "raw/X": "raw/X", "X": "X"}.items():
        assert taken(tmp_path / "both.h5ad", layer).place == place
    assert taken(tmp_path / "q.h5ad", "layers/X").place == "layers/X"
    assert taken(tmp_path / "q.h5ad", "raw").place == "layers/raw"  # there is no other
    line = refusal(taken, tmp_path / "q.h5ad", "row")
    assert line.endswith("layer 'row' is not there (there are: X, layers/X, layers/raw)")


def test_a_slash_in_a_layers_name_and_broken_categories_are_named(tmp_path, caplog):
    adata = cells()
    adata.obs["other"] = adata.obs["type"]
    adata.var["chromosome"] = pd.Categorical(["1", "2"] * (N_GENES // 2))
    adata.write_h5ad(tmp_path / "q.h5ad")
    with h5py.File(tmp_path / "q.h5ad", "a") as file:
        file["layers/counts/new"] = np.ones((N, N_GENES))
        file["obs/other/codes"][0] = file["var/chromosome/codes"][0] = 99
    line = refusal(taken, tmp_path / "q.h5ad", "counts")
    assert "layers/counts: unusable, is a folder with new, no matrix; a name with '/' makes folders" in line
    opened = open_cells(tmp_path / "q.h5ad")
    assert "column 'chromosome' of var is left out" in caplog.text
    assert opened.genes["X"].columns.tolist() == ["gene_ids"]
    assert opened.obs("type")["type"].tolist() == adata.obs["type"].tolist()  # the others are not read
    assert "not a readable column 'other' of obs" in refusal(opened.obs, "other")
    parameters = anndata_file.Parameters(path=str(tmp_path / "q.h5ad"), label_key="type", x_kind="counts")
    assert re.search(
        "codes need to be between .* reading key '(other|chromosome)'", refusal(anndata_file.batches, parameters)
    )


# --- 10x


def tenx_group(file, name, adata, **features):
    group = file.create_group(name)
    for key in ("data", "indices", "indptr"):
        group[key] = getattr(adata.X, key).astype("i4")
    group["shape"], group["barcodes"] = adata.shape[::-1], adata.obs_names.to_numpy().astype("S")
    for key, values in features.items():
        group[key.replace("__", "/")] = np.array(values, dtype="S")


def test_10x_files_are_read_by_cells_whatever_wrote_them(tmp_path, monkeypatch):
    adata = cells()
    ids, symbols = adata.var["gene_ids"], adata.var_names
    kinds = ["Gene Expression"] * (N_GENES - 5) + ["Antibody Capture"] * 5
    written = {
        "new": ("matrix", {"features__id": ids, "features__name": symbols, "features__feature_type": kinds}),
        "old": ("GRCh38", {"genes": ids, "gene_names": symbols}),
        "cellbender": ("matrix", {"features__id": ids, "features__name": symbols}),
    }
    monkeypatch.setattr(opened_cells, "BLOCK", 7)
    for name, (group, features) in written.items():
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            tenx_group(file, group, adata, **features)
            file.create_group("metadata")
        opened, n = open_cells(tmp_path / f"{name}.h5"), N_GENES - 5 * (name == "new")
        assert (sparse.vstack([*opened.blocks("X")]) != adata.X[:, :n]).nnz == 0
        assert opened.genes["X"].index.tolist() == SYMBOLS[:n]
        assert opened.genes["X"]["gene_ids"].tolist() == ids[:n].tolist()
    copy = written_copy(tmp_path / "new.h5", tmp_path / "out.h5ad")
    assert (adata.X[:, : N_GENES - 5] != copy.X).nnz == 0
    assert copy.var_names.tolist() == SYMBOLS[: N_GENES - 5]
    assert copy.obs["jind_label"].tolist() == ["A"] * N


def test_damaged_10x_files_are_refused(tmp_path):
    for part, values in {"indices": 10**6, "indptr": 5, "barcodes": None}.items():
        path = tmp_path / f"{part}.h5"
        with h5py.File(path, "w") as file:
            tenx_group(file, "matrix", cells(), features__id=SYMBOLS, features__name=SYMBOLS)
            if values is None:
                barcodes = file["matrix/barcodes"][:-1]
                del file["matrix/barcodes"]
                file["matrix/barcodes"] = barcodes
            else:
                file[f"matrix/{part}"][3] = values
        expected = "names 80 features x 59 cells" if values is None else "X: unusable, "
        assert expected in refusal(taken, path)


def tenx_folder(folder, adata, order="cells"):
    folder.mkdir()
    X = adata.X.T.astype(int).asformat("csr" if order == "genes" else "csc").tocoo()
    with gzip.open(folder / "matrix.mtx.gz", "wb") as file:
        scipy_io.mmwrite(file, X)
    with gzip.open(folder / "features.tsv.gz", "wt") as file:
        file.writelines(f"{i}\t{s}\tGene Expression\n" for s, i in adata.var["gene_ids"].items())
    with gzip.open(folder / "barcodes.tsv.gz", "wt") as file:
        file.writelines(f"{name}\n" for name in adata.obs_names)


@pytest.mark.parametrize(("entries", "n"), [(10**6, N), (500, None)])
def test_the_first_lines_of_a_10x_folder_show_what_it_holds(entries, n, tmp_path, monkeypatch):
    monkeypatch.setattr("jindbench.annotate.tenx.SAMPLE_ENTRIES", entries)
    tenx_folder(tmp_path / "tenx", cells())
    tenx_folder(tmp_path / "by_genes", cells(), order="genes")
    opened = open_cells(tmp_path / "tenx")
    monkeypatch.setattr(scipy_io, "mmread", lambda *_: pytest.fail("the whole matrix was read"))
    (sample,) = opened.sample("X")
    assert opened.has_cheap_sample("X")
    assert sample.shape[0] == n or 0 < sample.shape[0] < N
    assert (sample != cells().X[: sample.shape[0]]).nnz == 0
    assert not open_cells(tmp_path / "by_genes").has_cheap_sample("X")


# --- Messages that say what to do


def zstd(path):
    """As hdf5plugin writes it: a chunk that only the plug-in can read."""
    cells().write_h5ad(path)
    with h5py.File(path, "a") as file:
        values = file["X/data"][()]
        del file["X/data"]
        steps = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        steps.set_chunk(values.shape)
        steps.set_filter(32015, h5py.h5z.FLAG_OPTIONAL)
        space = h5py.h5s.create_simple(values.shape)
        created = h5py.h5d.create(file["X"].id, b"data", h5py.h5t.NATIVE_FLOAT, space, dcpl=steps)
        created.write_direct_chunk((0,), b"\x28\xb5\x2f\xfd" + bytes(99), filter_mask=0)


def in_genomes(path):
    with h5py.File(path, "w") as file:
        for genome in ("GRCh38", "mm10"):
            tenx_group(file, genome, cells(), genes=SYMBOLS, gene_names=SYMBOLS)


def hdf5(*groups):
    def write(path):
        with h5py.File(path, "w") as file:
            for group in groups:
                file.create_group(group)

    return write


def zarr(path):
    path.mkdir()
    (path / ".zattrs").write_text("{}")


FORMATS = {
    "q.h5ad.gz": (lambda path: path.write_bytes(gzip.compress(b"a")), "it is compressed: gunzip it first"),
    "q.csv.gz": (lambda path: path.write_bytes(gzip.compress(b"a")), "it is text: make an AnnData file of it first (in Python, pandas.read_csv"),
    "q.h5ad": (lambda path: path.write_bytes(b"PK\3\4aaaa"), "it is compressed: unzip it first"),
    "empty.h5ad": (lambda path: path.write_bytes(b""), "it is no HDF5"),
    "matrix.mtx": (lambda path: path.write_text("%%MatrixMarket"), "scanpy.read_10x_mtx of its folder"),
    "q.h5seurat": (hdf5("assays", "meta.data", "cell.names"), 'first object[["RNA"]] <- as(object[["RNA"]], "Assay")'),
    "seurat.h5": (hdf5("assays", "meta.data", "cell.names"), "it is h5Seurat: make"),
    "q.h5mu": (hdf5("mod", "obs", "var"), "it is MuData: make"),
    "q.zarr": (zarr, "it is zarr: make an AnnData file of it first (in Python, anndata.read_zarr, write_h5ad)"),
    "store": (zarr, "it is zarr: make"),
    "other.h5": (hdf5("barcodes", "matrix"), "neither an AnnData (.h5ad) nor a 10x (.h5) file"),
    "two.h5": (in_genomes, "a 10x file with 2 genomes (GRCh38, mm10); make an .h5ad file of one of them"),
    "folder": (lambda path: path.mkdir(), "a folder with 0 files *matrix.mtx(.gz)"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_other_formats_are_refused_with_what_to_do(name, tmp_path):
    write, advice = FORMATS[name]
    write(tmp_path / name)
    line = refusal(open_cells, tmp_path / name)
    assert line.startswith(f"{tmp_path / name}: ")
    assert advice in line


def test_a_compression_that_hdf5_lacks_is_named(tmp_path):
    zstd(tmp_path / "q.h5ad")
    for line in (refusal(taken, tmp_path / "q.h5ad"), remedies.hint(tmp_path / "q.h5ad")):
        assert "import hdf5plugin, anndata.read_h5ad" in line


def test_a_dataset_of_another_format_gets_the_same_advice(tmp_path):
    hdf5("assays", "meta.data")(tmp_path / "mine.h5")
    parameters = anndata_file.Parameters(path=f"{tmp_path}/mine.h5", label_key="type", x_kind="counts")
    assert "it is h5Seurat: make an AnnData file of it first" in refusal(anndata_file.batches, parameters)


def undivided(adata):
    """Counts in cells of different depths, as sparse as real ones."""
    depth = np.random.default_rng(1).lognormal(-1.5, 0.5, (adata.n_obs, 1))
    return np.random.default_rng(2).poisson(adata.X.toarray() * depth).astype(np.float32)


def corrected(counts):
    """As DecontX does: each count less a share of its own."""
    return counts * np.random.default_rng(3).beta(9, 1, counts.shape)


def normalized(counts):
    return 1e4 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


LENGTHS = np.random.default_rng(4).lognormal(0, 0.8, N_GENES)
FRACTIONS = {
    "a share of the counts": (lambda c: 0.9 * c, "counts"),
    "of contamination": (corrected, "counts"),
    "of molecules seen twice": (lambda c: -256 * np.log(1 - c / 256), "counts"),
    "of reads on two genes": (lambda c: np.where(np.arange(N_GENES) % 9, c, 0.5 * c), "counts"),
    "logarithms": (lambda c: np.log1p(normalized(c)), "log"),
    "of base 2, of some genes": (lambda c: np.log2(1 + normalized(c)[:, :50]), "log"),
    "of base 10": (lambda c: np.log10(1 + normalized(c)), "log"),
    "of the counts": (np.log1p, "log"),
    "of the counts, base 2": (lambda c: np.log2(1 + c), "log"),
    "by gene lengths": (lambda c: np.log1p(normalized(c / LENGTHS)), "log"),
    "by gene lengths, of some genes": (lambda c: np.log1p(normalized(c / LENGTHS)[:, ::2]), "log"),
    "shares of the total": (lambda c: normalized(c) / 1e4, "normalized"),
    "neither": (lambda c: np.random.default_rng(5).uniform(0, 5, c.shape) * (c > 0), None),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", FRACTIONS)
def test_low_fractions_are_counts_or_logarithms(case, tmp_path):
    """In annotation, and in a dataset whose x_kind says otherwise."""
    change, kind = FRACTIONS[case]
    made = sparse.csr_matrix(change(undivided(cells())), dtype=np.float32)
    assert content.content("X", [made]).kind == kind
    if kind == "normalized":
        return
    adata = ad.AnnData(made, obs=cells().obs, var=pd.DataFrame(index=SYMBOLS[: made.shape[1]]))
    adata.write_h5ad(tmp_path / "cells.h5ad")
    for stated in ("counts", "log"):
        given = {"path": str(tmp_path / "cells.h5ad"), "label_key": "type", "x_kind": stated, "fractional_counts": True}
        load = anndata_file.load, anndata_file.Parameters(**given), tmp_path / "cells.h5ad"
        if kind in (stated, None):
            load[0](*load[1:])
        else:
            assert f"x_kind is '{stated}', but X holds fractions up to" in refusal(*load)


def settings(folder, **keys):
    given = {"reference": "reference.h5ad", "query": "query.h5ad", "output": str(folder / "out")} | keys
    return messages.checked(Settings, given, "annotate")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with a reference and a query, in which the test is."""
    monkeypatch.chdir(tmp_path)
    cells().write_h5ad("reference.h5ad")
    cells(1).write_h5ad("query.h5ad")
    return tmp_path


def test_a_folder_as_reference_is_no_stored_model_by_being_a_folder(project):
    zarr(project / "store")
    tenx_folder(project / "tenx", cells())
    for folder, advice in {"store": "it is zarr", "tenx": "a 10x folder carries no labels"}.items():
        assert advice in refusal(command.preview, settings(project, reference=folder, label_key="type"))
    assert "store: no stored model" in refusal(command.preview, settings(project, reference="store"))


def test_home_is_expanded_where_no_shell_does(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    given = Settings(reference="~/r.h5ad", query="~/a.h5ad,~/b.h5ad", output="~/out")
    assert (given.reference, given.output) == ("/home/me/r.h5ad", "/home/me/out")
    assert given.query == ["/home/me/a.h5ad", "/home/me/b.h5ad"]
    assert Settings(reference="r", query=["a.h5ad,b.h5ad", "c.h5ad"]).query == ["a.h5ad", "b.h5ad", "c.h5ad"]


def test_a_file_without_permission_is_said_to_be_that(project, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: "query" not in path)  # root may read everything
    line = refusal(settings(project, label_key="type").check)
    assert line == "query: query.h5ad: you have no permission to read it"


# --- The check before the job


@pytest.mark.parametrize("form", ["csr", "csc", "10x file", "10x folder"])
def test_the_check_before_the_job_reads_no_whole_matrix(form, project, monkeypatch):
    query = cells(1)
    if form == "10x folder":
        tenx_folder(project / "query", query)
    elif form == "10x file":
        with h5py.File("query.h5", "w") as file:
            tenx_group(file, "matrix", query, features__id=SYMBOLS, features__name=SYMBOLS)
    else:
        query.X = query.X.asformat(form)
        query.write_h5ad("query.h5ad")
    path = {"10x folder": "query", "10x file": "query.h5"}.get(form, "query.h5ad")
    monkeypatch.setattr(scipy_io, "mmread", lambda *_: pytest.fail("the folder was read"))
    monkeypatch.setattr(ad.abc.CSCDataset, "to_memory", lambda *_: pytest.fail("the matrix was read"))
    monkeypatch.setattr(opened_cells, "SAMPLE", 10)
    read = []
    checked = opened_cells.checked
    monkeypatch.setattr(opened_cells, "checked", lambda X, where: read.append(X.shape[0]) or checked(X, where))
    command.preview(settings(project, query=path, label_key="type"))
    assert max(read, default=0) <= 10
    with pytest.raises(InputError, match="label_key 'no' is not a column"):
        command.preview(settings(project, query=path, label_key="no"))


def test_the_check_before_the_job_refuses_what_names_and_first_cells_show(project):
    other = cells(1)
    other.var = pd.DataFrame({"gene_ids": [f"id{i}" for i in range(N_GENES)]}, index=[f"A{i}" for i in range(N_GENES)])
    tenx_folder(project / "tenx", other)
    line = refusal(command.preview, settings(project, query="tenx", label_key="type"))
    assert "tenx: 0 genes in common, at least 50 are needed" in line
    adata = cells(1)
    adata.X = adata.X.toarray() - 1
    adata.write_h5ad("scaled.h5ad")
    line = refusal(command.preview, settings(project, query="scaled.h5ad", label_key="type"))
    assert "no counts and no logarithms of counts (X: scaled, negative values, the lowest -1)" in line


# --- A process of its own


def crash(path_of_it):
    """As HDF5 does on a damaged file."""

    def opened(path):
        if str(path) == path_of_it:
            faulthandler.disable()  # of pytest: it would print where this was
            os.kill(os.getpid(), signal.SIGSEGV)
        return open_cells(path)

    return opened


@pytest.mark.parametrize("damaged", ["query.h5ad", "reference.h5ad"])
def test_a_crash_of_hdf5_is_one_line_that_names_the_file(damaged, project, monkeypatch):
    for module in (command, reference, formats):
        monkeypatch.setattr(module, "open_cells", crash(damaged))
    for run in (process.preview, lambda given: process.annotate(given, threads=1)):
        line = refusal(run, settings(project, label_key="type"))
        assert line == f"{damaged}: damaged: HDF5 crashes when it reads this file (killed by SIGSEGV)"


def test_a_refusal_in_the_process_is_the_same_line(project):
    given = settings(project, label_key="no")
    assert refusal(process.preview, given) == refusal(command.preview, given)


# --- The command line


def jindbench(*arguments, cwd):
    here = environment() | {"PYTHONPATH": str(REPOSITORY / "workflow"), "OMP_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-m", "jindbench", *arguments], cwd=cwd, env=here, **pipes)


def test_the_version_is_told(tmp_path):
    assert jindbench("--version", cwd=tmp_path).communicate() == (f"jindbench {__version__}\n", "")


def test_ctrl_c_ends_it_without_a_traceback_or_anything_left(project):
    files = ["--reference", "reference.h5ad", "--label-key", "type", "--query", "query.h5ad", "--output", "out"]
    run = jindbench("annotate", *files, "--threads", "1", cwd=project)
    deadline = time.monotonic() + 60
    log = project / "out" / LOG
    while not (log.exists() and log.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    _, error = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "Traceback" not in error
    assert error.endswith("jindbench: interrupted\n")
    assert not list((project / "out").glob("**/*.h5ad"))

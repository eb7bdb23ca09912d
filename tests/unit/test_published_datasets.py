"""The parsers of the paper's datasets, on files in the publishers' formats."""

import re
import shutil

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import original_formats as formats
from jindbench import io, registry
from jindbench.data import tasks
from jindbench.data.checks import Content, check_content, kind_of, to_contract
from jindbench.datasets import mouse_atlas
from jindbench.errors import InputError

# Those that state what they must hold.
PUBLISHED = [name for name in formats.FILES if hasattr(registry.component("datasets", name), "CONTENT")]


def load(name, path, **keys):
    module = registry.component("datasets", name)
    return module.load(formats.parameters(module, **keys), path)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The file of a dataset, written once: R takes its time."""
    written = {}

    def file(name):
        if name in formats.NEED_R and shutil.which("Rscript") is None:
            pytest.skip("Rscript was not found (make setup installs it where it can)")
        if name not in written:
            written[name] = formats.write(name, tmp_path_factory.mktemp(name))
        return written[name]

    return file


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_file_that_is_not_the_papers_is_refused_with_both_numbers(name, files):
    path = files(name)
    content = registry.component("datasets", name).CONTENT
    with pytest.raises(InputError) as refused:
        load(name, path, accept_other_content=False)
    message = str(refused.value)
    assert str(path) in message
    assert f"instead of {content.cells}" in message
    assert f"genes: 40 instead of {content.genes}" in message
    assert "accept_other_content" in message
    assert path.exists()


def test_pbmc_has_the_papers_batches(tmp_path):
    cells = load("pbmc", formats.write("pbmc", tmp_path))
    assert cells.obs["batch"].value_counts().to_dict() == {"10x_v3": 90, "10x_v5": 60}
    assert cells.obs_names[0] == "data_3p-AAACCTGAG0-0"
    assert set(cells.obs["label"]) == set(formats.TYPES["pbmc"])
    labels = np.resize(formats.TYPES["pbmc"], 150)
    assert np.allclose(cells.X.toarray(), formats.scaled(labels, 40))
    assert cells.uns["x_kind"] == "scaled"


def test_pbmc_and_pancreas_of_the_papers_size_pass(tmp_path):
    formats.pbmc(tmp_path / "pbmc", (8098, 7378), 1199)
    assert load("pbmc", tmp_path / "pbmc", accept_other_content=False).shape == (15476, 1199)
    sizes = {"Baron": 8569, "Muraro": 2122, "Segerstolpe": 3367, "Wang": 635}
    formats.pancreas(tmp_path / "pancreas.h5ad", sizes, 2448)
    cells = load("pancreas", tmp_path / "pancreas.h5ad", accept_other_content=False)
    assert cells.shape == (14058, 2448)


@pytest.mark.parametrize("name", ["pancreas.h5ad", "objects-pancreas.zip"])
def test_pancreas_has_three_studies_and_no_wang(name, tmp_path):
    formats.pancreas(tmp_path / name)
    cells = load("pancreas", tmp_path / name)
    assert cells.obs["batch"].value_counts().to_dict() == {"Bar16": 80, "Mur16": 60, "Seg16": 70}
    assert cells.obs["label"].nunique() == 22
    assert not set(formats.WANG) & set(cells.obs["label"])


def test_pancreas_with_an_unknown_study(tmp_path):
    formats.pancreas(tmp_path / "pancreas.h5ad", {"Baron": 30, "Xin": 30})
    with pytest.raises(InputError, match="obs 'sample' holds 'xin'; expected baron, muraro, segerstolpe, wang"):
        load("pancreas", tmp_path / "pancreas.h5ad")


def test_mouse_atlas_is_the_total_file_with_its_13_types(tmp_path, monkeypatch):
    monkeypatch.setattr(io, "DENSE_ROWS", 40)  # several blocks, the last one shorter
    path = formats.write("mouse_atlas", tmp_path)
    cells = load("mouse_atlas", path)
    labels = np.resize(formats.TYPES["mouse_atlas"], 130)
    assert cells.obs["label"].tolist() == [label.lower() for label in labels]
    assert (cells.X.toarray() == formats.scaled(labels, 40)).all()
    by_name = load("mouse_atlas", path, label_key="Experiments")
    assert set(by_name.obs["label"]) == {"a", "b"}


def test_mouse_atlas_does_not_take_organs_for_types(tmp_path):
    types = [f"Type {i}" for i in range(14)]
    formats.mouse_atlas(tmp_path / "atlas.zip", n=128, types=types)  # ten cells of the first two, nine of the others
    with pytest.raises(InputError) as refused:
        load("mouse_atlas", tmp_path / "atlas.zip")
    message = str(refused.value)
    assert "no column of obs named like cell types has 13 types; set label_key. Organs are not cell types" in message
    assert "'Cell types' has 14, the rarest 'Type " in message
    assert "(9); 'Organ groups' has 13, " in message


def test_of_columns_of_types_that_disagree_none_is_taken():
    types = np.resize(["a", "b", "c"], 12)
    obs = pd.DataFrame({"Cell types": types, "Renamed types": np.char.upper(types), "Annotation": np.sort(types)})
    assert mouse_atlas.column_of_types(obs.iloc[:, :2], 3, "it") == "Cell types"
    with pytest.raises(InputError, match="it: more than one column of obs named like cell types has 3 types"):
        mouse_atlas.column_of_types(obs, 3, "it")


@pytest.mark.parametrize("name", ["cortex.txt", "cortex.txt.gz"])
def test_mouse_cortex_is_read_from_the_text_file(name, tmp_path):
    formats.mouse_cortex(tmp_path / name)
    path = (tmp_path / name).rename(tmp_path / "file")  # told by its content
    cells = load("mouse_cortex", path)
    labels = np.resize(formats.TYPES["mouse_cortex"], 70)
    assert cells.obs["label"].tolist() == labels.tolist()
    assert (formats.counts(labels, 40) != cells.X).nnz == 0
    assert cells.var_names[3] == "Gene3"
    assert cells.obs_names[69] == "1772067069_A01"


def cortex_with(tmp_path, change):
    formats.mouse_cortex(tmp_path / "cortex.txt")
    lines = (tmp_path / "cortex.txt").read_text().splitlines(keepends=True)
    lines = [line if isinstance(line, bytes) else line.encode() for line in change(lines)]
    (tmp_path / "cortex.txt").write_bytes(b"".join(lines))
    return tmp_path / "cortex.txt"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: [lines[0].encode() + b"\xff\n", *lines[1:]], "not a readable text file"),
        (lambda lines: lines[:8] + lines[9:], "no header row 'level1class' (there are: tissue, "),
        (lambda lines: [*lines[:-1], lines[-1][:40]], "a gene's row does not have 70 counts; is the file cut off?"),
        (lambda lines: lines[:11], "no row of a gene"),
        (lambda lines: [*lines[:7], lines[7].replace("\t1772067069_A01", ""), *lines[8:]], "header rows of different"),
        (lambda lines: [*lines[:20], lines[20].replace("\t1\t", "\tone\t"), *lines[21:]], "cannot be read"),
        (lambda lines: [*lines, lines[-1]], "genes (var_names) must be unique; 1 are repeated, the first is 'Gene39'"),
    ],
)
def test_faults_of_the_text_file(change, message, tmp_path):
    with pytest.raises(InputError, match=re.escape(message)):
        load("mouse_cortex", cortex_with(tmp_path, change))


def test_a_damaged_compressed_text_file(tmp_path):
    formats.mouse_cortex(tmp_path / "cortex.txt.gz")
    content = (tmp_path / "cortex.txt.gz").read_bytes()
    for damaged in (content[: len(content) // 2], content[:40] + b"\0\0\0\0" + content[44:]):
        (tmp_path / "cortex.txt.gz").write_bytes(damaged)
        with pytest.raises(InputError, match=r"not a readable text file|cannot be read"):
            load("mouse_cortex", tmp_path / "cortex.txt.gz")


def test_a_missing_gene_is_seen_by_its_number(tmp_path):
    path = cortex_with(tmp_path, lambda lines: lines[:-1])
    with pytest.raises(InputError, match="genes: 39 instead of 19972"):
        load("mouse_cortex", path, accept_other_content=False)


def test_human_hemato_is_read_without_r(files):
    cells = load("human_hemato", files("human_hemato"))
    labels = np.resize(formats.TYPES["human_hemato"], 260)
    assert cells.obs["label"].tolist() == labels.tolist()
    assert (formats.counts(labels, 40) != cells.X).nnz == 0
    assert cells.var_names[0] == "Gene-1"
    assert cells.obs_names[0] == "BMMC_D1T1:AAAC-1"


def test_pancreas_scib_has_the_counts_of_three_studies(tmp_path):
    path = formats.write("pancreas_scib", tmp_path)
    cells, file = load("pancreas_scib", path), ad.read_h5ad(path)
    assert cells.obs["batch"].value_counts().to_dict() == {"Bar16": 80, "Mur16": 20, "Seg16": 20}
    ours = file[cells.obs_names]
    assert (cells.X.toarray() == ours.layers["counts"]).all()
    assert cells.obs["label"].tolist() == ours.obs["celltype"].tolist()
    file.obs["tech"] = file.obs["tech"].cat.rename_categories({"smarter": "10x"})
    file.write_h5ad(path)
    with pytest.raises(InputError, match="obs 'tech' holds '10x'; expected inDrop1, "):
        load("pancreas_scib", path)
    del file.layers["counts"]
    file.write_h5ad(path)
    with pytest.raises(InputError, match=r"no layer 'counts' \(there are: none\)"):
        load("pancreas_scib", path)


def test_pancreas_studies_are_read_without_r_and_have_genes_in_common(files, tmp_path):
    path = files("pancreas_studies")
    muraro = load("pancreas_studies", path)
    labels = np.resize([*formats.PANCREAS, *formats.MURARO], 60)
    assert muraro.obs["label"].tolist() == labels.tolist()
    assert np.allclose(muraro.X.toarray(), formats.counts(labels, 60).toarray() * 1.002)
    assert (muraro.obs_names[0], muraro.var_names[0]) == ("muraro_1", "TF1A")
    formats.pancreas_studies(tmp_path / "baron.rds", "baron")
    baron = load("pancreas_studies", tmp_path / "baron.rds", study="baron")
    task = tasks.Task.model_validate({"source": {"dataset": "b"}, "target": {"dataset": "m"}})
    source, target = tasks.make(task, {"b": baron, "m": muraro}, "it")
    assert source.shape[1] == target.shape[1] == 60
    assert {*source.obs["label"]} == {*target.obs["label"]} == {*formats.PANCREAS}
    with pytest.raises(InputError, match=r"there is no 'counts' in assays \(there are: normcounts\)"):
        load("pancreas_studies", path, study="baron")
    with pytest.raises(InputError, match="not as published: cells: 60 instead of 2126; cell types: 9 instead of 10"):
        load("pancreas_studies", path, accept_other_content=False)


# --- What X is


def test_raw_is_read_for_the_genes_of_x(tmp_path):
    path = formats.write("pbmc", tmp_path)
    logs = formats.logs(np.resize(formats.TYPES["pbmc"], 150), 40)
    cells = load("pbmc", path, use_raw=True)
    assert (logs != cells.X).nnz == 0
    assert cells.uns["x_kind"] == "log"
    with pytest.raises(InputError, match="x_kind is 'scaled', but no value is negative"):
        load("pbmc", path, use_raw=True, x_kind="scaled")


def test_what_x_holds_is_found_from_its_values_or_asked_for():
    labels = np.repeat(["a", "b"], 20)
    counts, logs = formats.counts(labels, 30), formats.logs(labels, 30)
    of_kinds = {"scaled": sparse.csr_matrix(formats.scaled(labels, 30)), "counts": counts, "log": logs}
    of_kinds["normalized"] = logs.expm1()  # too high for a logarithm
    assert {kind: kind_of(X, "it") for kind, X in of_kinds.items()} == {kind: kind for kind in of_kinds}
    assert kind_of(counts.log1p()[:, :20], "it") == "log"  # of some genes, of counts that were not normalised
    with pytest.raises(
        InputError, match=r"it: X can be more than one thing \(fractions up to .*\); state x_kind: log or"
    ):
        kind_of(counts * np.float32(0.9), "it")


@pytest.mark.parametrize("x_kind", ["counts", "normalized", "log"])
def test_a_scaled_matrix_stated_to_be_something_else_names_the_key(x_kind, tmp_path):
    path = formats.write("pancreas", tmp_path)
    with pytest.raises(InputError, match=rf"negative values, which '{x_kind}' cannot have .* state x_kind: scaled"):
        load("pancreas", path, x_kind=x_kind)


def test_a_truncated_h5ad(tmp_path):
    path = formats.write("pbmc", tmp_path)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InputError, match="not a readable AnnData"):
        load("pbmc", path)


def stated(values, x_kind):
    obs = pd.DataFrame({"label": ["a", "b"]}, index=["1", "2"])
    return to_contract(ad.AnnData(sparse.csr_matrix(values), obs=obs, uns={"x_kind": x_kind}), "it")


def test_a_matrix_that_cannot_be_a_logarithm_is_none():
    with pytest.raises(InputError, match="x_kind is 'log', but values reach 812.5"):
        stated(np.array([[0, 812.5], [1, 2]]), "log")


def test_a_matrix_that_looks_like_a_logarithm_is_warned_of(caplog):
    stated(np.array([[0, 8.25], [1, 2]]), "normalized")
    assert "if X is a logarithm already" in caplog.text
    caplog.clear()
    stated(np.array([[0, 812.5], [1, 2]]), "normalized")
    assert caplog.text == ""


def test_whole_numbers_are_no_logarithm():
    with pytest.raises(InputError, match="x_kind is 'log', but all values are whole numbers; state x_kind: counts"):
        stated(np.array([[0, 8], [1, 2]]), "log")


def test_an_accepted_difference_is_logged(tmp_path, caplog):
    cells = stated(np.array([[0, 8.25], [1, 2]]), "log")
    check_content(cells, Content(cells=2, genes=2, types=2, batches={"all": 2}), tmp_path, accept=False)
    expected = Content(cells=2, genes=2, types=2, batches={"all": 3})
    check_content(cells, expected, tmp_path, accept=True)
    assert "cells of batch all: 2 instead of 3" in caplog.text

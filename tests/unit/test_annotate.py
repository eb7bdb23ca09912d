"""Annotating a user's own cells: what is found in a file, what is added to it, what is refused."""

import functools
import gzip
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import io as scipy_io
from scipy import sparse

from jindbench import io
from jindbench.annotate import (
    bake_off,
    by_method,
    columns,
    command,
    content,
    findings,
    forecast,
    labelling,
    notebook,
    process,
    writing,
)
from jindbench.annotate import cells as opened_cells
from jindbench.annotate.formats import open_cells
from jindbench.annotate.settings import COPY, LOG, PAGE, TABLE, Settings
from jindbench.config import messages
from jindbench.data import genes
from jindbench.errors import InputError
from toy_project import REPOSITORY, environment

N_GENES = 80
TYPES = ["B cell", "T cell/CD4+", "<script>alert(1)</script>"]


def cells(n=90, seed=0, shift=1.0, depth=1):
    """Counts of three types, each with genes of its own; `shift` is a batch effect, `depth` how much is counted."""
    rng = np.random.default_rng(seed)
    kinds = np.arange(n) % len(TYPES)
    mean = np.full((n, N_GENES), 1.0)
    for kind in range(len(TYPES)):
        mean[np.ix_(kinds == kind, np.arange(kind * 10, kind * 10 + 10))] = 12.0
    mean[:, :N_GENES:7] *= shift
    obs = pd.DataFrame({"type": np.array(TYPES)[kinds], "donor": "d"}, index=[f"c{i}" for i in range(n)])
    symbols = [f"SYMBOL{i}" for i in range(N_GENES)]
    var = pd.DataFrame({"gene_ids": [f"ENSG{i:011}" for i in range(N_GENES)], "feature_types": "Gene"}, index=symbols)
    return ad.AnnData(sparse.csr_matrix(rng.poisson(depth * mean), dtype=np.float32), obs=obs, var=var)


def query():
    adata = cells(45, seed=1, shift=1.5)
    adata.obs = adata.obs[["donor"]]
    return adata


def logged(adata):
    adata = adata.copy()
    adata.X = sparse.csr_matrix(np.log1p(1e4 * adata.X.toarray() / adata.X.sum(axis=1)), dtype=np.float32)
    return adata


# --- Genes


def table(names, **columns):
    return pd.DataFrame(columns, index=names)


def ensembl(numbers, version=""):
    return [f"ENSG{number:011}{version}" for number in numbers]


def test_genes_are_matched_by_whatever_both_sides_have():
    symbols = [f"S{i}" for i in range(60)]
    reference = table(symbols, gene_ids=ensembl(range(60), ".3"), chromosome="1")
    by_symbol = genes.match(reference, table(symbols[::-1]), "q")
    assert by_symbol.reference.tolist() == list(range(60))
    assert by_symbol.query.tolist() == list(range(60))[::-1]
    assert by_symbol.how == "symbols (var_names; in the reference var_names)"
    by_id = genes.match(reference, table(ensembl(range(5, 70), ".12")), "q")
    assert by_id.reference.tolist() == list(range(5, 60))
    assert by_id.query.tolist() == list(range(55))
    assert by_id.how == "Ensembl ids (var_names; in the reference gene_ids)"
    in_a_column = genes.match(reference, table(range(60), feature_name=pd.Categorical(symbols)), "q")
    assert in_a_column.how == "symbols (feature_name; in the reference var_names)"
    assert in_a_column.query.tolist() == list(range(60))


def test_versions_go_and_everything_else_stays():
    names = genes.namings(table(["ENSG00000141510.18", "ENSMUSG00000059552.7", "ENSG00000182378.14_PAR_Y", "AC1.2"]))
    assert [*names["var_names"]] == ["ENSG00000141510", "ENSMUSG00000059552", "ENSG00000182378_PAR_Y", "AC1.2"]


def test_names_that_a_side_has_twice_are_left_out():
    symbols = [f"S{i}" for i in range(60)]
    found = genes.match(table(symbols), table([*symbols, "S3", "S3", "other", "other"]), "q")
    assert found.repeated == 1
    assert 3 not in found.reference
    assert len(found.reference) == 59


NUMBERED = {
    "row numbers": "{}",
    "of floats": "{}.0",
    "with a word": "Gene_{}",
    "of R": "V{}",
    "padded": "feature-{:05}",
    "barcodes": "AAACATACAACCAC-{}",
}


@pytest.mark.parametrize("names", NUMBERED)
def test_names_that_cannot_be_genes_are_never_matched(names):
    """All row numbers are in common, and half of the genes; the query has them in another order."""
    symbols, order = np.array([f"S{i}" for i in range(120)]), np.random.default_rng(0).permutation(120)
    rows = [NUMBERED[names].format(i) for i in range(120)]
    reference = table(symbols, soma_id=rows)
    query = table(rows, feature_id=rows, feature_name=np.where(order < 60, symbols[order], "other"))
    query["feature_name"] += np.where(order < 60, "", order.astype(str))
    right = genes.match(table(symbols), table(query["feature_name"]), "q")
    for side in (reference, table(rows, feature_id=rows, feature_name=symbols)):
        found = genes.match(side, query, "q")
        assert found.reference.tolist() == right.reference.tolist() == list(range(60))
        assert found.query.tolist() == right.query.tolist()
    assert genes.gene_names(query).tolist() == query["feature_name"].tolist()
    with pytest.raises(InputError, match=r"q: query: var_names .*, and no column of var has names of genes"):
        genes.match(reference, query[["feature_id"]], "q")


def test_stable_ids_are_no_row_numbers():
    for pattern in ("FBgn{:07}", "WBGene{:08}", "ENSDARG{:011}", "AT1G{:05}"):
        assert [*genes.namings(table([pattern.format(i) for i in range(60)]))] == ["var_names"]
    entrez = [str(i) for i in [*range(1, 60), 100130418]]
    assert genes.match(table(entrez), table(entrez), "q").how.startswith("Entrez ids")


def test_the_genes_of_two_species_are_told():
    with pytest.raises(InputError) as error:
        genes.match(table([f"RPL{i}" for i in range(60)]), table([f"Rpl{i}" for i in range(60)]), "mine.h5ad")
    assert str(error.value) == (
        "mine.h5ad: 0 genes in common, at least 50 are needed; the 60 of the reference begin with RPL0, RPL1, RPL2 (human "
        "symbols), the 60 of the query with Rpl0, Rpl1, Rpl2 (mouse symbols); name the genes of the query by their human "
        "orthologs"
    )
    with pytest.raises(InputError, match=r"ENSMUSG0\S* .*\(mouse Ensembl ids\); name the genes .* by symbols"):
        genes.match(table([f"l{i}" for i in range(60)]), table([f"ENSMUSG{i:011}" for i in range(60)]), "mine.h5ad")


def test_genes_of_a_restricted_reference_keep_their_places():
    found = genes.match(table([f"S{i}" for i in range(60)]), table([f"S{i}" for i in range(59, -1, -1)]), "q")
    within = found.within(np.array([2, 5, 40]))
    assert (within.n_reference, within.n_query) == (60, 60)
    assert within.reference.tolist() == [0, 1, 2]
    assert within.query.tolist() == [57, 54, 19]


# --- Which matrix


def scaled(adata):
    adata = adata.copy()
    adata.X = adata.X.toarray() - 1
    return adata


def with_layers(X, **layers):
    adata = ad.AnnData(X.X, obs=X.obs, var=X.var)
    for name, layer in layers.items():
        adata.layers[name] = layer.X
    return adata


def with_raw(X, raw):
    adata = X.copy()
    adata.raw = raw
    return adata


def made_equal(adata):
    adata = adata.copy()
    adata.X = sparse.csr_matrix(1e4 * adata.X.toarray() / adata.X.sum(axis=1), dtype=np.float32)
    return adata


def corrected(adata):
    adata = adata.copy()
    adata.X = adata.X * np.float32(7.3)
    return adata


def velocyto(adata):
    """Logarithms in X, and counts cut into parts as velocyto does."""
    counts = adata.X.toarray().astype(int)
    ambiguous = np.random.default_rng(0).binomial(counts, 0.05)
    unspliced = np.random.default_rng(1).binomial(counts - ambiguous, 0.6)
    parts = {"ambiguous": ambiguous, "matrix": counts, "unspliced": unspliced}
    parts["spliced"] = counts - ambiguous - unspliced
    layers = {name: ad.AnnData(sparse.csr_matrix(part, dtype=np.float32)) for name, part in parts.items()}
    return with_layers(logged(adata), **layers)


def divided(adata):
    """As `scale(zero_center=False)` leaves logarithms."""
    adata = logged(adata)
    adata.X = sparse.csr_matrix(adata.X.toarray() / adata.X.toarray().std(axis=0))
    return adata


FOUND = {
    "counts in X": (lambda c: c, "X", "counts"),
    "dense": (lambda c: ad.AnnData(c.X.toarray(), obs=c.obs, var=c.var), "X", "counts"),
    "by genes": (lambda c: ad.AnnData(c.X.tocsc(), obs=c.obs, var=c.var), "X", "counts"),
    "counts in a layer": (lambda c: with_layers(logged(c), counts=c), "layers/counts", "counts"),
    "counts before raw and velocity": (
        lambda c: with_raw(with_layers(scaled(c), spliced=c, my_counts=c), c), "layers/my_counts", "counts"),
    "counts in parts": (velocyto, "layers/matrix", "counts"),
    "counts in raw": (lambda c: with_raw(logged(c), c), "raw/X", "counts"),
    "logarithms in raw": (lambda c: with_raw(scaled(c), logged(c)), "raw/X", "log"),
    "equal totals": (made_equal, "X", "normalized"),
    "corrected counts": (corrected, "X", "counts"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", FOUND)
def test_counts_are_found(case, tmp_path):
    change, place, kind = FOUND[case]
    change(cells()).write_h5ad(tmp_path / "q.h5ad")
    opened = open_cells(tmp_path / "q.h5ad")
    chosen = content.choose({opened.path: content.contents(opened, [*opened.genes])})[opened.path]
    assert (chosen.place, chosen.kind) == (place, kind)
    whole = sparse.vstack(list(opened.blocks(place)))
    assert content.check(opened, chosen, np.arange(N_GENES), "layer").why == chosen.why
    assert (opened.rows(place, np.array([3, 7, 40])) != whole[[3, 7, 40]]).nnz == 0


def test_other_matrices_of_the_kind_are_told_and_copies_are_none(tmp_path):
    def others(adata):
        adata.write_h5ad(tmp_path / "q.h5ad")
        opened = open_cells(tmp_path / "q.h5ad")
        return content.choose({opened.path: content.contents(opened, [*opened.genes])})[opened.path].others

    assert others(velocyto(cells())) == ("layers/spliced", "layers/unspliced", "layers/ambiguous")
    assert others(with_layers(cells(), counts=cells())) == ()


def test_symbols_of_var_serve_raw_that_has_ids_alone(tmp_path):
    adata = logged(cells())
    symbols = adata.var_names
    adata.var = pd.DataFrame({"feature_name": pd.Categorical(symbols)}, index=adata.var["gene_ids"].to_numpy())
    adata.raw = ad.AnnData(cells().X, obs=adata.obs, var=adata.var[[]])
    adata.write_h5ad(tmp_path / "q.h5ad")
    found = genes.match(table(symbols), open_cells(tmp_path / "q.h5ad").genes["raw/X"], "q")
    assert found.query.tolist() == list(range(N_GENES))


def test_logarithms_are_compared_by_what_they_were_before():
    ten_thousand, million, counts = (1e4, 1e4, 1e4), (1e6, 1e6, 1e6), (4e3, 1e4, 3e4)
    assert "in the same way: undone" in findings.logarithms(ten_thousand, ten_thousand)
    for query in (million, counts):
        sentence = findings.logarithms(query, ten_thousand)
        assert "NOT made in the same way" in sentence
        assert f"{query[1]:,.0f} here" in sentence
        assert "10,000 in the reference" in sentence


def test_the_models_accuracy_is_that_of_the_epochs_kept():
    history = pd.DataFrame({"kept": [True, False, True], "validation_accuracy": [0.5, 0.9, 0.7]})
    assert findings.validation_accuracy(history) == pytest.approx(0.6)
    assert findings.validation_accuracy(history[["kept"]]) is None


def test_a_raw_that_holds_nothing_is_no_matrix(tmp_path):
    with h5py.File(tmp_path / "mine.h5ad", "w") as file:
        ad.io.write_elem(file, "/", query())  # unlike write_h5ad it writes a `raw` that is None
    assert "raw" in h5py.File(tmp_path / "mine.h5ad")
    assert list(open_cells(str(tmp_path / "mine.h5ad")).genes) == ["X"]


def test_where_one_side_has_no_counts_logarithms_are_compared(tmp_path):
    with_layers(logged(cells()), counts=cells()).write_h5ad(tmp_path / "r.h5ad")
    logged(query()).write_h5ad(tmp_path / "q.h5ad")
    sides = [open_cells(tmp_path / name) for name in ("r.h5ad", "q.h5ad")]
    chosen = content.choose({side.path: content.contents(side, [*side.genes]) for side in sides})
    assert [item.kind for item in chosen.values()] == ["log", "log"]


def test_tenx_files_and_folders_are_read(tmp_path):
    adata = cells()
    tenx_folder(adata, tmp_path / "folder", "GSM1_")
    tenx_folder(adata, tmp_path / "starsolo", zipped=False)
    tenx_folder(adata, tmp_path / "old", genes="genes")
    tenx_file(adata, tmp_path / "file.h5")
    for path in ("folder", "starsolo", "old", "file.h5"):
        opened = open_cells(tmp_path / path)
        assert (sparse.vstack(list(opened.blocks("X"))) != adata.X).nnz == 0
        assert opened.cell_ids.tolist() == adata.obs_names.tolist()
        assert genes.match(adata.var, opened.genes["X"], "q").query.tolist() == list(range(N_GENES))


def tenx_folder(adata, folder, prefix="", *, genes="features", zipped=True):
    """A folder with one feature that is no gene, but for old ones, which do not say."""
    folder.mkdir()
    opened, suffix = (gzip.open, ".gz") if zipped else (open, "")
    rows = [f"{gene_id}\t{symbol}" for symbol, gene_id in adata.var["gene_ids"].items()]
    X = adata.X.T.astype(int)
    if genes == "features":
        rows = [*(f"{row}\tGene Expression" for row in rows), "CD3\tCD3_antibody\tAntibody Capture"]
        X = sparse.vstack([X, np.full((1, adata.n_obs), 9)])
    with opened(folder / f"{prefix}matrix.mtx{suffix}", "wb") as file:
        scipy_io.mmwrite(file, X)
    for name, lines in ((genes, rows), ("barcodes", adata.obs_names)):
        with opened(folder / f"{prefix}{name}.tsv{suffix}", "wt") as file:
            file.writelines(f"{line}\n" for line in lines)


def tenx_file(adata, path):
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        for key in ("data", "indices", "indptr"):
            group[key] = getattr(adata.X, key).astype("i4")
        group["shape"] = adata.shape[::-1]
        group["barcodes"] = adata.obs_names.to_numpy().astype("S")
        features = {"id": adata.var["gene_ids"], "name": adata.var_names, "feature_type": ["Gene Expression"] * N_GENES}
        for key, values in features.items():
            group[f"features/{key}"] = np.array(values, dtype="S")


# --- The copy


def elements(file):
    found = {}
    file.visititems(lambda name, item: found.update({name: item}))
    return found


def raw_bytes(dataset):
    """What the file holds of a dataset, as it is stored: compressed, chunk by chunk."""
    if dataset.chunks is None:
        return dataset[()].tobytes() if dataset.dtype.kind != "O" else dataset[()].tolist()
    return [
        dataset.id.read_direct_chunk(dataset.id.get_chunk_info(i).chunk_offset)
        for i in range(dataset.id.get_num_chunks())
    ]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", ["csr", "csc", "dense"])
def test_the_copy_is_the_users_file_and_the_new_columns(form, tmp_path):
    adata = with_raw(with_layers(logged(query()), counts=query()), query())
    adata.X = {"csr": adata.X.tocsr, "csc": adata.X.tocsc, "dense": adata.X.toarray}[form]()
    adata.obsm["X_pca"], adata.obsp["graph"] = np.ones((adata.n_obs, 2)), sparse.eye(adata.n_obs, format="csr")
    adata.uns = {"colours": np.array(["red", "blue"]), "nested": {"a": 1}}
    adata.write_h5ad(tmp_path / "q.h5ad", compression="gzip")
    before = io.sha256(tmp_path / "q.h5ad")
    n = adata.n_obs
    known = pd.DataFrame({"raw_label": "a", "confidence": 0.5, "threshold": 0.6, "novelty": 0.1}, index=range(n))
    known = known.assign(label="unassigned", broad_label="a / b", depth=1, second_label="b", second_probability=0.4)
    known["status"] = labelling.LOW_CONFIDENCE
    codes, tsne, nothing = np.ones((n, 50), dtype=np.float32), np.zeros((n, 2)), pd.DataFrame()
    found = labelling.Labelled(known, None, codes, np.zeros(n, dtype=bool), nothing, nothing)
    writing.write_copy(open_cells(tmp_path / "q.h5ad"), found, tsne, {"version": "1"}, tmp_path / "out.h5ad")
    assert io.sha256(tmp_path / "q.h5ad") == before

    with h5py.File(tmp_path / "q.h5ad") as old, h5py.File(tmp_path / "out.h5ad") as new:
        theirs, ours = elements(old), elements(new)
        added = {name for name in ours if name not in theirs}
        in_obs = [columns.OBS[name] for name in columns.CELLS]
        assert {name.split("/")[1] for name in added} == {*in_obs, columns.CODES, columns.TSNE, columns.RECORD}
        for name, item in theirs.items():
            attributes = [{key: str(value) for key, value in side.attrs.items()} for side in (item, ours[name])]
            if name == "obs":
                attributes = [
                    {key: value for key, value in side.items() if key != "column-order"} for side in attributes
                ]
            assert attributes[0] == attributes[1], name
            if isinstance(item, h5py.Dataset):
                assert raw_bytes(item) == raw_bytes(ours[name]), name
    annotated = ad.read_h5ad(tmp_path / "out.h5ad")
    assert annotated.obs.columns.tolist() == ["donor", *[name for name in columns.OBS.values() if name in in_obs]]
    assert annotated.obs["jind_status"].dtype == "category"
    assert annotated.obsm["X_jind"].dtype == np.float32


# --- The whole way


def annotate(folder, **settings):
    settings = {"reference": str(folder / "reference.h5ad"), "output": str(folder / "out")} | settings
    settings.setdefault("query", [str(folder / "query.h5ad")])
    if settings["reference"].endswith("h5ad"):
        settings.setdefault("label_key", "type")
    check = settings.pop("check", False)
    command.annotate(messages.checked(Settings, settings, "annotate"), threads=1, check=check)


@pytest.fixture(scope="module")
def annotated(tmp_path_factory):
    """A reference, a query as AnnData and the same cells as a 10x folder, annotated in one go."""
    folder = tmp_path_factory.mktemp("annotated")
    cells().write_h5ad(folder / "reference.h5ad")
    adata = query()
    adata.obs_names = ["c0", *adata.obs_names[:-1]]  # one id twice
    adata.X = sparse.diags_array(1.0 * (np.arange(45) < 44)) @ adata.X  # the last cell has no count
    tenx_folder(adata, folder / "tenx")
    adata.layers["velocity"] = np.full(adata.shape, np.nan)
    adata.write_h5ad(folder / "query.h5ad")
    annotate(folder, query=f"{folder}/query.h5ad,{folder}/tenx")
    return folder


@pytest.mark.filterwarnings("ignore")
def test_labels_are_right_and_the_same_in_every_file(annotated):
    for name in ("query", "tenx"):
        labels = io.read_table(annotated / "out" / name / TABLE, text=["cell_id", "raw_label", "label", "status"])
        assert labels.columns[0] == "cell_id"
        assert (labels["raw_label"] == TYPES * 15).mean() > 0.9
        copy = ad.read_h5ad(annotated / "out" / name / COPY)
        assert labels["cell_id"].tolist() == copy.obs_names.tolist()
        for column in columns.CELLS:
            in_obs = copy.obs[columns.OBS[column]]
            if in_obs.dtype == "category":
                assert labels[column].tolist() == in_obs.tolist()
            else:
                assert labels[column].to_numpy() == pytest.approx(in_obs.to_numpy(), abs=1e-12)
        assert copy.obsm["X_jind"].shape == (45, 43)  # the principal components of 44 cells
        assert np.isfinite(copy.obsm["X_jind_tsne"]).all()
    both = [io.read_table(annotated / "out" / name / TABLE) for name in ("query", "tenx")]
    pd.testing.assert_frame_equal(*both)


def test_the_page_needs_nothing_else_and_names_are_text(annotated):
    text = (annotated / "out/query" / PAGE).read_text()
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert re.findall(r'(?:src|href)="(?!data:)', text) == []
    assert "1 cell has the id of another" in text
    assert 'alt="The same tSNE, coloured by novelty"' in text
    for heading in ("Labels on the map", "Composition", "Confidence by type", "Top expressed genes", "Training"):
        assert f"<h2>{heading}</h2>" in text
    assert "SYMBOL1" in text
    assert (
        "<th>matrices that cannot be used</th><td>layers/velocity (holds values that are NaN or infinite: 3,600)"
        in text
    )


def test_a_cell_without_counts_is_no_new_type_and_alignment_does_not_see_it(annotated):
    labels = io.read_table(annotated / "out/query" / TABLE)
    assert labels[["label", "status"]].to_numpy()[-1].tolist() == ["unassigned", labelling.LOW_CONFIDENCE]
    text = (annotated / "out/query" / PAGE).read_text()
    assert "1 cell has no count in the genes in common" in text
    assert "<th>cells used for alignment</th><td>44</td>" in text


# --- The forecast


class Seen:
    """What a forecast asks of an aligned model: ten held-out cells of A and B, two of them with the wrong type."""

    classes, profiles = ["A", "B"], None
    validation_types = torch.tensor([0] * 4 + [1] * 6)
    validation = torch.tensor([[0.9, 0.1]] * 5 + [[0.1, 0.9]] * 4 + [[0.9, 0.1]], dtype=torch.float64)
    type_weights, aligned_share = None, 1.0


class Shifted(Seen):
    """Of a query that holds twice as many A, by full evidence."""

    type_weights = torch.tensor([2.0, 1.0], dtype=torch.float64)


def log_odds(share):
    return np.log(share / (1 - share))


def test_the_forecast_is_the_mean_of_confidence_and_of_what_held_out_cells_leave_of_it():
    held = forecast.HeldOut.of(Seen)
    assert held.mean_excess() == pytest.approx(0.1)  # .9 sure, .8 right
    expected = (log_odds(0.95) + log_odds(0.85)) / 2 - forecast.LOWERED
    assert forecast.expected(0.95, held.mean_excess()) == pytest.approx(expected)
    # Of a part, held-out cells count by their number: here the six of which four are right.
    own = 6 * 0.9 - 4
    assert held.mean_excess(held.types == "A") == pytest.approx((own + 20 * 0.1) / (6 + 20))
    # Of another composition, by the shares of their types; a cell is surer of what there is more of.
    shifted = forecast.HeldOut.of(Shifted)
    assert shifted.evidence == 1
    assert shifted.confidence[0] == pytest.approx(1.8 / 1.9)
    right = (4 * 2 + 4) / (4 * 2 + 6)
    confidence = (4 * 2 * 1.8 / 1.9 + 2 * 1.8 / 1.9 + 4 * 0.9 / 1.1) / (4 * 2 + 6)
    assert shifted.mean_excess() == pytest.approx(confidence - right)


def test_held_out_cells_at_a_threshold_count_where_the_querys_have_a_label():
    seen = {"part": "", "label": "A", "raw_label": "A", "confidence": 0.9, "threshold": 0.9}
    models = {"": SimpleNamespace(model_=Seen)}
    found = forecast.forecast(models, pd.DataFrame([seen] * 30), {"": 1.0}).labelled
    excess = forecast.HeldOut.of(Seen).mean_excess(forecast.HeldOut.of(Seen).types == "A")
    assert log_odds(found.accuracy) == pytest.approx(forecast.expected(0.9, excess))


def test_a_limit_lets_through_as_many_cells_as_may_be_and_no_more():
    sure = pd.DataFrame({"confidence": np.linspace(0.5, 0.999, 200)})

    def wrong(cells):
        held = forecast.HeldOut.of(Seen)
        excess = held.mean_excess(held.confidence >= cells["confidence"].min())
        return 1 - 1 / (1 + np.exp(-forecast.expected(cells["confidence"].mean(), excess)))

    limit = forecast.limit(sure, Seen, 1.0, 0.2)
    kept, others = (of["confidence"] for _, of in sure.groupby(sure["confidence"] <= limit))
    assert wrong(sure.loc[kept.index]) <= 0.2 < wrong(sure.loc[[*kept.index, others.idxmax()]])
    assert limit == pytest.approx(kept.min(), abs=1e-5)  # no held-out cells in between count as let through
    assert forecast.limit(sure, Seen, 1.0, 0.9) < sure["confidence"].min()
    assert forecast.limit(sure, Seen, 1.0, 1e-4) == 1
    assert forecast.limit(sure, Seen, 0.5, 0.2) == 1  # the reference hardly fits


def test_the_forecast_is_on_the_page_in_the_file_and_about_true(annotated):
    labels = io.read_table(annotated / "out/tenx" / TABLE)[:44]  # the last cell is empty
    told = ad.read_h5ad(annotated / "out/tenx" / COPY).uns["jindbench"]["forecast"]
    assert told["all"]["cells"] == 44
    true = (labels["raw_label"] == (TYPES * 15)[:44]).mean()
    assert told["all"]["low"] <= told["all"]["accuracy"] <= told["all"]["high"]
    assert told["all"]["accuracy"] == pytest.approx(true, abs=0.1)
    assert f"Forecast: {told['all']['accuracy']:.0%} of the cells" in (annotated / "out/tenx" / PAGE).read_text()


def test_a_check_says_what_would_be_right_and_labels_nothing(annotated, tmp_path, caplog):
    given = {"reference": str(annotated / "out/reference"), "output": str(tmp_path / "out"), "max_error": 0.02}
    with caplog.at_level("INFO"):
        annotate(annotated, check=True, **given)
    told = ad.read_h5ad(annotated / "out/query" / COPY).uns["jindbench"]["forecast"]
    assert f"query: Forecast: {told['all']['accuracy']:.0%} of the cells" in caplog.text
    assert "At most 2 % wrong labels were asked for" in caplog.text
    assert not (tmp_path / "out/query").exists()
    annotate(annotated, embedding=False, **given)
    labels = io.read_table(tmp_path / "out/query" / TABLE)
    (limit,) = labels["threshold"].unique()
    assert ((labels["confidence"] > limit) == (labels["label"] != "unassigned"))[:44].all()


def test_few_genes_are_said_at_the_top(annotated):
    assert "Only 80 genes are common to both. Fewer than 500" in (annotated / "out/query" / PAGE).read_text()


@pytest.mark.filterwarnings("ignore")
def test_a_query_that_has_lost_its_index_gets_the_same_labels(annotated, tmp_path):
    adata = ad.read_h5ad(annotated / "query.h5ad")[:, ::-1].copy()
    adata.var = pd.DataFrame({"feature_name": adata.var_names}, index=[str(i) for i in range(N_GENES)])
    adata.write_h5ad(annotated / "lost.h5ad")
    given = {"query": str(annotated / "lost.h5ad"), "output": str(tmp_path)}
    annotate(annotated, reference=str(annotated / "out/reference"), **given)
    lost, right = (io.read_table(path / TABLE) for path in (tmp_path / "lost", annotated / "out/query"))
    pd.testing.assert_frame_equal(lost, right, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_a_reference_that_has_lost_its_index_and_some_labels_trains_the_same_model(tmp_path, caplog):
    """Names of genes from a column; cells without a type take no part, unless a key says so."""
    whole, rows, taken = cells(), np.arange(N_GENES), content.Content("X", "counts", "", 0, ())
    some = labels([None, "nan", " N/A", "Unknown", "un-assigned", ""])(cells())
    some.var = pd.DataFrame({"feature_name": some.var_names}, index=[str(i) for i in range(N_GENES)])
    whole[6:].copy().write_h5ad(tmp_path / "whole.h5ad")
    some.write_h5ad(tmp_path / "some.h5ad")

    def fitted(name, **keys):
        given = {"reference": str(tmp_path / name), "label_key": "type", "query": ["q"], "method": "published"} | keys
        settings = Settings.model_validate(given)
        opened, types = command.reference.open_reference(settings)
        return command.reference.fit(opened, taken, types, rows, settings)

    right, found = fitted("whole.h5ad"), fitted("some.h5ad")
    assert found.composition.to_dict() == right.composition.to_dict()
    assert found.facts["cells"] == "84 of 90; the others have no type"
    assert found.jind.model_.genes == right.jind.model_.genes
    target = whole[:, found.genes.index].copy()
    pd.testing.assert_frame_equal(found.jind.predict(target), right.jind.predict(target), atol=1e-5)
    (line,) = [record.message for record in caplog.records if "no type" in record.message]
    assert "label_key 'type': 6 of 90 cells have no type and are left out: " in line
    for label in ("''", "'nan'", "' N/A'", "'Unknown'", "'un-assigned'"):
        assert f"{label} (" in line
    kept = fitted("some.h5ad", keep_labels="Unknown,nan")
    assert kept.composition["Unknown"] == kept.composition["nan"] == 1


def test_a_stored_reference_gives_the_same_labels(annotated):
    annotate(annotated, reference=str(annotated / "out/reference"), output=str(annotated / "again"))
    first, again = ((annotated / folder / "query" / TABLE).read_bytes() for folder in ("out", "again"))
    assert first == again


@pytest.mark.filterwarnings("ignore")
def test_any_method_labels_and_all_else_comes_with_it(annotated, tmp_path):
    """Of 60 cells of one type and 3 of the others, method, stored model and samples by themselves say the same."""
    mixed = cells(180, seed=3, shift=0.7)
    mixed = mixed[[*np.flatnonzero(mixed.obs["type"] == TYPES[0]), 1, 2, 4, 5, 7, 8]].copy()
    mixed.obs["donor"] = ["a", "b"] * (mixed.n_obs // 2)
    mixed.write_h5ad(tmp_path / "mixed.h5ad")
    given = {"query": str(tmp_path / "mixed.h5ad"), "max_error": 0.05}
    annotate(annotated, method="knn", sample_key="donor", output=str(tmp_path / "out"), **given)
    stored = {"reference": str(tmp_path / "out/reference"), "embedding": False, "sample_key": "donor"}
    annotate(annotated, output=str(tmp_path / "again"), **stored, **given)
    first, again = (io.read_table(tmp_path / folder / "mixed" / TABLE) for folder in ("out", "again"))
    pd.testing.assert_frame_equal(first, again)
    assert (first["raw_label"] == mixed.obs["type"].to_numpy()).mean() > 0.9
    page, record = (tmp_path / "out/mixed" / PAGE).read_text(), ad.read_h5ad(tmp_path / "out/mixed" / COPY).uns
    assert "These are the labels of knn." in page
    assert "unlike the type %" in page
    assert record["jindbench"]["method"] == "knn"
    assert record["jindbench"]["forecast"]["all"]["accuracy"] > 0.8
    with pytest.raises(InputError, match="was fitted with method=knn, not consensus; leave the key out"):
        annotate(annotated, output=str(tmp_path / "other"), method="consensus", **stored, **given)


def test_a_method_embeds_more_cells_than_it_has_labelled_ones(tmp_path):
    cells(30).write_h5ad(tmp_path / "reference.h5ad")
    query().write_h5ad(tmp_path / "query.h5ad")
    annotate(tmp_path, method="majority")
    assert ad.read_h5ad(tmp_path / "out/query" / COPY).obsm["X_jind"].shape == (45, 29)


def test_a_method_is_used_where_it_beats_the_consensus_by_more_than_chance():
    ours, sizes = np.arange(100) % 10 > 1, [50, 50]  # 80 of 100 right
    everywhere, somewhere, hardly = ours.copy(), ours.copy(), ours.copy()
    everywhere[::5], somewhere[:50], hardly[:21] = True, True, True
    hardly[:2] = False
    used = functools.partial(bake_off._best, sizes=sizes)
    assert used({"consensus": ours, "a": everywhere, "b": hardly}) == "a"
    assert used({"consensus": ours, "a": somewhere}) == "consensus"  # in one part of two
    assert used({"consensus": ours, "a": hardly}) == "consensus"


def test_batches_are_held_out_and_the_other_methods_labels_are_told(annotated, tmp_path, monkeypatch):
    both = cells(180, seed=4)
    both.obs["donor"] = np.repeat(["one", "two", None], [80, 80, 20])
    both.write_h5ad(tmp_path / "both.h5ad")
    monkeypatch.setattr(bake_off, "CONSENSUS", "knn")  # which is quicker
    monkeypatch.setattr(bake_off, "methods", lambda: ["auto", "logreg", "scanvi", "majority"])
    given = {"reference": str(tmp_path / "both.h5ad"), "method": "auto", "batch_key": "donor", "embedding": False}
    annotate(annotated, output=str(tmp_path / "out"), **given)
    labels, page = io.read_table(tmp_path / "out/query" / TABLE), (tmp_path / "out/query" / PAGE).read_text()
    assert (labels["other_label"] == labels["raw_label"])[:-1].all()
    assert labels["other_label"].iloc[-1] == "unassigned"  # a cell without counts
    assert "own cells in 2 left-out batches, knn labels 100.0 % right (worst 100 %, best 100 %); no other" in page
    assert "For 0 cells of this query, " in page
    assert "scanvi cannot run here: scvi not installed" in page
    assert "<td>majority</td>" in page
    facts = io.read_json(tmp_path / "out/reference/reference.json")
    assert facts["method"] == "knn"
    with pytest.raises(InputError, match="batch_key 'lane' is no column of obs with two batches"):
        annotate(annotated, output=str(tmp_path / "other"), **given | {"batch_key": "lane"})


def test_the_other_method_may_fail(caplog):
    found = SimpleNamespace(other="knn", other_labels=lambda cells: 1 / 0)
    reference = SimpleNamespace(bake_off=found, measured=lambda *given: None)
    X = sparse.csr_matrix(np.eye(2))
    of_file = SimpleNamespace(rows=lambda place, chosen: X)
    match = SimpleNamespace(query=[0, 1])
    given = SimpleNamespace(cells=of_file, content=SimpleNamespace(place="X"), match=match, cell_ids=pd.Index([*"ab"]))
    labelled = pd.DataFrame({"label": [*"ab"]})
    command.add_other_labels(labelled, given, reference)
    assert [*labelled] == ["label"]
    assert "other_label: no labels of knn: ZeroDivisionError: division by zero" in caplog.text


def test_a_method_of_the_comparison_has_its_share_of_the_time_and_no_more(monkeypatch):
    given = []

    def guarded(run, minutes):
        given.append(max(60 * minutes - 60, 30 * minutes))  # as `guard.guarded` ends it
        return SimpleNamespace(status="failed", reason="late", record={"seconds": given[-1] + 1})

    monkeypatch.setattr(bake_off.guard, "guarded", guarded)
    notes = [bake_off._labelled("knn", None, [], 0, limit)[1] for limit in (30, 300)]
    assert given == pytest.approx([30, 300])
    assert notes == ["not done in 30 s", "not done in 300 s"]


def test_probabilities_are_calibrated_and_the_composition_is_found():
    """Half as sure as it should be, in log-odds, and wrong without a trace in 2 % of 20,000 cells."""
    rng = np.random.default_rng(0)
    score, n = rng.normal(0, 3, 20_000), 20_000
    truth = rng.random(n) < 0.98 / (1 + np.exp(-2 * score)) + 0.01
    first = 1 / (1 + np.exp(-score))
    found = by_method.Calibration.of(np.column_stack([1 - first, first]), truth.astype(int))
    assert found.temperature == pytest.approx(0.5, abs=0.05)
    assert found.lapse == pytest.approx(0.02, abs=0.005)


@pytest.mark.filterwarnings("ignore")
def test_a_label_whose_cells_are_unlike_the_references_is_said_at_the_top(tmp_path):
    """Of cells with all genes of one type and as many counts of other genes the model is sure."""
    cells(150, seed=5, depth=20).write_h5ad(tmp_path / "reference.h5ad")
    mixed = cells(90, seed=6, depth=20)
    counts, new = mixed.X.toarray(), np.flatnonzero(mixed.obs["type"] == TYPES[0])
    counts[np.ix_(new, np.arange(40, 80))] += np.random.default_rng(7).poisson(100, (len(new), 40))
    mixed.X = sparse.csr_matrix(counts)
    mixed.write_h5ad(tmp_path / "query.h5ad")
    other = mixed[new].copy()
    other.write_h5ad(tmp_path / "other.h5ad")
    for method in ("robust", "published"):
        queries = [str(tmp_path / name) for name in ("query.h5ad", "other.h5ad")]
        annotate(
            tmp_path, query=queries[: 2 if method == "robust" else 1], method=method, output=str(tmp_path / method)
        )
    statuses = {name: io.read_table(tmp_path / "robust" / name / TABLE)["status"] for name in ("query", "other")}
    assert labelling.DOUBTFUL not in {*statuses["query"]}  # a third of the cells is unlike
    assert "does not fit:" not in (tmp_path / "robust/query" / PAGE).read_text()
    assert {*statuses["other"]} == {labelling.DOUBTFUL}
    first = re.search("<li>(.*)</li>", (tmp_path / "robust/other" / PAGE).read_text())[1]
    assert first.startswith("This reference does not fit: 100% of the cells with a label are unlike")
    assert "<td>doubtful: reference does not fit</td><td>30</td>" in (tmp_path / "robust/other" / PAGE).read_text()
    robust, published = ((tmp_path / method / "query" / PAGE).read_text() for method in ("robust", "published"))
    assert "Many of the cells nearest to B cell (100 %) are unlike the reference" in robust
    assert "unlike the type %" in robust
    # Its novelty knows nothing of the expression.
    assert "unlike the reference" not in published
    assert "unlike the type" not in published


def test_a_gene_list_that_is_shorter_makes_no_cell_unlike_its_type(annotated, tmp_path):
    """Genes that the query lacks are zeros to a stored model, and not held against the cells."""
    whole, lacking = query(), query()[:, np.arange(N_GENES) % 4 > 0].copy()
    for name, adata in (("whole", whole), ("lacking", lacking)):
        adata.write_h5ad(tmp_path / f"{name}.h5ad")
    given = {"query": f"{tmp_path}/whole.h5ad,{tmp_path}/lacking.h5ad", "output": str(tmp_path / "out")}
    annotate(annotated, reference=str(annotated / "out/reference"), **given)
    found = [io.read_table(tmp_path / "out" / name / TABLE)["novelty"].median() for name in ("whole", "lacking")]
    assert found[1] == pytest.approx(found[0], abs=0.2)


def test_blocks_and_samples_label_as_the_whole_does(annotated, monkeypatch, tmp_path):
    """A query larger than a block, than what alignment sees and than what the tSNE is made of."""
    for module in (labelling, opened_cells):
        monkeypatch.setattr(module, "BLOCK", 7)
    monkeypatch.setattr(command, "MAPPED_CELLS", 30)
    annotate(annotated, reference=str(annotated / "out/reference"), output=str(tmp_path))
    whole, parts = (io.read_table(folder / "query" / TABLE) for folder in (annotated / "out", tmp_path))
    assert parts["label"].tolist() == whole["label"].tolist()
    assert parts["confidence"].to_numpy() == pytest.approx(whole["confidence"].to_numpy(), abs=1e-6)
    assert np.isfinite(ad.read_h5ad(tmp_path / "query" / COPY).obsm["X_jind_tsne"]).all()


@pytest.mark.filterwarnings("ignore")
def test_stores_are_read_and_samples_clusters_and_probabilities_are_told(annotated, tmp_path):
    """Of a sample, as of a file of its own; in a zarr store and a MuData file, without maps."""
    adata = ad.read_h5ad(annotated / "query.h5ad")
    adata.obs_names_make_unique()
    adata.obs["sample"] = np.where(np.arange(45) < 20, "<b>one</b>", "two")
    adata.obs["cluster"] = pd.Categorical(np.arange(45) % 3 + 10 * (np.arange(45) == 0)).astype(str)
    adata[20:].copy().write_h5ad(tmp_path / "two.h5ad")
    del adata.layers["velocity"]
    adata.write_zarr(tmp_path / "q.zarr")
    adata.write_h5ad(tmp_path / "rna.h5ad")
    with h5py.File(tmp_path / "m.h5mu", "w") as file, h5py.File(tmp_path / "rna.h5ad") as rna:
        file.create_group("obs"), file.create_group("var"), rna.copy("/", file, "mod/rna")
    given = {"reference": str(annotated / "out/reference"), "embedding": False}
    options = {"sample_key": "sample", "cluster_key": "cluster", "probabilities": True}
    ids = ["CL:0000236", "unknown", "CL:0000542"]
    (tmp_path / "broad.tsv").write_text("".join(f"{name}\t{name[0]}\n" for name in ["type", *TYPES]))
    (tmp_path / "ids.tsv").write_text("label\tid\n" + "".join(map("{}\t{}\n".format, TYPES, ids)))
    given |= {"broad_key": f"{tmp_path}/broad.tsv", "ontology": f"{tmp_path}/ids.tsv"}
    annotate(
        annotated, query=[f"{tmp_path}/q.zarr", f"{tmp_path}/m.h5mu"], output=f"{tmp_path}/out", **given, **options
    )
    annotate(annotated, query=[f"{tmp_path}/two.h5ad"], output=f"{tmp_path}/alone", **given)
    zarr, mudata = (io.read_table(tmp_path / "out" / name / TABLE) for name in ("q", "m"))
    pd.testing.assert_frame_equal(zarr, mudata)
    alone = io.read_table(tmp_path / "alone/two" / TABLE)
    pd.testing.assert_frame_equal(zarr[alone.columns].iloc[20:].reset_index(drop=True), alone, atol=1e-5)
    copies = [ad.read_h5ad(tmp_path / "out" / name / COPY) for name in ("q", "m")]
    for copy in copies:
        shares = pd.DataFrame(copy.obsm["X_jind_probabilities"], copy.obs_names, copy.uns["jindbench"]["types"])
        assert (shares.idxmax(axis=1) == copy.obs["jind_raw_label"].astype(str)).all()
        assert np.sort(shares, axis=1)[:, -2] == pytest.approx(copy.obs["jind_second_probability"], abs=1e-6)
        assert copy.obs["jind_cluster_label"].iloc[1] == TYPES[1]
        assert copy.obs["jind_cluster_share"].iloc[1] > 0.8
        assert copy.uns["jindbench"]["options"]["sample_key"] == "sample"
        assert [*copy.obsm] == ["X_jind_probabilities"]
        terms = copy.obs["cell_type_ontology_term_id"]
        assert terms.dtype == "category"
        ids_of = dict(zip(TYPES, ids, strict=True)) | {"unassigned": "unknown"}
        assert terms.tolist() == copy.obs["jind_label"].map(ids_of).tolist()
    page = (tmp_path / "out/q" / PAGE).read_text()
    assert "<h2>Samples</h2>" in page
    assert "<td>&lt;b&gt;one&lt;/b&gt;</td><td>20</td>" in re.sub(r"\s*\n\s*", "", page)
    assert "<h2>Clusters</h2>" in page
    assert "on the map" not in page


INSTALLED = """
import sys
import jindbench
assert callable(jindbench.annotate)
jindbench.pl
assert not {"torch", "sklearn", "anndata"} & {*sys.modules}  # which take seconds to import
import anndata as ad
reference, query = ad.read_h5ad("reference.h5ad"), ad.read_h5ad("query.h5ad")
found = jindbench.annotate(query, reference, label_key="type", page="page.html", threads=1)
assert "jind_label" not in query.obs
for draw in (jindbench.pl.map, jindbench.pl.composition, jindbench.pl.confidence):
    draw(found).canvas.draw()
found.obs[["jind_label", "jind_confidence"]].to_csv("found.tsv", sep="\\t")
print(jindbench.__file__)
"""


def test_the_installed_wheel_annotates_in_memory_as_the_command_does(annotated, tmp_path):
    """In a folder without the workflow, with the packages that are installed here."""
    source, packages = tmp_path / "source", tmp_path / "packages"
    shutil.copytree(REPOSITORY / "workflow/jindbench", source / "workflow/jindbench")
    shutil.copy(REPOSITORY / "pyproject.toml", source)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-compile"]
    subprocess.run([*pip, "--target", packages, source], check=True)
    library = source / "workflow/jindbench"
    for file in (file for file in library.rglob("*.*") if file.suffix != ".pyc"):  # pages and R code too
        assert (packages / "jindbench" / file.relative_to(library)).exists(), file
    here = environment() | {"PYTHONPATH": str(packages), "OMP_NUM_THREADS": "1"}
    python = [sys.executable, "-W", "ignore", "-c", INSTALLED]
    done = subprocess.run(python, cwd=annotated, env=here, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(packages / "jindbench/__init__.py")
    found, right = io.read_table(annotated / "found.tsv"), io.read_table(annotated / "out/query" / TABLE)
    assert found["jind_label"].tolist() == right["label"].tolist()
    assert found["jind_confidence"].to_numpy() == pytest.approx(right["confidence"].to_numpy(), abs=1e-9)
    assert "<h2>Composition</h2>" in (annotated / "page.html").read_text()


def test_nothing_of_an_earlier_annotation_stays_and_a_file_on_disk_is_left_as_it_is(tmp_path):
    given = {"reference": cells(), "label_key": "type", "method": "majority", "embedding": False}
    first = notebook.annotate(query(), **given, cluster_key="donor", probabilities=True)
    first.obs["cell_type_ontology_term_id"], first.raw = "CL:0000236", first
    first.write_h5ad(tmp_path / "first.h5ad")
    again = notebook.annotate(ad.read_h5ad(tmp_path / "first.h5ad", backed="r"), **given)
    assert not again.isbacked
    assert "jind_label" in again.obs
    assert {*first.obs} - {*again.obs} == {"jind_cluster_label", "jind_cluster_share"}
    assert "X_jind_probabilities" not in again.obsm


def test_in_memory_as_in_a_file_a_users_ontology_ids_are_not_replaced(tmp_path):
    own, ids = query(), tmp_path / "ids.tsv"
    ids.write_text("label\tid\nB cell\tCL:0000236\n")
    own.obs["cell_type_ontology_term_id"] = "CL:0000236"
    with pytest.raises(InputError, match="query.h5ad: has cell_type_ontology_term_id already"):
        notebook.annotate(own, cells(), label_key="type", ontology=str(ids))


def test_a_notebook_is_told_of_its_own_columns():
    with pytest.raises(InputError, match=r"^reference.h5ad: label_key 'no' is not .*there are: type, donor\)"):
        notebook.annotate(query(), cells(), label_key="no")
    odd = query()
    odd.var["mixed"] = pd.Series([1, "a"] * (N_GENES // 2), index=odd.var_names, dtype=object)
    with pytest.raises(InputError, match="^query.h5ad: layer 'no'"):  # by the command, without the folder in between
        notebook.annotate(odd, cells(), label_key="type", layer="no")
    with pytest.raises(InputError, match="query: expected an AnnData, not str"):
        notebook.annotate("mine.h5ad", cells(), label_key="type")


def test_few_cells_have_no_forecast_and_broader_types_may_be_columns_in_memory(tmp_path):
    few, reference = query()[: forecast.FEWEST - 1].copy(), cells()
    reference.obs["coarse"] = reference.obs["type"].map(lambda name: "B" if name == TYPES[0] else "other")
    found = notebook.annotate(few, reference, label_key="type", broad_key="coarse", page=tmp_path / "page.html")
    assert "other" in {*found.uns["jindbench"]["tree"]["label"]}
    assert "forecast" not in found.uns["jindbench"]
    assert (
        "No forecast: fewer than 20 cells have a count in the genes in common." in (tmp_path / "page.html").read_text()
    )


def test_an_interrupted_run_leaves_no_labels_of_an_earlier_one_beside_its_own(annotated, tmp_path, monkeypatch):
    out = shutil.copytree(annotated / "out", tmp_path / "out")
    io.write_text("", out / LOG)

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(writing, "write_copy", interrupt)
    with pytest.raises(KeyboardInterrupt):
        annotate(annotated, query=f"{annotated}/query.h5ad,{annotated}/tenx", output=str(out), embedding=False)
    assert [path.name for name in ("query", "tenx") for path in (out / name).iterdir()] == [TABLE]


def test_a_model_that_was_cut_off_is_refused(annotated, tmp_path):
    model = shutil.copytree(annotated / "out/reference", tmp_path / "model")
    weights = model / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(InputError, match="model: not a readable model"):
        annotate(annotated, reference=str(model), output=str(tmp_path / "out"))


def test_status_follows_from_rejection_and_novelty():
    known = pd.DataFrame({"label": ["B", *["unassigned"] * 3], "novelty": [0.5, 0.05, 0.3, 0.3]})
    assert labelling.statuses(known, np.array([False, False, False, True]), above=0.1).tolist() == [
        "assigned",
        "unassigned: low confidence",
        "unassigned: possible new type",
        "unassigned: low confidence",
    ]


def test_with_a_stated_error_cells_of_a_new_type_get_no_label_either():
    known = table(["old", "new", "unsure"], label=["A", "unassigned", "unassigned"], novelty=[0.95, 0.95, 0.1])
    known = known.assign(raw_label="A", confidence=0.9)
    assert labelling.above(known, 0.5, SimpleNamespace(profiles="known"))["label"].tolist() == ["A", "unassigned", "A"]
    assert labelling.above(known, 0.9, SimpleNamespace(profiles="known"))["label"].tolist() == ["unassigned"] * 3
    # Without the expression, novelty is of the confidence alone, of which the stated error decides.
    assert labelling.above(known, 0.5, SimpleNamespace(profiles=None))["label"].tolist() == ["A"] * 3


def test_without_any_label_all_cells_say_whether_the_reference_fits():
    none = table(["c0", "c1"], label="unassigned", novelty=[0.95, 0.1])
    by_expression = SimpleNamespace(profiles="known")
    assert labelling.unlike_share(none, by_expression) == 0.5
    assert labelling.unlike_share(none.assign(label=["unassigned", "A"]), by_expression) == 0


def test_results_have_folders_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {
        "s.1": "s.1",  # a folder: what stands behind its dot belongs to its name
        "s.2": "s.2",
        "c.d.h5ad": "c.d",
        "A/outs/filtered": "A_outs_filtered",
        "B/outs/filtered": "B_outs_filtered",
        ".": tmp_path.name,
    }
    for path in given:
        (tmp_path / path).mkdir(parents=True, exist_ok=True) if "h5ad" not in path else None
    folders = Settings(reference="r.h5ad", query=[*given], output="out").folders()
    assert {path: str(folder) for path, folder in folders.items()} == {
        path: f"out/{name}" for path, name in given.items()
    }


# --- Refusals


def labels(values):
    def change(adata):
        adata.obs["type"] = values if isinstance(values, str) else [*values, *adata.obs["type"][len(values) :]]
        return adata

    return change


def renamed(pattern):
    def change(adata):
        adata.var = pd.DataFrame(index=[pattern.format(i) for i in range(N_GENES)])
        return adata

    return change


def results(folder, name):
    """Where a result goes, in a folder of earlier results."""
    for part in ("query", "logs"):
        (folder / "out" / part).mkdir(parents=True)
    (folder / "out/logs/annotate.log").touch()
    return folder / "out/query" / name


def in_another_file(folder):
    with h5py.File(folder / "query.h5ad", "a") as file, h5py.File(folder / "other.h5", "w") as other:
        other.create_group("obsm")
        del file["obsm"]
        file["obsm"] = h5py.ExternalLink("other.h5", "/obsm")


def groups(name, *groups):
    def write(folder):
        with h5py.File(folder / name, "w") as file:
            for group in groups:
                file.create_group(group)

    return write


def link(make):
    def linked(folder):
        make(results(folder, COPY), folder / "query.h5ad")

    return linked


# Changes of the reference and of the query, what else is done in the folder, keys, and the line.
SAME = (lambda adata: adata,) * 2
REFUSED = {
    "no such file": (*SAME, None, {"query": ["no.h5ad"]}, "query: no.h5ad: no such file or folder"),
    "no label_key": (*SAME, None, {"label_key": None}, "label_key: this key is required"),
    "other label_key": (*SAME, None, {"label_key": "typ"}, "label_key 'typ' is not a column of obs (there are: type, donor)"),
    "one type": (*SAME, None, {"label_key": "donor"}, "label_key 'donor': one cell type, 'd'; expected two at least"),
    "no label": (labels([None, "NA", "unassigned"] * 30), SAME[1], None, {}, "no cell has a type ('' (30), 'NA' (30), 'unassigned' (30))"),
    "no types": (labels([str(i) for i in range(90)]), SAME[1], None, {}, "label_key 'type': 90 different values in 90 cells"),
    "reserved": (labels(["unassigned"]), SAME[1], None, {"keep_labels": "unassigned"}, "'unassigned' is the name of rejected cells"),
    "no such label": (*SAME, None, {"keep_labels": "unknown"}, "label_key 'type': keep_labels: no cell is 'unknown'"),
    "no common genes": (SAME[0], renamed("other{}"), None, {}, "query.h5ad: 0 genes in common, at least 50 are needed"),
    "numbers for genes": (renamed("{}"), SAME[1], None, {}, "reference.h5ad: var_names (0, 1, 2, ...) are numbers, and no column"),
    "numbers on both sides": (*[renamed("Gene_{}")] * 2, None, {}, "reference.h5ad: var_names (Gene_0, Gene_1, Gene_2, ...) are running"),
    "genes in rows": (SAME[0], renamed("S1_ACGTACGTACGTACGT-{}"), None, {}, "query.h5ad: query: var_names (S1_ACGTACGTACGTACGT-0, "),
    "control character": (labels(["B\tcell"]), SAME[1], None, {}, "reference.h5ad: label_key 'type': label: 'B\\tcell' holds a control"),
    "scaled, not centred": (SAME[0], divided, None, {}, "(X: scaled, most genes have a standard deviation of 1)"),
    "scaled": (SAME[0], scaled, None, {}, "no counts and no logarithms of counts (X: scaled, negative values, the lowest -1)"),
    "other kind": (SAME[0], logged, None, {}, "query.h5ad, or log-normalise both sides alike"),
    "no layer": (*SAME, None, {"layer": "count"}, "layer 'count' is not there (there are: X)"),
    "no cells": (SAME[0], lambda adata: adata[:0].copy(), None, {}, "0 cells x 80 genes: nothing to work with"),
    "own columns": (SAME[0], lambda a: ad.AnnData(a.X, obs=a.obs.assign(jind_label="x"), var=a.var), None, {}, "has jind_label already"),
    "max_error": (*SAME, None, {"max_error": 0.05, "method": "robust"}, "max_error: expected a method with a forecast, such as consensus; 'robust' has none"),
    "method": (*SAME, None, {"method": "logregs"}, "annotate.method: no method 'logregs' (did you mean 'logreg'?)"),
    "batch": (*SAME, None, {"batch_key": "donor"}, "batch_key: expected method=auto and labelled cells as the reference"),
    "sees": (*SAME, None, {"method": "true_labels"}, "annotate.method: no method 'true_labels'"),
    "package": (*SAME, None, {"method": "scanvi"}, "method: scanvi cannot run here: scvi not installed"),
    "broad_key": (*SAME, None, {"broad_key": "coarse"}, "reference.h5ad: 'coarse' is neither a column of obs (there are: type, donor) nor"),
    "broad table": (*SAME, None, {"broad_key": "no.tsv"}, "broad_key: no.tsv: no such file"),
    "ontology": (*SAME, lambda folder: (folder / "ids.tsv").write_text("a\tb\nB cell\tCL:1\n"), {"ontology": "ids.tsv"}, "ids.tsv: 'B cell': expected an id"),
    "unknown key": (*SAME, None, {"querry": "x"}, "annotate.querry: unknown key (did you mean 'query'?)"),
    "output": (*SAME, lambda folder: (folder / "out").write_text(""), {}, "out is a file; a folder is to be made there"),
    "own files": (*SAME, lambda folder: None, {"output": "."}, ". holds files that no annotation has written"),
    "read-only": (*SAME, None, {"output": "/proc/results"}, "output: /proc: cannot be written to"),
    "external link": (*SAME, in_another_file, {}, "query.h5ad: obsm: a link, maybe into another file"),
    "loom": (*SAME, groups("q.loom", "matrix", "row_attrs", "col_attrs"), {"query": ["q.loom"]}, "neither an AnnData (.h5ad) nor a 10x (.h5) file; it is loom: make an AnnData file of it first (in Python, "),
    "MuData": (*SAME, groups("q.h5mu", "mod", "obs", "var"), {"query": ["q.h5mu"]}, "it is MuData: make an AnnData file of it first"),
    "no sample_key": (*SAME, None, {"sample_key": "lane"}, "query.h5ad: sample_key 'lane' is not a column of obs (there are: donor)"),
    "clusters of one": (SAME[0], lambda a: ad.AnnData(a.X, obs=a.obs.assign(leiden=a.obs_names), var=a.var), None, {"cluster_key": "leiden"}, "cluster_key 'leiden' has 45 different values in 45 cells"),
    "R": (*SAME, lambda folder: (folder / "q.rds").write_text(""), {"query": ["q.rds"]}, "make an AnnData file of it first (in R, zellkonverter::writeH5AD"),
    "a folder": (*SAME, lambda folder: results(folder, PAGE).mkdir(), {}, "report.html is a folder"),
    "symbolic link": (*SAME, link(lambda new, old: new.symlink_to(old)), {}, "which is never written to"),
    "hard link": (*SAME, link(lambda new, old: new.hardlink_to(old)), {}, "which is never written to"),
    "text": (*SAME, lambda folder: (folder / "query.h5ad").write_text("cell,gene"), {}, "neither an AnnData (.h5ad) nor a 10x (.h5) file"),
    "cut off": (*SAME, lambda folder: (folder / "query.h5ad").write_bytes((folder / "query.h5ad").read_bytes()[:5000]), {}, "not a readable"),
    "no model": (*SAME, lambda folder: (folder / "model").mkdir(), {"reference": "model", "label_key": None}, "no stored model"),
    "empty folder": (*SAME, lambda folder: (folder / "tenx").mkdir(), {"query": ["tenx"]}, "a folder with 0 files *matrix.mtx(.gz)"),
    "reference without labels": (*SAME, lambda folder: tenx_file(cells(), folder / "r.h5"), {"reference": "r.h5", "label_key": "type"}, "a 10x file carries no labels"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", REFUSED)
def test_refusals_are_one_line_before_any_training(case, tmp_path, monkeypatch):
    of_reference, of_query, prepare, keys, line = REFUSED[case]
    monkeypatch.chdir(tmp_path)
    of_reference(cells()).write_h5ad("reference.h5ad")
    of_query(query()).write_h5ad("query.h5ad")
    if prepare:
        prepare(tmp_path)
    monkeypatch.setattr(command.reference, "fit", lambda *_, **__: pytest.fail("the job began"))
    with pytest.raises(InputError) as error:
        annotate(tmp_path, **keys)
    assert line in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out/reference").exists()


# --- The command line


def jindbench(folder, *arguments):
    command = [sys.executable, "-m", "jindbench", *arguments]
    here = environment() | {"PYTHONPATH": str(REPOSITORY / "workflow"), "OMP_NUM_THREADS": "1"}
    here["MPLBACKEND"] = "a notebook's"  # Jupyter sets one that only its own environment has
    return subprocess.run(command, cwd=folder, env=here, capture_output=True, text=True, check=False)


def test_the_command_line_refuses_in_one_line(tmp_path):
    """What it does otherwise, the document's example shows."""
    done = jindbench(tmp_path, "annotate", "--reference", "no.h5ad", "--label-key", "type", "--query", "no.h5ad")
    assert (done.returncode, done.stderr) == (1, "jindbench annotate: reference: no.h5ad: no such file or folder\n")
    assert not (tmp_path / "results").exists()
    for name in ("reference.h5ad", "query.h5ad"):
        (tmp_path / name).touch()
    given = ["--reference", "reference.h5ad", "--label-key", "type", "--query", "query.h5ad"]
    with process.alone(str(tmp_path / "results/annotate")):
        done = jindbench(tmp_path, "annotate", *given)
    message = "output: another run is writing to results/annotate; wait, or name another folder"
    assert (done.returncode, done.stderr) == (1, f"jindbench annotate: {message}\n")
    assert not [*(tmp_path / "results/annotate").iterdir()]


# --- The document


def test_the_documents_example_runs_and_its_table_of_keys_is_true(tmp_path, monkeypatch):
    text = (REPOSITORY / "docs/annotate.md").read_text()
    for name, field in Settings.model_fields.items():
        default = "required" if field.is_required() else "" if field.default is None else f"`{field.default}`"
        assert f"| `{name}` | {default} | {field.description} |" in text
    monkeypatch.chdir(tmp_path)
    names = {}
    for language, block in re.findall(r"```(python|sh)\n(.*?)```", text, flags=re.DOTALL):
        if language == "python":
            exec(compile(block, "docs/annotate.md", "exec"), names)
        else:
            done = jindbench(tmp_path, *block.split()[1:], "--threads", "1")
            assert done.returncode == 0, done.stderr
            assert "uses raw/X, log: fractions" in done.stderr
            assert "epoch" not in done.stderr  # at a terminal they are a progress bar
    assert names["assigned"].mean() > 0.5
    assert names["right"][names["assigned"]].mean() > 0.6

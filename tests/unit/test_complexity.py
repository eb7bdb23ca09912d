"""The kNN score of Table 1, and the table."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import sparse

from jindbench import io, registry
from jindbench.data import tasks
from jindbench.scoring import complexity
from jindbench.tables import published, table1

PUBLISHED = published.read(Path(__file__).parents[2] / "workflow/resources/published_values.tsv")


def blobs(*sizes, n_genes=30, seed=0):
    """Cells of well separated types: each type has ten genes of its own. Returns log expression and labels."""
    rng = np.random.default_rng(seed)
    labels = np.repeat([f"type {i}" for i in range(len(sizes))], sizes).astype(object)
    types = np.repeat(range(len(sizes)), sizes)
    X = rng.normal(1, 0.2, (sum(sizes), n_genes)) + 10 * (np.arange(n_genes) // 10 == types[:, None])
    return sparse.csr_matrix(X.clip(0).astype(np.float32)), labels


def knn(X, labels, seed=0):
    return complexity.knn_scores(X, labels, seed=seed, threads=1)


def test_separated_types_score_one():
    assert knn(*blobs(60, 60)) == {"fitted": 1, "held_out": 1}


def test_labels_without_meaning_show_which_score_is_too_high():
    """Chance is .5. Each cell's own vote lifts the published score: two wrong neighbours are needed to outvote it."""
    X, labels = blobs(300)
    labels = np.random.default_rng(1).permutation(["a", "b"] * 150)
    scores = knn(X, labels)
    assert abs(scores["held_out"] - 0.5) < 0.1
    assert abs(scores["fitted"] - 0.75) < 0.1


def test_a_seed_gives_the_same_numbers():
    """The same embedding too, to the last bit; and another one with another seed."""
    X, labels = blobs(50, 50)
    labels = np.random.default_rng(1).permutation(labels)
    assert knn(X, labels) == knn(X, labels)
    first = complexity._embedding(X, 3)
    assert first.shape == (100, complexity.N_COMPONENTS)
    assert np.array_equal(first, complexity._embedding(X, 3))
    assert not np.array_equal(first, complexity._embedding(X, 4))


def test_a_cell_alone_of_its_type_is_wrong_when_held_out():
    scores = knn(*blobs(40, 19, 1))
    assert scores["held_out"] == pytest.approx(59 / 60)
    # Its two other neighbours outvote it, or disagree: then the first type in alphabetical order wins.
    assert scores["fitted"] == pytest.approx(59 / 60)


def test_types_with_fewer_cells_than_folds():
    assert knn(*blobs(30, 10, 4))["held_out"] > 0.9
    X, _ = blobs(12)
    labels = np.repeat(["a", "b", "c", "d", "e", "f"], 2)
    assert {len(test) for _, test in complexity._folds(labels, 0)} == {6}  # two folds
    assert 0 <= knn(X, labels)["held_out"] <= 1
    assert knn(X, np.array(list("abcdefghijkl")))["held_out"] == 0


@pytest.mark.parametrize("sizes", [(40,), (20, 20), (11, 11), (6, 4)])
def test_few_cells(sizes):
    """40 cells in one piece or two; as few as UMAP's spectral start takes; the fewest that are scored."""
    scores = knn(*blobs(*sizes))
    assert all(0 <= value <= 1 for value in scores.values())


def test_too_few_cells_have_no_score():
    assert all(np.isnan(value) for value in knn(*blobs(5, 4)).values())


def test_expression_stays_sparse_and_only_the_most_variable_genes_are_used(monkeypatch):
    seen = []
    monkeypatch.setattr(complexity, "N_GENES", 7)
    monkeypatch.setattr(complexity, "_embedding", lambda X, seed: seen.append(X) or X.toarray()[:, :3])
    X, labels = blobs(20, 20)
    knn(X, labels)
    assert sparse.issparse(seen[0])
    assert seen[0].shape == (40, 7)


def test_labels_of_other_cells_are_refused():
    X, labels = blobs(20, 20)
    with pytest.raises(ValueError, match="39 labels for 40 cells"):
        knn(X, labels[1:])


def test_a_dataset_is_scored_batch_by_batch_on_a_log_scale(monkeypatch):
    seen = {}

    def scores(X, labels, *, seed, threads):
        seen[len(labels)] = X.toarray()
        return {"fitted": 0.5 + len(labels) / 10, "held_out": 0.5}

    monkeypatch.setattr(complexity, "knn_scores", scores)
    obs = pd.DataFrame({"label": list("xyyx"), "batch": ["b2", "b1", "b2", "b2"]}, index=list("0123"))
    adata = ad.AnnData(
        sparse.csr_matrix([[0, 1], [3, 0], [7, 0], [0, 0]], dtype=np.float32), obs=obs.astype("category")
    )
    adata.uns["x_kind"] = "counts"
    table = complexity.dataset_scores(adata, seed=5, threads=1)
    assert table.to_dict("list") == {
        "batch": ["b1", "b2"],
        "cells": [1, 3],
        "genes": [2, 2],
        "types": [1, 2],
        "knn_as_published": [0.6, 0.8],
        "knn_all_cells": [0.6, 0.8],
        "knn_held_out": [0.5, 0.5],
        "seed": [5, 5],
    }
    assert seen[3].tolist() == [[0, 1], [3, 0], [0, 0]]  # log2(1 + X)


def test_of_a_single_batch_the_source_is_scored_besides_all_cells(monkeypatch):
    """20 cells: the source of the default split has 14 of them, the same as in a task."""
    seen = []

    def scores(X, labels, *, seed, threads):
        seen.append(labels.tolist())
        return {"fitted": len(labels) / 100, "held_out": len(labels) / 50}

    monkeypatch.setattr(complexity, "knn_scores", scores)
    names = [f"type {i}" for i in range(20)]
    obs = pd.DataFrame({"label": names, "batch": "only"}, index=names)
    adata = ad.AnnData(sparse.csr_matrix(np.ones((20, 2), dtype=np.float32)), obs=obs, uns={"x_kind": "log"})
    row = complexity.dataset_scores(adata, seed=5, threads=1).iloc[0]
    assert (row["cells"], row["knn_as_published"], row["knn_all_cells"], row["knn_held_out"]) == (20, 0.14, 0.2, 0.4)
    source, _ = tasks.random_split(adata, tasks.Split(dataset="x", rule="paper"), "x")
    assert seen == [names, source.obs_names.tolist()]


# Table 1

SIZES = pd.DataFrame(
    {
        "dataset": ["mine|<1>", "pbmc", "mouse_cortex"],
        "cells": [950, 15476, 3000],
        "genes": [400, 1199, 19972],
        "cell_types": [7, 9, 7],
        "batches": [2, 2, 1],
        "status": "ok",
    }
)
SCORES = pd.DataFrame(
    [
        ("pbmc", 0.98, 0.99, 0.9),
        ("pbmc", 0.96, 0.97, 0.8),
        ("mine|<1>", 0.9, 0.8, 0.7),
        ("mine|<1>", np.nan, np.nan, np.nan),  # a batch with too few cells
        ("mouse_cortex", np.nan, np.nan, np.nan),
    ],
    columns=["dataset", "knn_as_published", "knn_all_cells", "knn_held_out"],
)


def test_table1_has_the_papers_values_beside_ours():
    table = table1.table1(SIZES, SCORES, PUBLISHED).set_index("dataset")
    assert list(table.index) == ["mine|<1>", "PBMC", "Mouse Cortex"]
    pbmc = table.loc["PBMC"].to_dict()
    assert pbmc == {
        "cells": 15476,
        "cells_paper": 15476,
        "cells_difference": 0,
        "cells_verdict": "reproduced",
        "genes": 1199,
        "genes_paper": 1199,
        "genes_difference": 0,
        "genes_verdict": "reproduced",
        "cell_types": 9,
        "cell_types_paper": 9,
        "cell_types_difference": 0,
        "cell_types_verdict": "reproduced",
        "batches": 2,
        "batches_paper": 2,
        "batches_difference": 0,
        "batches_verdict": "reproduced",
        "knn_as_published": 0.97,  # the mean over batches
        "knn_as_published_paper": 0.95,
        "knn_as_published_difference": 0.02,
        "knn_as_published_verdict": "not reproduced",
        "knn_all_cells": 0.98,  # which the paper does not have
        "knn_held_out": 0.85,
        "status": "ok",
    }
    assert table.loc["Mouse Cortex", "cells_difference"] == -5
    assert pd.isna(table.loc["Mouse Cortex", "batches_paper"])
    assert table.loc["mine|<1>", "knn_held_out"] == 0.7
    assert table.filter(like="_paper").loc["mine|<1>"].isna().all()


def test_table1_for_readers(tmp_path):
    table = table1.table1(SIZES, SCORES, PUBLISHED)
    shown = table1.shown(table)
    lines = shown.markdown().splitlines()
    scores = "kNN as published | kNN of all cells | kNN held out"
    assert lines[0] == f"| dataset | cells | genes | cell types | batches | {scores} |"
    assert lines[2] == "| mine\\|<1> | 950 | 400 | 7 | 2 | 0.900 | 0.800 | 0.700 |"
    equal = "+0, reproduced"
    sizes = f"15476 (15476, {equal}) | 1199 (1199, {equal}) | 9 (9, {equal}) | 2 (2, {equal})"
    assert lines[3] == f"| PBMC | {sizes} | 0.970 (0.95, +0.020, not reproduced) | 0.980 | 0.850 |"
    sizes = f"3000 (3005, -5, not reproduced) | 19972 (19972, {equal}) | 7 (7, {equal}) | 1"
    assert lines[4] == f"| Mouse Cortex | {sizes} | NA (0.97, not tested: the run has no value) | NA | NA |"
    page = shown.page("Table 1 (<run>)")
    assert "<td>mine|&lt;1&gt;</td><td>950</td>" in page
    assert "<h1>Table 1 (&lt;run&gt;)</h1>" in page
    io.write_table(table, tmp_path / "table1.tsv")
    assert (tmp_path / "table1.tsv").read_text().splitlines()[1].startswith("mine|<1>\t950\tNA\tNA\tNA\t400\tNA")
    of_paper = table1.verdicts(io.read_table(tmp_path / "table1.tsv", text=["dataset"]))
    assert len(of_paper) == 9
    assert of_paper.iloc[0].to_dict() == {
        "what": "Table 1, PBMC: cells",
        "ours": "15476",
        "paper": "15476",
        "verdict": "reproduced",
    }


def test_published_values_are_complete_and_belong_to_the_configuration():
    assert PUBLISHED["table"].value_counts().to_dict() == {2: 135, 1: 22}
    assert set(PUBLISHED["metric"]) == set(published.TOLERANCES)
    assert not PUBLISHED.duplicated(["table", "name", "input", "method", "metric"]).any()
    printed = PUBLISHED.set_index(["name", "input", "method", "metric"])
    assert printed.loc[("human_hemato", "-", "-", "knn_as_published"), "value"] == 0.85
    assert printed.loc[("paper_pbmc_v3_v5", "seurat", "ACTINN", "eff"), "value"] == 0.98
    assert set(printed.loc[printed["value"].isna(), "printed"]) == {"not applicable", "not run", "NA"}
    configuration = yaml.safe_load((Path(__file__).parents[2] / "config/config.yaml").read_text())
    known = {1: set(registry.names("datasets")), 2: set(configuration["run"]["tasks"])}
    for table, names in PUBLISHED.groupby("table")["name"]:
        assert set(names) <= known[table]

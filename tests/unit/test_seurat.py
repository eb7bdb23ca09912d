"""Label transfer and integration against the same calls written out in plain R."""

import logging
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import io as scipy_io

from jindbench import r
from jindbench.data import tasks
from jindbench.datasets import anndata_file, toy
from jindbench.errors import NotAvailable
from jindbench.execution import components
from jindbench.integrations import seurat
from jindbench.methods import seurat_lt

PLAIN = """
suppressPackageStartupMessages(library(Seurat))
options(Seurat.object.assay.version = "v3")
read <- function(side) {
  m <- as(Matrix::readMM(paste0(side, ".mtx")), "CsparseMatrix")
  dimnames(m) <- list(readLines("genes.txt"), readLines(paste0(side, ".txt")))
  NormalizeData(CreateSeuratObject(m), verbose = FALSE)
}
reference <- read("source"); query <- read("target")
reference$type <- readLines("labels.txt")
reference <- FindVariableFeatures(reference, nfeatures = 2000, verbose = FALSE)
query <- FindVariableFeatures(query, nfeatures = 2000, verbose = FALSE)
both <- FindIntegrationAnchors(list(reference, query), anchor.features = 2000, dims = 1:30, verbose = FALSE)
joint <- IntegrateData(both, dims = 1:30, verbose = FALSE)
write.csv(as.matrix(GetAssayData(joint, assay = "integrated")), "integrated.csv")
reference <- RunPCA(ScaleData(reference, verbose = FALSE), npcs = 30, verbose = FALSE)
anchors <- FindTransferAnchors(reference, query, reduction = "pcaproject", reference.reduction = "pca",
                               dims = 1:30, k.filter = NA, nn.method = "rann", verbose = FALSE)
found <- TransferData(anchors, reference$type, dims = 1:30, verbose = FALSE)
write.csv(found[c("predicted.id", "prediction.score.max")], "transferred.csv")
"""
NAMES = {  # as R would change them: spaces, signs, leading digits, letters beyond ASCII, two that R makes the same
    "Neuron": "T cell/CD4+",
    "Astrocyte": "T.cell-CD4_",
    "Oligodendrocyte": "1st type",
    "Microglia": "α β",
    "Endothelial": "NA",
}


REAL = Path(__file__).parents[3] / "shared/data/pbmc_symphony_3p_5p.h5ad"


def missing_seurat():
    try:
        r.require(seurat_lt.R_PACKAGES)
    except NotAvailable as error:
        return str(error)
    return ""


needs_seurat = pytest.mark.skipif(bool(missing_seurat()), reason=missing_seurat())


def batches(cells, source, target):
    source, target = (tasks.select_batch(cells, batch, "") for batch in (source, target))
    source, target = tasks.select_types(source, target, "common", "common", "")
    source.obs["label"] = source.obs["label"].replace(NAMES)
    target.obs = target.obs[[]]
    return source, target[target.obs_names.sort_values()].copy()


def toy_batches():
    return batches(toy.load(toy.Parameters(n_source=350, n_target=260, n_genes=150)), "source", "target")


def pbmc_batches():
    if not REAL.is_file():
        pytest.skip(f"the real cells for development are not here: {REAL}")
    parameters = anndata_file.Parameters(path=str(REAL), label_key="cell_type", batch_key="batch", x_kind="counts")
    return batches(anndata_file.load(parameters, REAL), "3pv2", "5p")


@pytest.fixture(scope="module", params=[toy_batches, pbmc_batches], ids=["toy", "pbmc"])
def sides(request):
    return request.param()


@pytest.fixture(scope="module")
def plain(sides, tmp_path_factory):
    """What plain R gives: the transferred labels and scores, and the integrated matrix (cells x genes)."""
    folder = tmp_path_factory.mktemp("plain")
    for name, side in zip(("source", "target"), sides, strict=True):
        scipy_io.mmwrite(folder / f"{name}.mtx", side.X.T)
        (folder / f"{name}.txt").write_text("\n".join(side.obs_names) + "\n")
    # R changes many names of genes, and Seurat's order of equally good genes, so the last bits, depends on the names.
    (folder / "genes.txt").write_text("".join(f"g{i + 1}\n" for i in range(sides[0].n_vars)))
    (folder / "labels.txt").write_text("\n".join(sides[0].obs["label"]) + "\n")
    (folder / "plain.R").write_text(PLAIN)
    subprocess.run(["Rscript", "--vanilla", "plain.R"], cwd=folder, check=True, capture_output=True)
    transferred = pd.read_csv(folder / "transferred.csv", index_col=0, keep_default_na=False)
    return transferred, pd.read_csv(folder / "integrated.csv", index_col=0).T


def transfer(source, target, tmp_path, threads=1, **parameters):
    chosen = seurat_lt.Parameters(**parameters)
    return components.run_method(seurat_lt, source, target, chosen, seed=0, threads=threads, model_dir=tmp_path).table


@needs_seurat
def test_label_transfer_is_what_plain_r_gives(sides, plain, tmp_path):
    table = transfer(*sides, tmp_path, k_filter=None, nn_method="rann").set_index("cell_id")
    expected = plain[0].loc[table.index]
    assert (table["raw_label"] == expected["predicted.id"]).all()
    assert table["confidence"].to_numpy() == pytest.approx(expected["prediction.score.max"].to_numpy(), abs=1e-6)
    assert (table["label"] == table["raw_label"]).all()
    assert table["threshold"].isna().all()


@needs_seurat
def test_integration_is_what_plain_r_gives(sides, plain):
    results = components.integrate(seurat, *sides, seurat.Parameters(), seed=0, threads=1)
    for result in results:
        genes = [f"g{i + 1}" for i in sides[0].var_names.get_indexer(result.var_names)]
        expected = plain[1].loc[result.obs_names, genes].to_numpy()
        assert result.X.toarray() == pytest.approx(expected, abs=1e-4)
    assert results[0].n_vars == plain[1].shape[1]
    assert min(result.X.min() for result in results) < 0


@needs_seurat
def test_names_make_no_difference(tmp_path):
    source, target = (side[:, :].copy() for side in toy_batches())
    table = transfer(source, target, tmp_path)
    genes = [f"{'_-/ .'[i % 5]}{i // 5}_é" for i in range(source.n_vars)]  # R makes "g_1" and "g-1" the same
    for side, prefix in ((source, "1 cell_"), (target, "cell-")):
        side.var_names, side.obs_names = genes, [prefix + name for name in side.obs_names]
    renamed = transfer(source, target, tmp_path)
    assert renamed["cell_id"].tolist() == ["cell-" + name for name in table["cell_id"]]
    columns = ["raw_label", "confidence", "label"]
    pd.testing.assert_frame_equal(renamed[columns], table[columns])


@needs_seurat
def test_threads_make_no_difference(tmp_path):
    one, two = (transfer(*toy_batches(), tmp_path, threads=threads) for threads in (1, 2))
    pd.testing.assert_frame_equal(one, two)


@needs_seurat
def test_a_threshold_rejects(tmp_path):
    table = transfer(*toy_batches(), tmp_path, threshold=0.8)
    assert ((table["confidence"] < 0.8) == (table["label"] == "unassigned")).all()
    assert 0 < (table["label"] == "unassigned").sum() < len(table)


@needs_seurat
def test_what_a_small_task_does_not_allow_is_reduced_and_told(tmp_path, caplog):
    source, target = toy_batches()
    with caplog.at_level(logging.INFO, logger="jindbench"):
        table = transfer(source[:40, :25].copy(), target[:12, :25].copy(), tmp_path)
    assert len(table) == 12
    told = " ".join(entry.getMessage() for entry in caplog.records)
    for name in ("components: 24 instead of 30", "k.filter: 12 instead of 200", "k.weight"):
        assert name in told
    assert np.isfinite(table["confidence"]).all()

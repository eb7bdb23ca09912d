"""The paper's five files, and those that stand in for one, in small and in the formats that their publishers chose."""

import gzip
import subprocess
import zipfile
from pathlib import Path
from types import ModuleType

import anndata as ad
import h5py
import numpy as np
import pandas as pd
from scipy import sparse

PANCREAS = ["alpha", "beta", "gamma", "delta", "acinar", "ductal"]  # in all studies
# of one study alone
BARON = ["quiescent_stellate", "activated_stellate", "schwann", "macrophage", "t_cell", "epsilon"]
MURARO = ["mesenchymal", "pp", "unclear"]
SEGERSTOLPE = [
    "not applicable",
    "unclassified endocrine",
    "co-expression",
    "unclassified",
    "mast",
    "MHC class II",
    "PSC",
]
WANG = ["mesenchyme", "none/other"]
TYPES = {
    "pbmc": [f"blood type {i}" for i in range(9)],
    "mouse_atlas": [f"Type {i}" for i in range(13)],
    "mouse_cortex": [
        "astrocytes_ependymal",
        "endothelial-mural",
        "interneurons",
        "microglia",
        "oligodendrocytes",
        "CA1",
        "SS",
    ],
    "human_hemato": [f"{i:02d}_Type.{i}" for i in range(1, 27)],
}


def counts(labels: np.ndarray, n_genes: int, seed: int = 0) -> sparse.csr_matrix:
    """Counts of cells in which each type has genes of its own, made in blocks of cells."""
    rng = np.random.default_rng(seed)
    types, codes = np.unique(labels, return_inverse=True)
    profiles = np.full((len(types), n_genes), min(0.3, 100 / n_genes))
    for k in range(len(types)):
        profiles[k, rng.choice(n_genes, max(n_genes // 8, 2), replace=False)] = 5
    blocks = np.array_split(codes, -(-len(codes) // 10_000))
    return sparse.vstack(
        [sparse.csr_matrix(rng.poisson(profiles[block]), dtype=np.float32) for block in blocks], format="csr"
    )


def logs(labels: np.ndarray, n_genes: int, seed: int = 0) -> sparse.csr_matrix:
    """The same, scaled to 10,000 in each cell, and ln(1 + x)."""
    X = counts(labels, n_genes, seed)
    X = sparse.csr_matrix(X.multiply(10_000 / np.maximum(X.sum(axis=1), 1)), dtype=np.float32)
    return X.log1p()


def scaled(labels: np.ndarray, n_genes: int, seed: int = 0) -> np.ndarray:
    """These logarithms with each gene centred and scaled, as scanpy's `pp.scale` does: dense."""
    X = logs(labels, n_genes, seed).toarray()
    X -= X.mean(axis=0)
    X /= np.maximum(X.std(axis=0), 1e-3)
    return np.minimum(X, 10, out=X)


def old_h5ad(path: Path, X, raw, obs: dict[str, np.ndarray], categorical: list[str], cells: list[str]) -> None:
    """AnnData 0.6: tables as compound datasets, categories in `uns`, sparse matrices marked by h5sparse attributes.

    `raw` has three genes more than X; a graph and an embedding of an analysis are there too.
    """
    n, m = X.shape

    def table(names, columns):
        kinds = [("index", f"S{max(map(len, names))}")] + [(key, values.dtype) for key, values in columns.items()]
        rows = np.zeros(len(names), dtype=kinds)
        rows["index"] = [name.encode() for name in names]
        for key, values in columns.items():
            rows[key] = values
        return rows

    def write_sparse(parent, name, matrix):
        group = parent.create_group(name)
        group.attrs["h5sparse_format"] = "csr"
        group.attrs["h5sparse_shape"] = np.array(matrix.shape)
        for part in ("data", "indices", "indptr"):
            group[part] = getattr(matrix, part)

    genes = [f"Gene{i}" for i in range(m)]
    columns = {"n_genes": np.diff(raw.indptr).astype(np.int64)}
    with h5py.File(path, "w") as file:
        unstructured = file.create_group("uns")
        for key, values in obs.items():
            if key in categorical:
                categories, codes = np.unique(values, return_inverse=True)
                unstructured[f"{key}_categories"] = categories.astype("S")
                columns[key] = codes.astype(np.int8)
            else:
                columns[key] = values.astype("S")
        if sparse.issparse(X):
            write_sparse(file, "X", X)
        else:
            file["X"] = X.astype(np.float32)
        file["obs"] = table(cells, columns)
        file["var"] = table(genes, {"n_cells": np.ones(m, dtype=np.int64)})
        write_sparse(file, "raw.X", sparse.hstack([raw, raw[:, :3]], format="csr"))
        file["raw.var"] = table([*genes, "Other0", "Other1", "Other2"], {})
        unstructured["louvain_colors"] = np.array(["#ff0000", "#00ff00"], dtype="S")
        write_sparse(unstructured.create_group("neighbors"), "connectivities", sparse.eye(n, format="csr"))
        file["obsm"] = np.zeros(n, dtype=[("X_pca", "f4", (5,))])


def pbmc(path: Path, n: tuple[int, int] = (90, 60), n_genes: int = 40) -> None:
    labels = np.resize(TYPES["pbmc"], sum(n))
    batch = np.repeat(["0", "1"], n)
    cells = [f"data_{3 if b == '0' else 5}p-AAACCTGAG{i}-{b}" for i, b in enumerate(batch)]
    X, raw = scaled(labels, n_genes), logs(labels, n_genes)
    old_h5ad(path, X, raw, {"Cell type": labels, "batch": batch}, ["Cell type", "batch"], cells)


def pancreas(path: Path, n: dict[str, int] | None = None, n_genes: int = 40) -> None:
    """The file as it is, or the archive with it, by the name's suffix."""
    n = n or {"Baron": 80, "Muraro": 60, "Segerstolpe": 70, "Wang": 20}
    own = {"Baron": BARON, "Muraro": MURARO, "Segerstolpe": SEGERSTOLPE, "Wang": WANG}
    # Twice as many cells of the common types as of the studies' own.
    labels = np.concatenate(
        [np.resize([*PANCREAS, *own.get(study, []), *PANCREAS], cells) for study, cells in n.items()]
    )
    study = np.repeat(list(n), list(n.values()))
    batch = np.repeat([str(i) for i in range(len(n))], list(n.values()))
    cells = [f"cell{i}-{b}" for i, b in enumerate(batch)]
    member = path.with_name("pancreas.h5ad")
    old_h5ad(
        member,
        scaled(labels, n_genes),
        logs(labels, n_genes),
        {"celltype": labels, "sample": study, "batch": batch},
        ["celltype", "batch"],  # `sample` is a column of text
        cells,
    )
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(member, "pancreas.h5ad")
        member.unlink()


def mouse_atlas(path: Path, n: int = 130, n_genes: int = 40, types: list[str] = TYPES["mouse_atlas"]) -> None:
    """X is dense. There are as many groups of organs as types, as in a smaller file of the same authors."""
    labels = np.resize(types, n)
    organs = np.repeat([f"organ {i}" for i in range(13)], -(-n // 13))[:n]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, share in (("MouseAtlas.subset.h5ad", n // 2), ("MouseAtlas.total.h5ad", n)):
            obs = {
                "cell types": np.char.lower(labels[:share]),
                "Cell types": labels[:share],
                "Organ groups": organs[:share],
                "Experiments": np.resize(["a", "b"], share),
            }
            member = path.with_name(name)
            X, raw = scaled(labels, n_genes)[:share], logs(labels, n_genes)[:share]
            old_h5ad(member, X, raw, obs, list(obs), [f"cell{i}" for i in range(share)])
            archive.write(member, f"MouseAtlas/{name}")
            member.unlink()


def mouse_cortex(path: Path, X=None, labels=None, genes=None, cells=None) -> None:
    """Linnarsson's text file; gzipped by the name's suffix."""
    if labels is None:
        labels = np.resize(TYPES["mouse_cortex"], 70)
        X = counts(labels, 40)
    cells = [f"1772067{i:03d}_A01" for i in range(len(labels))] if cells is None else cells
    genes = [f"Gene{i}" for i in range(X.shape[1])] if genes is None else genes
    properties = {
        "tissue": ["sscortex"] * len(cells),
        "group #": [1] * len(cells),
        "total mRNA mol": np.asarray(X.sum(axis=1)).ravel().astype(int),
        "well": range(len(cells)),
        "sex": [3] * len(cells),
        "age": [21] * len(cells),
        "diameter": ["9.56"] * len(cells),
        "cell_id": cells,
        "level1class": labels,
        "level2class": [f"{label}1" for label in labels],
    }
    rows = ["\t".join(["", name, *map(str, values)]) for name, values in properties.items()]
    rows.append("\t" * (len(cells) + 1))  # an empty row
    columns = sparse.csc_matrix(X).astype(int)
    for j, gene in enumerate(genes):
        rows.append("\t".join([gene, "1", *map(str, columns[:, j].toarray().ravel())]))
    content = ("\n".join(rows) + "\n").encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


# The classes of SummarizedExperiment, as base R can define them: R writes the same of both but the name of the package. Versions before 2019 have the
# assays in an environment, the object of a reference class.
CLASSES = """
suppressPackageStartupMessages(library(Matrix))
define <- function(name, ...) setClass(name, representation(...))
define("SimpleList", listData = "list", elementType = "character")
define("DFrame", rownames = "ANY", nrows = "integer", listData = "list")
define("SimpleAssays", data = "SimpleList")
OldAssays <- setRefClass("ShallowSimpleListAssays", fields = list(data = "SimpleList"))
define("SummarizedExperiment", colData = "DFrame", assays = "ANY", NAMES = "ANY", elementMetadata = "DFrame")
experiment <- function(counts, types, old = FALSE, assay = "counts", column = "BioClassification") {
  data <- new("SimpleList", listData = setNames(list(unname(counts)), assay), elementType = "ANY")
  new("SummarizedExperiment", NAMES = rownames(counts),
      colData = new("DFrame", rownames = colnames(counts), nrows = ncol(counts),
                    listData = setNames(list(rep("x", ncol(counts)), types), c("Group", column))),
      assays = if (old) OldAssays$new(data = data) else new("SimpleAssays", data = data))
}
"""


def run_r(script: str) -> None:
    subprocess.run(["Rscript", "-"], input=CLASSES + script, text=True, check=True, capture_output=True)


def human_hemato(path: Path, n: int = 260, n_genes: int = 40) -> None:
    """An RDS file that R itself writes."""
    labels = np.resize(TYPES["human_hemato"], n)
    X = sparse.csc_matrix(counts(labels, n_genes).T)
    folder = path.parent / f"{path.name}.parts"
    folder.mkdir()
    for name, values, kind in (("x", X.data, "<f8"), ("i", X.indices, "<i4"), ("p", X.indptr, "<i4")):
        (folder / name).write_bytes(values.astype(kind).tobytes())
    (folder / "labels").write_text("\n".join(labels) + "\n")
    run_r(f"""
    part <- function(name, what, size) readBin(file.path("{folder}", name), what, 1e8, size = size, endian = "little")
    counts <- new("dgCMatrix", x = part("x", "double", 8), i = part("i", "integer", 4), p = part("p", "integer", 4),
                  Dim = c({n_genes}L, {n}L))
    dimnames(counts) <- list(paste0("Gene-", seq_len({n_genes})), paste0("BMMC_D1T1:AAAC-", seq_len({n})))
    saveRDS(experiment(counts, readLines(file.path("{folder}", "labels"))), "{path}")
    """)


def pancreas_scib(path: Path, n: int = 180, n_genes: int = 40) -> None:
    """Nine technologies; X normalised, counts in a layer, both dense. Those of CEL-Seq2 are not whole."""
    technologies = [f"inDrop{i}" for i in range(1, 5)] + ["celseq", "celseq2", "fluidigmc1", "smarter", "smartseq2"]
    obs = pd.DataFrame({"tech": np.resize(technologies, n)}, index=[f"cell-{i}" for i in range(n)])
    obs["celltype"] = np.repeat([*PANCREAS, "t_cell"], -(-n // 7))[:n]
    X = counts(obs["celltype"].to_numpy(), n_genes).toarray()
    X[obs["tech"] == "celseq2"] *= np.float32(1.002)
    var = pd.DataFrame(index=[f"TF{i}A" for i in range(n_genes)])
    ad.AnnData(np.log1p(X), obs=obs.astype("category"), var=var, layers={"counts": X}).write_h5ad(path)


def pancreas_studies(path: Path, study: str = "muraro", n: int = 60, n_genes: int = 60) -> None:
    """An RDS file that R itself writes: a dense assay, in an environment. Muraro's genes carry their chromosome."""
    labels = np.resize({"baron": [*PANCREAS, *BARON], "muraro": [*PANCREAS, *MURARO]}[study], n)
    X = counts(labels, n_genes).toarray() * (1.002 if study == "muraro" else 1)
    folder = path.parent / f"{path.name}.parts"
    folder.mkdir()
    X.astype("<f8").tofile(folder / "x")
    (folder / "labels").write_text("\n".join(labels) + "\n")
    assay, chromosome = ("normcounts", "__chr1") if study == "muraro" else ("counts", "")
    run_r(f"""
    x <- matrix(readBin(file.path("{folder}", "x"), "double", 1e8, endian = "little"), nrow = {n_genes})
    dimnames(x) <- list(paste0("TF", seq_len({n_genes}), "A{chromosome}"), paste0("{study}_", seq_len({n})))
    types <- readLines(file.path("{folder}", "labels"))
    saveRDS(experiment(x, types, old = TRUE, assay = "{assay}", column = "cell_type1"), "{path}")
    """)


FILES = {  # what each dataset's address ends in
    "human_hemato": ("scRNA-Healthy-Hematopoiesis-191120.rds", human_hemato),
    "mouse_cortex": ("expression_mRNA_17-Aug-2014.txt", mouse_cortex),
    "mouse_atlas": ("MouseAtlas.zip", mouse_atlas),
    "pbmc": ("PBMC.merged.h5ad", pbmc),
    "pancreas": ("pancreas.h5ad", pancreas),
    "pancreas_scib": ("24539828", pancreas_scib),
    "pancreas_studies": ("muraro.rds", pancreas_studies),
}
NEED_R = {"human_hemato", "pancreas_studies"}  # for writing them


def parameters(dataset: ModuleType, **keys):
    """Parameters for reading such a file, which holds other cells than the published one."""
    required = {"study": "muraro"} if "study" in dataset.Parameters.model_fields else {}
    return dataset.Parameters(**({"accept_other_content": True} | required | keys))


def write(dataset: str, folder: Path) -> Path:
    """A dataset's file under its own name."""
    name, writer = FILES[dataset]
    writer(folder / name)
    return folder / name

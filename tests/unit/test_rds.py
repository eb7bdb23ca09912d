"""R's files without R: what R writes is read as it is, and code in a file never runs."""

import gzip
import shutil

import numpy as np
import pytest
from scipy import sparse

import original_formats as formats
from jindbench.data import rds
from jindbench.errors import InputError

WRITTEN = """
setwd("{folder}")
counts <- as(rsparsematrix(30, 12, 0.3, rand.x = function(n) seq_len(n)), "CsparseMatrix")
dimnames(counts) <- list(paste0("Gen\\u00e9-", 1:30), paste0("cell:", 1:12))
types <- factor(rep(c("b", "a", NA), 4), levels = c("b", "a"))
write.table(as.matrix(counts), "counts.tsv")
for (old in c(FALSE, TRUE)) for (compress in c("gzip", "bzip2", "xz")) for (version in 2:3)
  saveRDS(experiment(counts, types, old), paste(old, compress, version), version = version, compress = compress)
saveRDS(1:10, "numbers")
saveRDS(list(as.character(1:10), as.character(c(3L, NA))), "text of numbers")

# Reading these in R runs nothing yet; using what they hold does.
writes <- function(...) {{ file.create("{folder}/ran"); stop("ran") }}
hostile <- function(name, fill) {{
  object <- experiment(counts, types, old = TRUE)
  fields <- new.env()
  fill(fields)
  object@assays@.xData <- fields
  saveRDS(object, name)
}}
hostile("promise", function(fields) delayedAssign("data", writes(), assign.env = fields))
hostile("binding", function(fields) makeActiveBinding("data", writes, fields))
hostile("closure", function(fields) fields$data <- compiler::cmpfun(writes))
hostile("call", function(fields) fields$data <- quote(writes()))
object <- experiment(counts, types)
object@colData@listData$BioClassification <- writes
saveRDS(object, "types")
object <- experiment(counts, types)
object@assays@data@listData$counts@p[5] <- 1000L
saveRDS(object, "unsound")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    if shutil.which("Rscript") is None:
        pytest.skip("Rscript was not found (make setup installs it where it can)")
    folder = tmp_path_factory.mktemp("rds")
    formats.run_r(WRITTEN.format(folder=folder))
    return folder


def test_text_that_r_has_not_made_yet_is_read(folder):
    texts = [value.text() for value in rds.read(folder / "text of numbers").content]
    assert texts == [[str(number) for number in range(1, 11)], ["3", None]]


def read(path):
    return rds.read_experiment(path, "counts", "BioClassification")


@pytest.mark.parametrize("old", ["FALSE", "TRUE"])
@pytest.mark.parametrize("compression", ["gzip", "bzip2", "xz"])
@pytest.mark.parametrize("version", [2, 3])
def test_an_experiment_is_what_r_wrote(folder, old, compression, version):
    cells = read(folder / f"{old} {compression} {version}")
    assert (np.loadtxt(folder / "counts.tsv", skiprows=1, usecols=range(1, 13)) == cells.X.toarray().T).all()
    assert sparse.isspmatrix_csr(cells.X)
    assert cells.X.dtype == np.float32
    assert cells.obs["BioClassification"].tolist() == ["b", "a", None] * 4
    assert cells.obs_names[11] == "cell:12"
    assert cells.var_names[0] == "Gené-1"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("promise", "'data' in assays is code of R (a promise), which is not run"),
        ("binding", "'data' in assays is code of R (a closure), which is not run"),
        ("closure", "'data' in assays is code of R (a closure), which is not run"),
        ("call", "'data' in assays is code of R (a call), which is not run"),
        ("types", "'BioClassification' in colData is code of R (a closure), which is not run"),
        ("unsound", "the matrix is not sound"),
        ("numbers", "holds no SummarizedExperiment"),
    ],
)
def test_code_in_a_file_is_refused_and_does_not_run(folder, name, message):
    with pytest.raises(InputError) as refused:
        read(folder / name)
    assert str(refused.value).startswith(f"{folder / name}: ")
    assert message in str(refused.value)
    assert not (folder / "ran").exists()


def test_what_is_asked_for_and_not_there(folder):
    path = folder / "FALSE gzip 3"
    with pytest.raises(InputError, match=r"no 'logcounts' in assays \(there are: counts\)"):
        rds.read_experiment(path, "logcounts", "BioClassification")
    with pytest.raises(InputError, match=r"no 'type' in colData \(there are: Group, BioClassification\)"):
        rds.read_experiment(path, "counts", "type")


def test_damaged_files(folder, tmp_path):
    whole = (folder / "TRUE gzip 2").read_bytes()
    path = tmp_path / "damaged"
    for content in (whole[: len(whole) // 2], whole[:-9], b"", b"no RDS", b"A\n3\n", b"X\n\0\0\0\3"):
        path.write_bytes(content)
        with pytest.raises(InputError, match="not a readable RDS file"):
            read(path)
    plain, rng = gzip.decompress((folder / "FALSE gzip 3").read_bytes()), np.random.default_rng(0)
    for _ in range(300):  # any bit may be wrong: an error of one line or other values, nothing else
        content = bytearray(plain)
        content[rng.integers(len(content))] ^= 1 << rng.integers(8)
        path.write_bytes(content)
        try:
            read(path)
        except InputError as error:
            assert "\n" not in str(error)

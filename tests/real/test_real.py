"""The benchmark on real cells, through the real Snakefile, held against what the authors' code gives on them."""

import subprocess
import sys
from pathlib import Path

import pytest

import original_formats as formats
from jindbench import io
from jindbench.datasets import mouse_cortex

REPOSITORY = Path(__file__).parents[2]
DATA = REPOSITORY.parent / "shared/data"
CONFIGURATION = Path(__file__).with_name("config.yaml").relative_to(REPOSITORY)


@pytest.fixture(scope="module")
def raw():
    """Mean raw accuracy over seeds, by task and method."""
    if not DATA.is_dir():
        pytest.skip(f"the real cells for development are not here: {DATA}")
    snakemake = Path(sys.executable).parent / "snakemake"
    command = [snakemake, "--cores", "all", "--configfile", CONFIGURATION, "--quiet", "rules"]
    subprocess.run(command, cwd=REPOSITORY, check=True)
    tables = REPOSITORY / "results/real/tables"
    print("\n" + (tables / "table2.md").read_text())
    scores = io.read_table(tables / "metrics_by_method.tsv", text=["task", "method", "status"])
    assert (scores["status"].isin(["ok", "not applicable"])).all()
    return scores[scores["metric"] == "raw"].set_index(["task", "method"])["value"]


def test_cortex_is_within_a_point_of_the_authors_code(raw):
    assert raw["cortex_7_3", "jind"] == pytest.approx(0.97, abs=0.01)
    assert raw["cortex_7_3", "jind_plus"] == pytest.approx(0.97, abs=0.01)


@pytest.mark.parametrize("task", ["baron_muraro", "baron_segerstolpe"])
def test_unaligned_pancreas_is_where_the_authors_code_is(raw, task):
    assert 0.88 <= raw[task, "jind_classifier"] <= 0.97


def test_every_method_learns_something(raw):
    for (task, method), value in raw.items():
        if method != "majority":
            assert value > raw[task, "majority"] + 0.2, (task, method)


def test_zeisels_cells_come_through_the_parser_of_their_text_file(tmp_path):
    path = DATA / "zeisel_cortex.h5ad"
    if not path.is_file():
        pytest.skip(f"the real cells for development are not here: {path}")
    cells = io.read_h5ad(path)
    labels = cells.obs["cell_type"].astype(str)
    formats.mouse_cortex(tmp_path / "cortex.txt", cells.X, labels, cells.var_names, cells.obs_names)
    parameters = mouse_cortex.Parameters(address=str(tmp_path / "cortex.txt"), accept_other_content=True)
    read = mouse_cortex.load(parameters, Path(mouse_cortex.origins(parameters)[0].address))
    assert (read.X != cells.X).nnz == 0
    assert read.obs["label"].tolist() == labels.tolist()
    assert read.var_names.tolist() == cells.var_names.tolist()
    assert (read.n_obs, read.obs["label"].nunique()) == (mouse_cortex.CONTENT.cells, mouse_cortex.CONTENT.types)


def test_tables_and_figures_of_the_paper_on_real_cells():
    if not DATA.is_dir():
        pytest.skip(f"the real cells for development are not here: {DATA}")
    snakemake = Path(sys.executable).parent / "snakemake"
    configuration = [CONFIGURATION, CONFIGURATION.with_name("figures.yaml")]
    command = [snakemake, "--cores", "all", "--configfile", *configuration, "--quiet", "rules"]
    subprocess.run(command, cwd=REPOSITORY, check=True)
    results = REPOSITORY / "results/figures"
    print("\n" + (results / "summary.md").read_text())
    for figure in ("figure2", "figure3", "figure4", "figure5", "s1", "s2", "s3", "s4", "held_out_types"):
        assert (results / f"figures/{figure}.svg").stat().st_size > 10_000, figure  # a picture, not words
    scores = io.read_table(results / "tables/table1.tsv").set_index("dataset")
    # The authors' variant of the score, by their code on all of these cells.
    assert scores.loc["cortex", "knn_all_cells"] == pytest.approx(0.970, abs=0.005)
    clusters = io.read_table(results / "tables/novel_types.tsv", text=["majority_type", "assigned_source_type"])
    known = clusters[clusters["majority_type"].isin(["alpha", "beta"])]
    assert (known["majority_type"] == known["assigned_source_type"]).all()

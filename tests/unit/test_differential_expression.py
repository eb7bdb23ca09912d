"""Groups of misclassified cells by hand, and limma's numbers against limma called from plain R."""

import logging
import subprocess
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from jindbench import r
from jindbench.errors import InputError, NotAvailable
from jindbench.plots import heatmap, random_groups
from jindbench.scoring import differential_expression as de
from jindbench.tables import differential_expression as tables

PLAIN = """
suppressPackageStartupMessages(library(limma))
counts <- t(as.matrix(read.csv("counts.csv", row.names = 1)))  # genes x cells
group <- factor(readLines("groups.txt"))
counts <- counts[apply(counts, 1, var) > 0, ]
design <- model.matrix(~ 0 + group)
colnames(design) <- levels(group)
tested <- function(values) {
  fit <- contrasts.fit(lmFit(values, design), makeContrasts(G1 - G2, levels = design))
  topTable(eBayes(fit), number = Inf)
}
write.csv(tested(voom(counts, design)), "voom.csv")
write.csv(tested(log2(1 + counts)), "plain.csv")
write.csv(tested(counts), "asis.csv")
"""
SIZES = (30, 12)
GENES = 80
UP = [f"g{i}" for i in range(6)]  # planted: eight times as high in G1
DOWN = [f"g{i}" for i in range(6, 10)]  # and in G2


def missing_limma():
    try:
        r.require(de.R_PACKAGES)
    except NotAvailable as error:
        return str(error)
    return ""


needs_limma = pytest.mark.skipif(bool(missing_limma()), reason=missing_limma())


def cells_of_one_type(n, planted=0):
    """Counts of n cells, the first `planted` against the rest; two genes are constant."""
    rng = np.random.default_rng(0)
    means = np.tile(rng.uniform(2, 10, GENES), (n, 1))
    if planted:
        means[:planted, :6] *= 8
        means[planted:, 6:10] *= 8
    counts = rng.negative_binomial(5, 5 / (5 + means))
    counts[:, -2:] = [0, 3]
    return AnnData(
        sparse.csr_matrix(counts, dtype=np.float32),
        obs=pd.DataFrame(index=[f"cell {i}" for i in range(n)]),
        var=pd.DataFrame(index=[f"g{i}" for i in range(GENES)]),
        uns={"x_kind": "counts"},
    )


@pytest.fixture
def cells():
    return cells_of_one_type(sum(SIZES), planted=SIZES[0])


def compared(cells, model=None):
    return de.compare(
        cells, pd.Index([f"cell {i}" for i in range(30)]), pd.Index([f"cell {i}" for i in range(30, 42)]), model
    )


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    cells_of_one_type(sum(SIZES), planted=SIZES[0]).to_df().to_csv(folder / "counts.csv")
    (folder / "groups.txt").write_text("G1\n" * SIZES[0] + "G2\n" * SIZES[1])
    (folder / "plain.R").write_text(PLAIN)
    subprocess.run(["Rscript", "--vanilla", "plain.R"], cwd=folder, check=True, capture_output=True)
    return {model: pd.read_csv(folder / f"{model}.csv", index_col=0) for model in ("voom", "plain", "asis")}


TRUTH = pd.Series(list("AAAAAABBBC"), index=[f"c{i}" for i in range(10)])


def predictions(labels, raw=None):
    table = pd.DataFrame({"cell_id": TRUTH.index, "raw_label": list(raw or labels), "label": list(labels)})
    return table.replace("-", "unassigned").sample(frac=1, random_state=0)  # joined by id, not by position


def test_the_most_confused_pair_and_its_groups():
    # Before rejection A to C would have three cells; two of them are rejected. B to A and A to B: two each.
    predicted = predictions("ABBC--AABC", "ABBCCCAABC")
    assert de.most_confused_pair(TRUTH, predicted) == ("A", "B")
    first, second = de.groups(TRUTH, predicted, ("A", "B"))
    assert (list(first), list(second)) == (["c0"], ["c1", "c2"])
    assert [list(group) for group in de.groups(TRUTH, predicted, ("B", "A"))] == [["c8"], ["c6", "c7"]]


def test_nothing_is_confused_where_all_is_right_or_rejected():
    assert de.most_confused_pair(TRUTH, predictions("AAA---BBB-", "AAABCCBBBA")) is None


@needs_limma
@pytest.mark.parametrize("model", ["voom", "plain"])
def test_the_numbers_are_those_of_plain_r(cells, plain, model):
    result = compared(cells[::-1].copy(), model)  # cells go by id, in whatever order they are
    expected = plain[model].loc[result.table["gene"]]
    assert len(result.table) == len(plain[model]) == GENES - 2
    columns = {"log2_fold_change": "logFC", "mean_expression": "AveExpr", "t": "t"}
    columns |= {"p_value": "P.Value", "adjusted_p": "adj.P.Val"}
    for ours, theirs in columns.items():
        assert result.table[ours].to_numpy() == pytest.approx(expected[theirs].to_numpy(), rel=1e-4, abs=1e-6)
    assert result.table["p_value"].is_monotonic_increasing
    assert (result.model, result.n_first, result.n_second) == (model, *SIZES)


@needs_limma
def test_a_planted_difference_is_found_with_its_sign(cells):
    found = compared(cells).significant(1e-3).set_index("gene")["log2_fold_change"]
    assert set(found.index) == {*UP, *DOWN}
    assert found[UP].min() > 1
    assert found[DOWN].max() < -1


@needs_limma
def test_the_model_follows_from_what_x_holds(cells, plain):
    assert compared(cells).model == "voom"
    cells.uns["x_kind"] = "log"
    result = compared(cells)
    assert result.model == "plain"
    expected = plain["asis"].loc[result.table["gene"], "logFC"].to_numpy()  # no logarithm of a logarithm
    assert result.table["log_fold_change"].to_numpy() == pytest.approx(expected, rel=1e-4)  # base unknown: not log2
    with pytest.raises(InputError, match="model: voom needs counts, but X is stated to be 'log'"):
        compared(cells, "voom")


def test_too_few_cells_are_not_compared(cells):
    with pytest.raises(de.TooFewCells, match="groups of 30 and 2 cells"):
        de.compare(cells, cells.obs_names[:30], cells.obs_names[30:32])
    with pytest.raises(de.TooFewCells, match="groups of 0 and 5 cells"):
        de.negative_control(cells, cells.obs_names, (0, 5), alpha=0.05)
    with pytest.raises(de.TooFewCells, match="groups of 2 and 5 cells"):
        de.negative_control(cells, cells.obs_names[:7], (6, 5), alpha=0.05)


@needs_limma
@pytest.mark.parametrize("model", ["voom", "plain"])
def test_random_groups_of_like_cells_hardly_differ(model):
    cells = cells_of_one_type(60)
    first, same, other = (
        de.negative_control(cells, cells.obs_names, (30, 12), model, draws=20, seed=seed, alpha=0.05)
        for seed in (0, 0, 1)
    )
    pd.testing.assert_frame_equal(first, same)
    assert not first.equals(other)
    assert first["draw"].tolist() == list(range(1, 21))
    assert first["n_significant"].mean() < 1
    assert (first["n_significant"] == 0).sum() >= 15


@needs_limma
def test_the_control_counts_what_a_comparison_finds(cells):
    from jindbench.r import bridge

    mixed = np.r_[0:26, 38:42, 26:38]  # four cells of each group have changed places
    found = bridge.call(
        "limma.R",
        "negative_control",
        de.R_PACKAGES,
        matrix=cells.X,
        drawn=np.concatenate([np.arange(42), mixed]) + 1,
        n_first=30,
        n_second=12,
        voom=True,
        alpha=0.05,
    )
    names = cells.obs_names[mixed]
    comparisons = [compared(cells), de.compare(cells, names[:30], names[30:])]
    expected = [len(comparison.significant(0.05)) for comparison in comparisons]
    assert found.tolist() == expected
    assert 0 < min(expected) < max(expected)  # one cannot pass for the other


@needs_limma
def test_a_control_of_fewer_cells_keeps_the_smaller_group(cells, caplog):
    with caplog.at_level(logging.WARNING, logger="jindbench"):
        table = de.negative_control(cells, cells.obs_names[:20], (8, 30), "plain", draws=2, alpha=0.05)
    assert table[["n_first", "n_second"]].to_numpy().tolist() == [[8, 12]] * 2
    assert "20 cells: groups of 8 and 12 are drawn, not 8 and 30" in caplog.text


def test_a_workbook_keeps_text_as_text(tmp_path):
    genes = ["MARCH1", "1E5", "=A1", "2-Sep", "NA", "0012", "#N/A", "TRUE"]
    table = pd.DataFrame({"gene": genes, "t": np.linspace(-1, 1, 8)})
    path = tmp_path / "genes.xlsx"
    tables.workbook(path, {"genes": table})
    sheet = openpyxl.load_workbook(path)["genes"]
    assert [cell.value for cell in sheet["A"]] == ["gene", *genes]
    assert {cell.data_type for cell in sheet["A"]} == {"s"}
    assert {cell.number_format for cell in sheet["A"]} == {"@"}
    assert [cell.value for cell in sheet["B"]][1:] == pytest.approx(table["t"].tolist())
    assert {cell.data_type for cell in sheet["B"][1:]} == {"n"}


def test_sheets_have_names_that_excel_takes(tmp_path):
    titles = ["Bar16/Mur16: [Ductal] as Acinar?", "Bar16/Mur16: [Ductal] as Acinar? (control)", "x", "X", "'quoted'"]
    table = pd.DataFrame({"draw": [1]})
    paths = [tmp_path / name for name in ("one.xlsx", "two.xlsx")]
    for path in paths:
        tables.workbook(path, dict.fromkeys(titles, table))
    assert openpyxl.load_workbook(paths[0]).sheetnames == [
        "Bar16_Mur16_ _Ductal_ as Acinar",
        "Bar16_Mur16_ _Ductal_ as Acin 2",
        "x",
        "X 2",
        "quoted",
    ]
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["one.xlsx", "two.xlsx"]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert openpyxl.load_workbook(paths[0]).properties.modified == tables.FIRST_DAY
    assert {part.date_time for part in zipfile.ZipFile(paths[0]).infolist()} == {(1980, 1, 1, 0, 0, 0)}


def heatmap_values(n_first, n_second):
    """Two genes that tell the groups apart, one that is the opposite of another, and one of noise."""
    rng = np.random.default_rng(0)
    cells = [f"c{i}" for i in rng.permutation(n_first + n_second)]
    groups = pd.Series(["G1"] * n_first + ["G2"] * n_second, cells)
    high = (groups == "G1") * 5 + rng.normal(0, 0.1, len(cells))
    values = pd.DataFrame({"a": high, "noise": rng.normal(0, 1, len(cells)), "b": high * 2 + 1, "c": -high})
    return values, groups.sample(frac=1, random_state=1)


def test_the_heatmap_orders_cells_by_all_genes_and_shows_some():
    values, groups = heatmap_values(10, 4)
    ordered = heatmap.order(values, groups, ["noise"])
    assert list(ordered.columns) == ["cell_id", "group", "noise"]
    assert sorted(ordered["cell_id"]) == sorted(values.index)
    assert (ordered["group"] != ordered["group"].shift()).sum() == 2  # noise alone would not part the groups
    assert (groups[ordered["cell_id"]].to_numpy() == ordered["group"]).all()
    scores = heatmap.order(values, groups, list(values)).set_index("cell_id")
    genes = [gene for gene in scores if gene in values]
    assert abs(genes.index("a") - genes.index("b")) == 1  # clustered
    expected = (values["noise"] - values["noise"].mean()) / values["noise"].std(ddof=0)
    assert scores["noise"].to_numpy() == pytest.approx(expected[scores.index].clip(-3, 3).to_numpy())


def test_the_heatmap_shows_a_sample_of_many_cells_and_says_so(monkeypatch):
    monkeypatch.setattr(heatmap, "MOST_CELLS", 20)
    values, groups = heatmap_values(50, 4)
    ordered, again = (heatmap.order(values, groups, ["a", "b"], seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(ordered, again)
    assert ordered["group"].value_counts().to_dict() == {"G1": 20, "G2": 4}
    assert ordered["a"].mean() < 0  # z-scores are over all cells, of which more are high
    figure = heatmap.draw(ordered, {"G1": 50, "G2": 4}, "title")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "G1: 20 (a random sample) of 50 cells",
        "G2: 4 cells",
    ]


def test_a_heatmap_of_one_gene_and_of_none():
    values, groups = heatmap_values(5, 3)
    assert heatmap.order(values[["a"]], groups, ["a"]).shape == (8, 3)
    assert heatmap.order(values[[]], groups, []).shape == (8, 2)


@pytest.mark.parametrize("observed", [0, 3, 444])
def test_the_histogram_holds_every_draw_and_the_observed_number(observed):
    drawn = pd.Series([0] * 90 + [1, 1, 2, 3, 5, 8, 13, 21, 34, 55])
    counts, edges = random_groups.histogram(drawn, observed)
    assert counts.sum() == 100
    assert edges[0] < 0 <= observed < edges[-1]
    assert len(counts) <= random_groups.MOST_BINS + 1
    assert set(np.diff(edges) % 1) == {0}  # whole genes: no bin can hold more numbers than another


def test_long_titles_stay_inside_the_figures():
    title = "PBMC 10x_v3-10x_v5, JIND+: Monocyte_FCGR3A cells predicted as Monocyte_FCGR3A (G1) and Monocyte_CD14 (G2), top 20"
    control = pd.DataFrame({"n_first": [1500] * 100, "n_second": 25, "n_significant": [0] * 99 + [1200]})
    values, groups = heatmap_values(50, 4)
    ordered = heatmap.order(values, groups, list(values))
    of_control = random_groups.draw(control, 117, title, 0.05)
    of_cells = heatmap.draw(ordered, {"G1": 50, "G2": 4}, title)
    texts = [axes.title for axes in of_control.axes] + [of_cells.legends[0].get_title()]
    for text in texts:
        figure = text.get_figure(root=True)
        figure.draw_without_rendering()
        box = text.get_window_extent()
        assert 0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert 0 <= box.y0 < box.y1 <= figure.bbox.y1

"""Labels, ids, genes, batches and paths that a shell, HTML, a spreadsheet or TeX would act on are text here."""

import html

import anndata as ad
import numpy as np
import openpyxl
import pandas as pd
import pytest

from jindbench import io, predictions

SCRIPT = "<script>alert(1)</script>"
FORMULA = "=cmd|' /C calc'!A0"
# TeX of figures, words that readers of tables take for a missing value, a pattern of Snakemake's.
LABELS = [SCRIPT, "$(touch pwned)", "`touch pwned`", "\"; touch pwned; '", "../../x", FORMULA, "$\\frac{"]
LABELS += ["NA", "nan", "None", "x" * 300, "{wildcards.task}", "% \\ #"]
BATCHES = [f"{SCRIPT} $(touch pwned)", "../$x^{"]
FILE = "mine $(touch pwned); `touch pwned` '.h5ad"
PER_TYPE = 12  # cells, in both batches together


def cells():
    """The types alternate, so that each has cells in both batches; each has a gene of its own, with its name."""
    rng = np.random.default_rng(0)
    n = PER_TYPE * len(LABELS)
    own = np.arange(n) % len(LABELS)
    genes = [*LABELS, *(f"g{i}" for i in range(10))]
    X = rng.poisson(1 + 20 * (own[:, None] == np.arange(len(genes)))).astype(np.float32)
    obs = pd.DataFrame(
        {"type": np.array(LABELS)[own], "donor": np.repeat(BATCHES, n // 2)},
        index=[f"{LABELS[i]} {number}" for number, i in enumerate(own)],
    )
    return ad.AnnData(X, obs=obs, var=pd.DataFrame(index=genes))


@pytest.mark.faults
def test_names_that_a_shell_html_a_spreadsheet_or_tex_would_act_on(fresh):
    adata = cells()
    adata.write_h5ad(fresh.folder / FILE)
    fresh.target = "all"
    fresh.configure(
        {
            "run": {
                "name": "tiny",
                "tasks": ["mine"],
                "methods": ["majority", "svm_rej", "jind_classifier", "jind", "jind_plus"],
                "seeds": [0],
            },
            "datasets": {
                "mine": {
                    "loader": "anndata_file",
                    "path": FILE,
                    "label_key": "type",
                    "keep_labels": ["NA", "nan", "None", "% \\ #"],
                    "batch_key": "donor",
                    "x_kind": "counts",
                    "origin": SCRIPT,
                }
            },
            "tasks": {
                "mine": {
                    "title": "$\\frac{ < `touch pwned`",
                    "source": {"dataset": "mine", "batch": BATCHES[0]},
                    "target": {"dataset": "mine", "batch": BATCHES[1]},
                }
            },
            "methods": {
                "jind_classifier": {"epochs": 3},
                "jind": {"epochs": 1, "short_epoch_iterations": 2},
                "jind_plus": {"epochs": 1},
                "svm_rej": {"title": "$(touch pwned) $\\frac{"},
            },
            "figures": {figure: ["mine"] for figure in ("figure2", "figure3", "figure4", "figure5")},
            "differential_expression": {"draws": 2, "pairs": {"mine": [FORMULA, SCRIPT]}},
        }
    )
    fresh.run()

    assert list(fresh.folder.parent.rglob("pwned")) == []
    results = fresh.folder / "results/tiny"
    for page in results.rglob("*.html"):
        assert "<script>alert" not in page.read_text(), page
    assert html.escape(SCRIPT) in fresh.read("provenance.html")

    # Exactly as they are, from the file to the tables.
    target = adata[adata.obs["donor"] == BATCHES[1]].obs["type"]
    truth = io.read_solution(results / "tasks/mine/solution.tsv.gz")
    assert truth.sort_index().to_dict() == target.to_dict()
    predicted = predictions.read(results / "runs/mine/svm_rej/seed-0/predictions.tsv.gz")
    assert set(predicted["cell_id"]) == set(target.index)
    assert set(predicted["raw_label"]) <= set(LABELS)
    per_type = io.read_table(results / "tables/per_type.tsv", text=["type"])
    assert set(per_type["type"]) == set(LABELS)

    # A text that begins with "=" stays one in the workbook.
    workbook = openpyxl.load_workbook(results / "tables/differential_expression.xlsx")
    cells_of_workbook = [cell for sheet in workbook for row in sheet.iter_rows() for cell in row]
    assert FORMULA in {cell.value for cell in cells_of_workbook}
    assert all(cell.data_type != "f" for cell in cells_of_workbook)

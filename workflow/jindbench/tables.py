"""Tables for readers, from the scores."""

import html
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from jindbench import io
from jindbench.scoring import METRICS

HIGH_REJECTION = 0.1  # above this, the paper's Table 2 prints a rejection rate in red


def table2(scores: pd.DataFrame) -> pd.DataFrame:
    """Table 2 of the paper, one row for each task and metric, one column for each method.

    Parameters
    ----------
    scores
        `metrics_by_method.tsv`: columns task, method, seeds, metric, value, sd, low, high, n, status; task and method
        are titles, in the order to be shown.

    Returns
    -------
    Text cells such as "0.971 ± 0.003 [0.965, 0.977]": mean and standard deviation over seeds, bootstrap 95 % interval
    over cells. "-" where the metric does not apply, "NA" where it is not defined, else why there is no value.
    """
    methods = scores["method"].drop_duplicates()
    rows = []
    for task, of_task in scores.groupby("task", sort=False):
        for metric in METRICS:
            of_metric = of_task[of_task["metric"] == metric].set_index("method")
            # All methods annotate the same cells; what failed has no n.
            row = {"task": task, "n": f"{of_task['n_target'].iloc[0]:.0f}", "metric": metric}
            rows.append(row | {method: _cell(of_metric.loc[method]) for method in methods})
    return pd.DataFrame(rows)


def _cell(score: pd.Series) -> str:
    if score["status"] == "not applicable":
        return "-"
    if score["status"] != "ok":
        return score["status"]
    if np.isnan(score["value"]):
        return "NA"
    spread = "" if np.isnan(score["sd"]) else f" ± {score['sd']:.3f}"
    return f"{score['value']:.3f}{spread} [{score['low']:.3f}, {score['high']:.3f}]"


def best_raw(scores: pd.DataFrame) -> set[tuple[str, str]]:
    """(task, method) of the highest raw accuracy of each task, as printed, ties included."""
    raw = scores[(scores["metric"] == "raw") & (scores["status"] == "ok")].copy()
    raw["value"] = raw["value"].round(3)
    best = raw[raw["value"] == raw.groupby("task")["value"].transform("max")]
    return set(zip(best["task"], best["method"], strict=True))


def high_rejection(scores: pd.DataFrame) -> set[tuple[str, str]]:
    """(task, method) with a rejection rate above .1."""
    high = scores[(scores["metric"] == "rej") & (scores["value"] > HIGH_REJECTION)]
    return set(zip(high["task"], high["method"], strict=True))


NOTE = (
    "raw: accuracy before rejection; rej: share of rejected cells; eff: accuracy of the cells not rejected "
    "(NA where all are rejected, - for methods that do not reject, and where there is one batch and so nothing to "
    "integrate). Mean ± standard deviation over seeds (one seed where nothing is random), in brackets "
    "the bootstrap 95 % interval over the n target cells (eff is a share of those kept). Best raw accuracy in bold"
)


def markdown(table: pd.DataFrame, best: set, high: set, notes: Sequence[str] = ()) -> str:
    """Table 2 as Markdown; best raw accuracy in bold, rejection above .1 marked with an exclamation mark."""

    def mark(task: str, metric: str, method: str, cell: str) -> str:
        cell = _markdown_escape(cell)
        if metric == "raw" and (task, method) in best:
            return f"**{cell}**"
        return f"{cell} (!)" if metric == "rej" and (task, method) in high else cell

    rows = (_marked(row, table.columns, mark) for row in table.to_dict("records"))
    foot = [f"{NOTE}, rejection above .1 marked (!).", *notes]
    return _markdown_table(map(_markdown_escape, table.columns), rows) + "".join(f"\n{line}\n" for line in foot)


def html_page(table: pd.DataFrame, best: set, high: set, notes: Sequence[str], title: str) -> str:
    """Table 2 as an HTML page; best raw accuracy in bold, rejection above .1 in red."""

    def mark(task: str, metric: str, method: str, cell: str) -> str:
        cell = html.escape(cell)
        if metric == "raw" and (task, method) in best:
            return f"<b>{cell}</b>"
        return f'<span class="high">{cell}</span>' if metric == "rej" and (task, method) in high else cell

    rows = (_marked(row, table.columns, mark) for row in table.to_dict("records"))
    foot = [f"{NOTE}, rejection above .1 in red.", *notes]
    paragraphs = "\n".join(f"<p>{html.escape(line)}</p>" for line in foot)
    return page(title, f"{_html_table(map(html.escape, table.columns), rows)}\n{paragraphs}")


# Columns of Table 1 and what they are called there.
TABLE_1 = {
    "cells": "cells",
    "genes": "genes",
    "cell_types": "cell types",
    "batches": "batches",
    "knn_as_published": "kNN as published",
    "knn_held_out": "kNN held out",
}
NOTE_1 = (
    "kNN: accuracy of three nearest neighbours on a UMAP embedding, the mean over batches; as published: fitted and "
    "scored on the same cells, which is optimistic since each cell is its own nearest neighbour; held out: "
    "cross-validated. "
    "In brackets the paper's value and ours minus the paper's, - where the paper has none"
)


def read_published(path: str | Path) -> pd.DataFrame:
    """Read the values that the paper printed in its Tables 1 and 2, `workflow/resources/published_values.tsv`.

    Returns
    -------
    One row for each value: table (1 or 2), name (the dataset, for Table 2 the task, in `config/config.yaml`),
    paper_name, input ("none", or "seurat" where a method got batches that Seurat had integrated; "-" in Table 1),
    method and metric as in the paper ("-" for Table 1's method), printed (the text) and value (the number, NaN where
    the text is none).
    """
    text = ["name", "paper_name", "input", "method", "metric", "printed"]
    published = io.read_table(path, text=text)
    return published.assign(value=pd.to_numeric(published["printed"], errors="coerce"))


def table1(sizes: pd.DataFrame, scores: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Table 1 of the paper, one row for each dataset.

    Parameters
    ----------
    sizes
        Columns dataset, cells, genes, cell_types, batches.
    scores
        One row for each batch of these datasets: columns dataset, knn_as_published, knn_held_out. A batch without a
        score (NaN) does not count in the mean.
    published
        See `read_published`.

    Returns
    -------
    Column dataset (the paper's name for it, or the configuration's), then each of ours; followed, where the paper's
    Table 1 has such a column, by the paper's value (`cells_paper`) and ours minus the paper's (`cells_difference`).
    """
    names = sizes["dataset"]
    means = scores.groupby("dataset")[["knn_as_published", "knn_held_out"]].mean().round(3)
    ours = sizes.join(means, on="dataset")
    published = published[published["table"] == 1].replace({"metric": {"knn": "knn_as_published"}})
    titles = dict(zip(published["name"], published["paper_name"], strict=True))
    papers = published.pivot(index="name", columns="metric", values="value").reindex(names).reset_index(drop=True)

    columns = {"dataset": [titles.get(name, name) for name in names]}
    for column in TABLE_1:
        columns[column] = ours[column]
        if column in papers:
            columns[f"{column}_paper"] = papers[column]
            columns[f"{column}_difference"] = (ours[column] - papers[column]).round(3)
    counts = [name for name in columns if name != "dataset" and not name.startswith("knn")]
    return pd.DataFrame(columns).astype(dict.fromkeys(counts, "Int64"))  # whole numbers although some are missing


def _table1_text(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Head and rows of Table 1, the paper's values in brackets behind ours."""
    rows = []
    for _, row in table.iterrows():
        cells = [row["dataset"]]
        for column in TABLE_1:
            digits, ours = (".3f" if column.startswith("knn") else "d"), row[column]
            cell = "NA" if pd.isna(ours) else f"{ours:{digits}}"
            if f"{column}_paper" in row:
                paper, difference = row[f"{column}_paper"], row[f"{column}_difference"]
                beside = "" if pd.isna(difference) else f", {difference:+{digits}}"
                cell += " (-)" if pd.isna(paper) else f" ({paper}{beside})"
            cells.append(cell)
        rows.append(cells)
    return ["dataset", *TABLE_1.values()], rows


def table1_markdown(table: pd.DataFrame) -> str:
    """Table 1 as Markdown."""
    head, rows = _table1_text(table)
    return _markdown_table(head, [map(_markdown_escape, row) for row in rows]) + f"\n{NOTE_1}.\n"


def table1_html(table: pd.DataFrame, title: str) -> str:
    """Table 1 as an HTML page."""
    head, rows = _table1_text(table)
    return page(title, f"{_html_table(head, [map(html.escape, row) for row in rows])}\n<p>{html.escape(NOTE_1)}.</p>")


def _markdown_escape(cell: str) -> str:
    return cell.replace("|", "\\|").replace("<", "&lt;")


def _markdown_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table from cells that are escaped already."""
    head = list(head)
    lines = ["| " + " | ".join(cells) + " |" for cells in [head, *rows]]
    lines.insert(1, "|" + " --- |" * len(head))
    return "\n".join(lines) + "\n"


def _html_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table from cells that are escaped already."""
    lines = ["".join(f"<th>{cell}</th>" for cell in head)]
    lines += ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    return "<table>\n" + "\n".join(f"<tr>{line}</tr>" for line in lines) + "\n</table>"


def page(title: str, body: str) -> str:
    """A plain, self-contained HTML page."""
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>
<style>
body {{ font: 15px/1.5 sans-serif; margin: 1.5em; color: #222; }}
table {{ border-collapse: collapse; }}
th, td {{ border-bottom: 1px solid #ddd; padding: .3em .8em; text-align: left; vertical-align: top; }}
th {{ border-bottom: 2px solid #888; }}
.high {{ color: #c00000; }}
pre {{ background: #f5f5f5; padding: 1em; overflow: auto; }}
</style></head><body>
<h1>{html.escape(title)}</h1>
{body}
</body></html>
"""


def _marked(row: dict, columns: pd.Index, mark) -> list[str]:
    fixed = ("task", "n", "metric")
    return [
        mark(None, None, None, row[column])
        if column in fixed
        else mark(row["task"], row["metric"], column, row[column])
        for column in columns
    ]

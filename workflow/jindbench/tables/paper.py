"""Tables for readers, from the scores."""

import html
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from jindbench import io, render
from jindbench.scoring.metrics import METRICS

HIGH_REJECTION = 0.1  # above this, the paper's Table 2 prints a rejection rate in red


def selected(scores: pd.DataFrame, tasks: Iterable[str], methods: Iterable[str]) -> pd.DataFrame:
    """The scores of some tasks and methods, in the order of these."""
    order = pd.MultiIndex.from_product([tasks, methods], names=["task", "method"])
    position = order.get_indexer(pd.MultiIndex.from_frame(scores[["task", "method"]]))
    return (
        scores.assign(position=position)[position >= 0].sort_values("position", kind="stable").drop(columns="position")
    )


def titled(scores: pd.DataFrame, tasks: dict[str, str], methods: dict[str, str]) -> pd.DataFrame:
    """The scores of some tasks and methods under their titles, in the order of these."""
    return selected(scores, tasks, methods).replace({"task": tasks, "method": methods})


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
        cell = render.markdown_escape(cell)
        if metric == "raw" and (task, method) in best:
            return f"**{cell}**"
        return f"{cell} (!)" if metric == "rej" and (task, method) in high else cell

    rows = (_marked(row, table.columns, mark) for row in table.to_dict("records"))
    foot = [f"{NOTE}, rejection above .1 marked (!).", *notes]
    return render.markdown_from_cells(map(render.markdown_escape, table.columns), rows) + "".join(
        f"\n{line}\n" for line in foot
    )


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
    return render.page(title, f"{render.html_from_cells(map(html.escape, table.columns), rows)}\n{paragraphs}")


NOTE_EXTENDED = (
    "Each number of the paper's Table 2 beside ours. inside: the paper's number lies in our bootstrap 95 % interval "
    "over target cells, which says nothing of what another split, another version of the data or a seed would change"
)


def table2_extended(scores: pd.DataFrame, published: pd.DataFrame, papers: dict[str, Sequence[str]]) -> pd.DataFrame:
    """Table 2, one row for each number: ours, the paper's, and the difference.

    Parameters
    ----------
    scores
        See `table2`; task and method are names.
    published
        See `read_published`.
    papers
        For each method the name and the input under which the paper's table has it, if it has.

    Returns
    -------
    Columns task, method, metric, ours, sd, low, high, seeds, paper, difference (ours minus the paper's), inside
    (whether the paper's value lies between low and high), status. The rows are those of `scores`; paper, difference and
    inside are missing where the paper has no number for this task and method, or where one of both is not defined.
    """
    printed = published[published["table"] == 2].set_index(["name", "method", "input", "metric"])["value"]
    table = scores.rename(columns={"value": "ours"}).reset_index(drop=True)
    keys = [(row.task, *papers[row.method], row.metric) for row in table.itertuples()]
    table["paper"] = printed.reindex(keys).to_numpy()
    table["difference"] = (table["ours"] - table["paper"]).round(4)
    inside = table["paper"].round(3).between(table["low"].round(3), table["high"].round(3))
    table["inside"] = inside.map({True: "yes", False: "no"}).where(table["difference"].notna())
    columns = [
        "task",
        "method",
        "metric",
        "ours",
        "sd",
        "low",
        "high",
        "seeds",
        "paper",
        "difference",
        "inside",
        "status",
    ]
    return table[columns]


def _extended_text(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the extended Table 2: only what the paper has a number for."""
    shown = table[table["paper"].notna()]
    rows = [
        [row.task, row.method, row.metric, _cell(row._asdict() | {"value": row.ours}), f"{row.paper:.3f}"]
        + (["-", "-"] if pd.isna(row.difference) else [f"{row.difference:+.3f}", row.inside])
        for row in shown.itertuples(index=False)
    ]
    return ["task", "method", "metric", "ours", "paper", "difference", "inside"], rows


def table2_extended_markdown(table: pd.DataFrame) -> str:
    """The extended Table 2 as Markdown."""
    head, rows = _extended_text(table)
    return render.markdown_table(head, rows, NOTE_EXTENDED) if rows else f"{NOTHING_PUBLISHED}\n"


def table2_extended_html(table: pd.DataFrame, title: str) -> str:
    """The extended Table 2 as an HTML page."""
    head, rows = _extended_text(table)
    return render.html_table_page(title, head, rows, NOTE_EXTENDED if rows else NOTHING_PUBLISHED)


NOTHING_PUBLISHED = "The paper has no numbers for the tasks of this run."


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
    return render.markdown_table(*_table1_text(table), NOTE_1)


def table1_html(table: pd.DataFrame, title: str) -> str:
    """Table 1 as an HTML page."""
    return render.html_table_page(title, *_table1_text(table), NOTE_1)


def _marked(row: dict, columns: pd.Index, mark) -> list[str]:
    fixed = ("task", "n", "metric")
    return [
        mark(None, None, None, row[column])
        if column in fixed
        else mark(row["task"], row["metric"], column, row[column])
        for column in columns
    ]

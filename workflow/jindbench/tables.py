"""Tables for readers, from the scores."""

import html

import numpy as np
import pandas as pd

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
    "(NA where all are rejected, - for methods that do not reject). Mean ± standard deviation over seeds, in brackets "
    "the bootstrap 95 % interval over the n target cells (eff is a share of those kept). Best raw accuracy in bold"
)


def markdown(table: pd.DataFrame, best: set, high: set) -> str:
    """Table 2 as Markdown; best raw accuracy in bold, rejection above .1 marked with an exclamation mark."""

    def mark(task: str, metric: str, method: str, cell: str) -> str:
        cell = cell.replace("|", "\\|").replace("<", "&lt;")
        if metric == "raw" and (task, method) in best:
            return f"**{cell}**"
        return f"{cell} (!)" if metric == "rej" and (task, method) in high else cell

    head = (mark(None, None, None, column) for column in table.columns)
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(table.columns)]
    lines += ["| " + " | ".join(_marked(row, table.columns, mark)) + " |" for row in table.to_dict("records")]
    return "\n".join(lines) + f"\n\n{NOTE}, rejection above .1 marked (!).\n"


def html_page(table: pd.DataFrame, best: set, high: set, title: str) -> str:
    """Table 2 as an HTML page; best raw accuracy in bold, rejection above .1 in red."""

    def mark(task: str, metric: str, method: str, cell: str) -> str:
        cell = html.escape(cell)
        if metric == "raw" and (task, method) in best:
            return f"<b>{cell}</b>"
        return f'<span class="high">{cell}</span>' if metric == "rej" and (task, method) in high else cell

    head = "".join(f"<th>{html.escape(column)}</th>" for column in table.columns)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in _marked(row, table.columns, mark)) + "</tr>"
        for row in table.to_dict("records")
    )
    return page(
        title, f"<table>\n<tr>{head}</tr>\n{body}\n</table>\n<p>{html.escape(NOTE)}, rejection above .1 in red.</p>"
    )


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

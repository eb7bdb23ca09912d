"""How a method takes cells of a type that its source lacks, for each type that `hold_out` removed from the source.

New cells are the target's cells of the type that was removed, known cells those of the types that were left. Cells of a
type that the source lacks anyway are labelled with the others, and count as neither.

auroc           area under the ROC curve of `novelty`: how likely a new cell has a higher one than a known cell
rejected_new    share of the new cells that are rejected
rejected_known  share of the known cells that are rejected
raw_known       share of the known cells whose label before rejection is right
"""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from jindbench.execution.hold_out import FEWEST_CELLS, HELD_OUT, not_applicable
from jindbench.names import CELL_ID, LABEL, NOVELTY
from jindbench.render import html_table_page, markdown_table
from jindbench.scoring.metrics import outcomes, rejects

MEASURES = ("auroc", "rejected_new", "rejected_known", "raw_known")
COLUMNS = ["task", "method", "seed", HELD_OUT, "n_new", "n_known", *MEASURES, "status"]
LABEL_COLUMNS = ["task", "method", "seed", HELD_OUT, LABEL, "n", "share"]
PAGE_COLUMNS = ["task", "method", "types", "AUROC", "lowest", "new cells rejected", "known cells rejected"]
PAGE_COLUMNS += ["raw accuracy of known cells"]

NOTE = (
    "Each type of the source in turn was removed from it, and the target left as it is: its cells of that type are "
    "new, those of the other types known. Means over the types, with the standard deviation over seeds of these means. "
    "AUROC: how likely the novelty of a new cell is above that of a known one (.5: no better than chance); lowest: "
    "that of the type that is hardest to tell, and the label that most of its cells get. Rejected: share of the cells "
    f"(- for methods that do not reject). Types with fewer than {FEWEST_CELLS} cells on either side are left out. "
    "Methods that read integrated cells are too: the integration has seen the type"
)
NOTHING = "No type is held out in this run: see `held_out_types` in the configuration."


def score(predictions: pd.DataFrame, truth: pd.Series, held_out: str, source_types: Iterable[str]) -> dict:
    """Measures of one method that has not seen a type.

    Parameters
    ----------
    predictions
        Of the target's cells, by the method without that type.
    truth
        True labels of the target, by cell_id.
    held_out
        The type.
    source_types
        All types of the source, that one included.

    Returns
    -------
    n_new, n_known (cells); auroc, rejected_new, rejected_known (these two NaN for a method that never rejects) and
    raw_known, as described above; status: "ok", or "not applicable: ..." without measures where cells are too few.
    """
    from sklearn.metrics import roc_auc_score

    new, known = truth == held_out, truth.isin(set(source_types) - {held_out})
    row = {"n_new": int(new.sum()), "n_known": int(known.sum())}
    for name, kind in (("n_new", "of it"), ("n_known", "of known types")):
        if row[name] < FEWEST_CELLS:
            return row | {"status": f"not applicable: fewer than {FEWEST_CELLS} target cells {kind}"}
    cells, novelty = outcomes(predictions, truth), predictions.set_index(CELL_ID)[NOVELTY]
    row["auroc"] = float(roc_auc_score(new[new | known], novelty.loc[truth.index][new | known]))
    if rejects(predictions):
        row |= {f"rejected_{name}": (~cells["kept"][of]).mean() for name, of in (("new", new), ("known", known))}
    return row | {"raw_known": cells["correct"][known].mean(), "status": "ok"}


def destinations(predictions: pd.DataFrame, truth: pd.Series, held_out: str) -> pd.DataFrame:
    """What the cells of a type are taken for by a method that has not seen it.

    Returns
    -------
    A row for each label that such a cell got, "unassigned" included, the most frequent first (then by name): label,
    n (cells), share (of the type's cells).
    """
    labels = predictions.set_index(CELL_ID).loc[truth.index[truth == held_out], LABEL]
    found = labels.value_counts().rename_axis(LABEL).reset_index(name="n")
    return found.assign(share=found["n"] / len(labels)).sort_values(["n", LABEL], ascending=[False, True])


def joined(parts: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """The tables of all runs as one, which has its columns also where nothing was run."""
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def score_run(
    predictions: pd.DataFrame,
    truth: pd.Series,
    source_labels: pd.Series,
    failures: Mapping[str, str],
    without_result: str = "",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables of one method on one task with one seed.

    Parameters
    ----------
    predictions, failures
        As `hold_out.without_each_type` gives them.
    source_labels
        Type of each source cell.
    without_result
        Why nothing was run for any type, such as "failed: killed by SIGKILL".

    Returns
    -------
    A row for each type of the source, in the order of their names: held_out (the type), then as `score` gives it; of a
    type without measures `status` says why. And the `destinations` of the types that have measures.
    """
    scores, labels = [], []
    for name, reason in not_applicable(source_labels).items():
        of_type = predictions[predictions[HELD_OUT] == name]
        if status := reason or without_result or (f"failed: {failures[name]}" if name in failures else ""):
            row = {"status": status}
        else:
            row = score(of_type, truth, name, source_labels.unique())
        if row["status"] == "ok":
            labels.append(destinations(of_type, truth, name).assign(**{HELD_OUT: name}))
        scores.append({HELD_OUT: name} | row)
    table = pd.DataFrame(scores).reindex(columns=COLUMNS[3:]).astype({"n_new": "Int64", "n_known": "Int64"})
    return table, joined(labels, LABEL_COLUMNS[3:])


def over_seeds(scores: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds: a row for each task, method and type, with their measures and a status.

    A type that is without measures with one seed has none: that of the others would pass for one over all.
    """
    by_type = scores.groupby(["task", "method", HELD_OUT], sort=False)
    table = by_type[list(MEASURES)].mean().join(by_type["status"].agg(_worst)).reset_index()
    table[list(MEASURES)] = table[list(MEASURES)].where(table["status"] == "ok")
    return table


def _worst(statuses: pd.Series) -> str:
    """The first that is not "ok"."""
    return next((status for status in statuses if status != "ok"), "ok")


def shares_over_seeds(labels: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds of where new cells go: columns task, method, held_out, label, share."""
    keys = ["task", "method", HELD_OUT]
    seeds = labels.groupby(keys, sort=False)["seed"].nunique().rename("seeds")
    summed = labels.groupby([*keys, LABEL], sort=False)["share"].sum().reset_index().join(seeds, on=keys)
    return summed.assign(share=summed["share"] / summed.pop("seeds"))


def means(scores: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """What the page shows: a row for each task and method, as text.

    Parameters
    ----------
    scores, labels
        Rows of `score_run`, with columns task, method, seed before them.
    """
    rows, shares = [], shares_over_seeds(labels).set_index(["task", "method", HELD_OUT])
    for (task, method), of_method in scores.groupby(["task", "method"], sort=False):
        measured = of_method[of_method["status"] == "ok"]
        wanting = of_method[~of_method["status"].str.match("ok$|not applicable")]
        row = {"task": task, "method": method, "types": f"{measured[HELD_OUT].nunique()}"}
        if measured.empty:
            row["AUROC"] = _worst(wanting["status"] if len(wanting) else of_method["status"])
        elif len(wanting):
            first = wanting.iloc[0]
            row["AUROC"] = f"{first['status']} (without {first[HELD_OUT]}, seed {first['seed']})"
        else:
            by_type = measured.groupby(HELD_OUT)["auroc"].mean()
            hardest = by_type.idxmin()
            most = shares.loc[[(task, method, hardest)]].sort_values(["share", LABEL], ascending=[False, True]).iloc[0]
            row |= {
                "AUROC": _over_seeds(measured, "auroc"),
                "lowest": f"{by_type[hardest]:.3f} {hardest}: {most['share']:.0%} {most[LABEL]}",
                "new cells rejected": _over_seeds(measured, "rejected_new"),
                "known cells rejected": _over_seeds(measured, "rejected_known"),
                "raw accuracy of known cells": _over_seeds(measured, "raw_known"),
            }
        rows.append(row)
    return pd.DataFrame(rows, columns=PAGE_COLUMNS).fillna("-")


def _over_seeds(measured: pd.DataFrame, measure: str) -> str:
    """Mean over types and seeds, and the standard deviation of the seeds' means."""
    by_seed = measured.groupby("seed")[measure].mean()
    if by_seed.isna().any():
        return "-"
    return f"{by_seed.mean():.3f}" + (f" ± {by_seed.std(ddof=1):.3f}" if len(by_seed) > 1 else "")


def markdown(table: pd.DataFrame) -> str:
    """The page's table as Markdown."""
    return markdown_table(PAGE_COLUMNS, table.to_numpy(), NOTE) if len(table) else f"{NOTHING}\n"


def html(table: pd.DataFrame, title: str) -> str:
    """The page's table as an HTML page."""
    return html_table_page(title, PAGE_COLUMNS, table.to_numpy().tolist(), NOTE if len(table) else NOTHING)

"""How a method handles cells of a type that its source lacks, for each type that `hold_out` removed from the source.

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
from jindbench.scoring.metrics import correct_and_kept, rejects

MEASURES = ("auroc", "rejected_new", "rejected_known", "raw_known")
COLUMNS = ["task", "method", "seed", HELD_OUT, "n_new", "n_known", *MEASURES, "status"]
LABEL_COLUMNS = ["task", "method", "seed", HELD_OUT, LABEL, "n", "share"]


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
    cells, novelty = correct_and_kept(predictions, truth), predictions.set_index(CELL_ID)[NOVELTY]
    row["auroc"] = float(roc_auc_score(new[new | known], novelty.loc[truth.index][new | known]))
    if rejects(predictions):
        row |= {f"rejected_{name}": (~cells["kept"][of]).mean() for name, of in (("new", new), ("known", known))}
    return row | {"raw_known": cells["correct"][known].mean(), "status": "ok"}


def destinations(predictions: pd.DataFrame, truth: pd.Series, held_out: str) -> pd.DataFrame:
    """The labels that the cells of a type get from a method that has not seen it.

    Returns
    -------
    A row for each label that such a cell got, "unassigned" included, the most frequent first (then by name): label,
    n (cells), share (of the type's cells).
    """
    labels = predictions.set_index(CELL_ID).loc[truth.index[truth == held_out], LABEL]
    found = labels.value_counts().rename_axis(LABEL).reset_index(name="n")
    return found.assign(share=found["n"] / len(labels)).sort_values(["n", LABEL], ascending=[False, True])


def joined(parts: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """The tables of all runs as one; without any, an empty table with these columns."""
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
    for name, reason in (not_applicable(source_labels) or {"-": ""}).items():  # no cells: one row says why
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
    table = by_type[list(MEASURES)].mean().join(by_type["status"].agg(worst)).reset_index()
    table[list(MEASURES)] = table[list(MEASURES)].where(table["status"] == "ok")
    return table


def worst(statuses: pd.Series) -> str:
    """The first that is not "ok"."""
    return next((status for status in statuses if status != "ok"), "ok")


def shares_over_seeds(labels: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds of the labels that new cells get: columns task, method, held_out, label, share."""
    keys = ["task", "method", HELD_OUT]
    seeds = labels.groupby(keys, sort=False)["seed"].nunique().rename("seeds")
    summed = labels.groupby([*keys, LABEL], sort=False)["share"].sum().reset_index().join(seeds, on=keys)
    return summed.assign(share=summed["share"] / summed.pop("seeds"))

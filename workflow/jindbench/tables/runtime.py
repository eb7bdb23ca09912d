"""Run times of the paper's comparison ('Runtime comparison'): each job alone on all cores, but on small tasks."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from jindbench import render

NOTE = (
    "{how} work: wall time of fitting, aligning and predicting; start: of importing packages and reading files before "
    "that; in total: the work with that of previous stages (JIND+ trains, aligns and self-trains) and of the "
    "integration; ratio: this total as a multiple of that of the method named beside it; CPU seconds and peak memory: "
    "of the process that did the work, and those that it started."
)
ALONE = "Each job ran alone on all cores of the run, with one seed."
BESIDE_OTHERS = (
    "On {tasks}, a small task, each ran beside others on one core, and shares its start with other runs of its job."
)
NOTHING = "Nothing of this run is timed: see `runtime` in the configuration."


def table(outcomes: Sequence[dict], work: Mapping[str, Sequence[str]], reference: str) -> pd.DataFrame:
    """One row for each job that was timed.

    Parameters
    ----------
    outcomes
        Their records (`outcome.json`).
    work
        For each method what its result takes, by the names of records: the integration that it reads, the methods that
        it starts from and itself, in this order.
    reference
        The method that all others are compared with, in total: JIND+. Integrations are compared with the time of the
        stage before it alone: JIND's alignment.

    Returns
    -------
    Columns task, method ("integration NAME" for an integration), threads, work_seconds, start_seconds, cpu_seconds,
    peak_memory_mb, total (work with that of all before it), ratio, compared_with, status. The numbers of a job that
    failed are missing, and so are those that rest on a job that was not timed.
    """
    measured = ["work_seconds", "start_seconds", "cpu_seconds", "peak_memory_mb"]
    columns = ["task", "method", "threads", *measured]
    facts = pd.DataFrame(outcomes, columns=[*columns, "status", "reason"])
    facts["status"] = facts["status"].where(facts["status"] == "ok", facts["status"] + ": " + facts["reason"])
    facts[measured] = facts[measured].astype(float).where(facts["status"] == "ok")
    seconds = facts.set_index(["task", "method"])["work_seconds"]

    def total(task, method):
        return sum(seconds.get((task, part), np.nan) for part in work.get(method, [method]))

    alignment = next(iter(work[reference][-2:-1]), None)
    facts["total"] = [total(task, method) for task, method in zip(facts["task"], facts["method"], strict=True)]
    against = []
    for task, method in zip(facts["task"], facts["method"], strict=True):
        if method.startswith("integration "):
            against.append((seconds.get((task, alignment), np.nan), alignment))
        elif method in work[reference]:
            against.append((np.nan, None))  # a part of the reference itself
        else:
            against.append((total(task, reference), f"{reference} in total"))
    facts["ratio"] = facts["total"] / [one for one, _ in against]
    facts["compared_with"] = [name for _, name in against]
    return facts[[*columns, "total", "ratio", "compared_with", "status"]]


def shown(table: pd.DataFrame, beside_others: Sequence[str]) -> render.Table:
    """The table for readers; task, method and compared_with may be titles, and so are the tasks not timed alone."""
    rows = []
    for row in table.itertuples():
        numbers = [row.status, "-", "-", "-", "-"]
        if row.status == "ok":
            total = "-" if np.isnan(row.total) else f"{row.total:.1f}"
            numbers = [f"{row.work_seconds:.1f}", f"{row.start_seconds:.1f}", f"{row.cpu_seconds:.1f}"]
            numbers += [f"{row.peak_memory_mb:.0f}", total]
        ratio = "-" if pd.isna(row.ratio) else f"{row.ratio:.2f} x {row.compared_with}"
        rows.append([row.task, row.method, str(row.threads), *numbers, ratio])
    head = ["task", "method", "threads", "work (s)", "start (s)", "CPU seconds", "peak memory (MB)"]
    head += ["work in total (s)", "ratio"]
    how = [ALONE] * bool({*table["task"]} - {*beside_others})
    how += [BESIDE_OTHERS.format(tasks=task) for task in beside_others]
    return render.Table(head, rows, [NOTE.format(how=" ".join(how))], nothing=NOTHING)

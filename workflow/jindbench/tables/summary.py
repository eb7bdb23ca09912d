"""One page that sums up a run, for a reader who opens nothing else."""

from collections.abc import Iterable, Sequence

import pandas as pd

from jindbench import render
from jindbench.errors import DataNotAvailable
from jindbench.render import Lines, Paragraph, Part
from jindbench.tables import claims, verdicts
from jindbench.tables.findings import NOTE, STATISTICS, Findings

COSTS_NOTE = (
    "Means over the tasks and seeds that a method ran on, measured while other jobs ran, and the largest peak memory. "
    "The runtime table has times of jobs that ran alone, where a large task is timed."
)

LISTED = 5  # of more tasks or seeds, the number is said
ALL_RUN = "All runs succeeded."


def sections(
    tasks: dict[str, str],
    seeds: Sequence[int],
    command: str,
    found: Findings,
    outcomes: Sequence[dict],
    timed: Sequence[dict],
    crashed: Sequence[str],
    not_drawn: Sequence[str],
    table2: Part,
    printed: pd.DataFrame | None,
    sentences: pd.DataFrame | None,
    held_out_types: Part | None,
    runtime: Part | None,
    provenance: pd.DataFrame,
    titles: dict[str, str],
) -> dict[str, list[Part]]:
    """The page, part by part, under its headings.

    Parameters
    ----------
    tasks
        By title, which cells are source and which target.
    command
        What was run.
    found
        What the run found.
    outcomes
        The record of each run of a method and of each integration.
    timed
        The records of jobs that ran again to be timed alone. They do not count as runs, nor do their costs.
    crashed
        Figures whose code failed, and why.
    not_drawn
        What the other figures do not show, and why.
    table2, held_out_types, runtime
        These tables; None where nothing is held out or timed.
    printed
        What `table1.verdicts` and `table2_extended.verdicts` return; None without a task of the paper.
    sentences
        What `claims.check` returns; None without a task of the paper.
    provenance
        What `provenance.facts` returns.
    titles
        Of methods.
    """
    wanting, no_cells = {}, {}
    for how, records in (("", outcomes), (", timed alone", timed)):
        for outcome in records:
            reason = f"{outcome['status']}: {outcome['reason']}"
            if outcome["status"] == DataNotAvailable.status:  # whatever the method
                no_cells[outcome["task"]] = reason
            elif outcome["status"] != "ok":
                method = titles.get(outcome["method"], outcome["method"])
                wanting.setdefault((method, how, reason), []).append(outcome)
    warned = [outcome for outcome in outcomes if outcome["warnings"]]
    methods = f"{len(found.methods)} method{'s' * (len(found.methods) > 1)}"
    size = f"{methods} on {_several(tasks, 'task')}, {_several(seeds, 'seed')}."
    state = [f"The cells of {_several(no_cells, 'task')} are not available."] * bool(no_cells)
    if wanting:
        n = sum(map(len, wanting.values()))
        state.append(f"{n} run{'s' * (n > 1)} failed or did not start, see below.")
    if crashed:
        state.append(f"{len(crashed)} figure{'s' * (len(crashed) > 1)} failed, see below.")
    lines = [f"{task}: {reason}" for task, reason in no_cells.items()]
    lines += [f"{method} {_where(runs)}{how}: {reason}" for (method, how, reason), runs in wanting.items()]
    lines += crashed
    return {
        "In short": [
            Paragraph(" ".join([size, *(state or [ALL_RUN]), f"To run it again: `{command}`."])),
            Lines(found.harm()),
            *(
                part
                for task in found.tasks
                for part in (_heading(found.tasks[task], tasks), Lines(found.of_task(task)))
            ),
            Paragraph(NOTE),
        ],
        "Table 2": [table2],
        "What did not run, and warnings": [
            Lines(lines) if lines else Paragraph(ALL_RUN),
            _warnings(warned, titles),
            Lines(not_drawn, "Not drawn:"),
        ],
        **({} if sentences is None else {"The paper's claims": _verdicts(sentences, printed)}),
        **({"Types held out of the source": [held_out_types]} if held_out_types else {}),
        "Cost": [costs(outcomes, titles)],
        **({"Run times": [runtime]} if runtime else {}),
        "How it was made": [
            Lines([f"{row.fact}: {row.value}" for row in provenance.itertuples()]),
            Paragraph(STATISTICS),
            Paragraph("Parameters and every run: `provenance.html`. Where one file comes from: `make trace FILE=...`."),
        ],
    }


def markdown(run: str, parts: dict[str, list[Part]]) -> str:
    """The page as Markdown."""
    written = [f"# {run}"]
    for heading, of_section in parts.items():
        written += [f"## {heading}", *(part.markdown().strip() for part in of_section)]
    return "\n\n".join(filter(None, written)) + "\n"


def _several(items: Iterable, noun: str) -> str:
    """`2 seeds (0, 1)`"""
    names = list(map(str, items))
    return f"{len(names)} {noun}{'s' * (len(names) > 1)} ({', '.join(names)})"


def _heading(task: str, tasks: dict[str, str]) -> Part:
    return Paragraph(f"**{task}.** {tasks[task]}")


def _verdicts(sentences: pd.DataFrame, printed: pd.DataFrame) -> list[Part]:
    """How many claims and numbers of the paper were reproduced, and those that were not."""
    refuted = [
        f"{row.sentence} ({row.where}): ours {row.ours} {row.interval}, the paper's {row.paper}"
        for row in _not_reproduced(sentences)
    ]
    refuted += [f"{row.what}: ours {row.ours}, the paper's {row.paper}" for row in _not_reproduced(printed)]
    return [
        Paragraph(claims.summary(sentences)),
        Paragraph(f"{len(printed)} numbers of Tables 1 and 2: {verdicts.count(printed['verdict'])}."),
        Lines(refuted, "Not reproduced:"),
        Paragraph("All of them: `tables/claims.md`, `tables/table1.md`, `tables/table2_extended.md`."),
    ]


def _not_reproduced(table: pd.DataFrame) -> Iterable:
    """The rows with this verdict, as named tuples."""
    return table[verdicts.without_reason(table["verdict"]) == verdicts.NOT_REPRODUCED].itertuples()


def costs(outcomes: Sequence[dict], titles: dict[str, str]) -> render.Table:
    """What each method took."""
    columns = ["method", "seconds", "cpu_seconds", "peak_memory_mb"]
    table = pd.DataFrame([outcome for outcome in outcomes if outcome["status"] == "ok"], columns=columns)
    rows = [
        [
            titles.get(method, method),
            str(len(runs)),
            f"{runs['seconds'].mean():.1f}",
            f"{runs['cpu_seconds'].mean():.1f}",
            f"{runs['peak_memory_mb'].max():.0f}",
        ]
        for method, runs in table.groupby("method", sort=False)
    ]
    head = ["method", "runs", "seconds", "CPU seconds", "peak memory (MB)"]
    return render.Table(head, rows, [COSTS_NOTE])


def _where(runs: Sequence[dict]) -> str:
    """`on 2 tasks (a, b), 1 seed (0), 2 runs`; tasks and seeds that are many are only counted."""
    if len(runs) == 1:
        return f"on {runs[0]['task']}, seed {runs[0]['seed']}"
    by = [(dict.fromkeys(run[key] for run in runs), key) for key in ("task", "seed")]
    several = [_several(names, noun) if len(names) <= LISTED else f"{len(names)} {noun}s" for names, noun in by]
    return f"on {', '.join(several)}, {len(runs)} runs"


def _warnings(outcomes: Sequence[dict], titles: dict[str, str]) -> Lines:
    """Each warning once for a method and task, with the number of seeds."""
    seen: dict[str, int] = {}
    for outcome in outcomes:
        for warning in dict.fromkeys(outcome["warnings"]):
            line = f"{titles.get(outcome['method'], outcome['method'])} on {outcome['task']}: {warning}"
            seen[line] = seen.get(line, 0) + 1
    return Lines([f"{line} ({number} run{'s' if number > 1 else ''})" for line, number in seen.items()], "Warnings:")

"""Draw figures: the module of each one's name in jindbench/figures makes it, this writes what it returns.

A figure whose code fails does not fail the job: the reason is written in its place, `complete.py` ends the run with it.
"""

from pathlib import Path

from jindbench import io, plots, registry
from jindbench.execution import guard, job
from jindbench.plots import Drawn
from jindbench.plots.cells import joined


def draw(drawing):
    """Draw a figure and write its picture; returns what it is, and why it failed."""
    paths = [f"{drawing['picture']}.{kind}" for kind in ("svg", "png")]
    try:
        drawn = registry.component("figures", drawing["figure"]).draw(**drawing["files"], **drawing["values"])
        # Where there is nothing to draw, the files that Snakemake expects are empty pictures; the JSON says why.
        io.write_figure(drawn.picture or plots.empty(), *paths)
        return drawn, ""
    except Exception as error:
        reason = f"failed: {guard.reason_of(error)}"
        io.write_figure(plots.empty(), *paths)
        name = Path(drawing["picture"]).name
        return Drawn(None, name, (), tables=dict.fromkeys(drawing["tables"], joined([]))), reason


with job.run(snakemake):
    for drawing in snakemake.params.drawings:
        drawn, failed = draw(drawing)
        about = {"title": drawn.title, "drawn": drawn.picture is not None}
        about |= {"caption": list(drawn.caption), "missing": list(drawn.missing), "failed": failed}
        io.write_json(about, f"{drawing['picture']}.json")
        for name, table in drawn.tables.items():
            io.write_table(table, drawing["tables"][name])

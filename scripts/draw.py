"""Draw figures: the module of each one's name in jindbench/figures makes it, this writes what it returns."""

from jindbench import io, plots, registry
from jindbench.execution import job

with job.run(snakemake):
    for drawing in snakemake.params.drawings:
        drawn = registry.component("figures", drawing["figure"]).draw(**drawing["files"], **drawing["values"])
        # Where there is nothing to draw, the files that Snakemake expects are empty pictures; the JSON says why.
        picture = drawn.picture or plots.empty()
        io.write_figure(picture, f"{drawing['picture']}.svg", f"{drawing['picture']}.png")
        about = {"title": drawn.title, "drawn": drawn.picture is not None}
        about |= {"caption": list(drawn.caption), "missing": list(drawn.missing)}
        io.write_json(about, f"{drawing['picture']}.json")
        for name, table in drawn.tables.items():
            io.write_table(table, drawing["tables"][name])

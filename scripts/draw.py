"""Draw figures: the module of each one's name in jindbench/figures makes it, this writes what it returns."""

from jindbench import io, registry
from jindbench.execution import job

with job.run(snakemake):
    for drawing in snakemake.params.drawings:
        figure, tables = registry.component("figures", drawing["figure"]).draw(**drawing["files"], **drawing["values"])
        io.write_figure(figure, f"{drawing['picture']}.svg", f"{drawing['picture']}.png")
        for name, table in tables.items():
            io.write_table(table, drawing["tables"][name])

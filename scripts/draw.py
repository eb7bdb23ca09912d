"""Draw a figure: the module of the rule's name in jindbench/figures makes it, this writes what it returns."""

from jindbench import io, registry
from jindbench.execution import job

with job.run(snakemake):
    arguments = {**snakemake.input, **snakemake.params, **snakemake.wildcards}
    figure, tables = registry.component("figures", snakemake.rule).draw(**arguments)
    io.write_figure(figure, snakemake.output.svg, snakemake.output.png)
    for name, table in tables.items():
        io.write_table(table, snakemake.output[name])

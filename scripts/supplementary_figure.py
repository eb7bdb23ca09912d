"""Figures S1 to S4: all genes that differ, or the negative control, of one task of Figure 4."""

from jindbench import io, plots
from jindbench.execution import job
from jindbench.plots import heatmap, random_groups


def draw():
    """The figure and the table behind it."""
    if not snakemake.input.data:
        words = "Figure 4 shows one task in this run, so there is no second comparison."
        return plots.words(words), heatmap.nothing()
    record = io.read_json(snakemake.input.comparison[0])
    table = io.read_table(snakemake.input.data[0], text=["cell_id", "group"])
    title = snakemake.params.task_titles[record["task"]]
    if record["status"] != "ok":
        return plots.words(f"{title}\n{record['status']}"), table
    a, b = record["type_a"], record["type_b"]
    if snakemake.wildcards.figure in ("s1", "s2"):
        sizes = {f"{a} as {a}": record["n_first"], f"{a} as {b}": record["n_second"]}
        return heatmap.draw(table, sizes, f"{title}: all genes with adjusted p < {record['alpha']:g}"), table
    compared = f"{title}, {a} as {b}"
    return random_groups.draw({compared: table}, {compared: record["n_significant"]}, record["alpha"]), table


with job.run(snakemake):
    figure, table = draw()
    io.write_figure(figure, snakemake.output.svg, snakemake.output.png)
    io.write_table(table, snakemake.output.tsv)

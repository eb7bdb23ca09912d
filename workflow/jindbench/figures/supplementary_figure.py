"""Figures S1 to S4: all genes that differ (S1, S2), or the negative control (S3, S4), of one task of Figure 4."""

from jindbench import io
from jindbench.plots import Drawn, heatmap, random_groups

GENES = (
    "All genes that differ between the correctly labelled and the misclassified cells of a type, as z-scores of log "
    "expression; cells and genes in the order of a hierarchical clustering."
)
CONTROL = (
    "The negative control: how many genes differ between random groups of cells of one type, of the same sizes as "
    "the groups compared. The paper expects none, and shows one draw as a heatmap. The histogram of all draws shows "
    "how often that holds, the line the number that the comparison itself found."
)


def draw(comparison, data, tasks, figure):
    """The figure called `figure`."""
    record, table = io.read_json(comparison), io.read_table(data, text=["cell_id", "group"])
    task, of_genes = tasks[record["task"]], figure in ("s1", "s2")
    title = f"Figure {figure.upper()}: {'all genes that differ' if of_genes else 'the negative control'}, {task}"
    why = heatmap.impossible(record) if of_genes or record["status"] != "ok" else ""
    if why:
        return Drawn(None, title, [], [f"{title}: {why}"], {"tsv": table})
    found, alpha = record["n_significant"], record["alpha"]
    if of_genes:
        sizes, _ = heatmap.described(record)
        picture = heatmap.draw(table, sizes, f"{task}: all genes with adjusted p < {alpha:g}")
        return Drawn(picture, title, [GENES, f"{found} genes differ."], tables={"tsv": table})
    picture = random_groups.draw(table, found, f"{task}, {record['type_a']} as {record['type_b']}", alpha)
    return Drawn(picture, title, [CONTROL], tables={"tsv": table})

"""Figures S1 to S4: all genes that differ (S1, S2), or the negative control (S3, S4), of one task of Figure 4."""

from jindbench import io
from jindbench.plots import heatmap, random_groups, words


def draw(comparison, data, tasks, figure):
    """The figure called `figure`; `comparison` and `data` are empty where Figure 4 shows one task only."""
    if not data:
        why = "Figure 4 shows one task in this run, so there is no second comparison."
        return words(why), {"tsv": heatmap.nothing()}
    record, table = io.read_json(comparison[0]), io.read_table(data[0], text=["cell_id", "group"])
    title = tasks[record["task"]]
    if record["status"] != "ok":
        return words(f"{title}\n{record['status']}"), {"tsv": table}
    a, b, found, alpha = (record[key] for key in ("type_a", "type_b", "n_significant", "alpha"))
    if figure in ("s1", "s2"):
        sizes = {f"{a} as {a}": record["n_first"], f"{a} as {b}": record["n_second"]}
        return heatmap.draw(table, sizes, f"{title}: all genes with adjusted p < {alpha:g}"), {"tsv": table}
    return random_groups.draw(table, found, f"{title}, {a} as {b}", alpha), {"tsv": table}

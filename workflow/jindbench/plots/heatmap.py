"""Expression of the genes that differ between two groups of cells (paper, Figure 4 bottom, Figures S1 and S2)."""

import textwrap
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Patch

from jindbench.names import CELL_ID
from jindbench.plots import palette

GROUP = "group"
LIMIT = 3  # z-scores beyond are drawn as this
MOST_CELLS = 300  # of a group: more could not be told apart
MOST_NAMES = 60  # genes whose names can still be read
WIDEST = 90  # letters in a line of the title


def nothing() -> pd.DataFrame:
    """The table of groups that were not compared, as `order` gives it."""
    return pd.DataFrame(columns=[CELL_ID, GROUP])


def order(values: pd.DataFrame, groups: pd.Series, genes: Sequence[str], seed: int = 0) -> pd.DataFrame:
    """The heatmap as a table: z-scores of genes, cells and genes in the order of a hierarchical clustering.

    Parameters
    ----------
    values
        Cells x genes, indexed by cell id: log expression of all genes that differ between the groups, by which the
        cells are clustered (Ward, Euclidean distance of the z-scores).
    groups
        The group of each cell, by cell id.
    genes
        Those of the genes that are to be shown.
    seed
        Seed of the random sample: of a group of more than 300 cells so many are clustered and shown. The z-scores are
        over all cells.

    Returns
    -------
    One row for each cell shown: cell_id, group, then a column for each gene, its z-score clipped to -3 ... 3.
    """
    groups = groups.loc[values.index]
    deviation = values.std(ddof=0)
    scores = ((values - values.mean()) / deviation.where(deviation > 0, 1)).clip(-LIMIT, LIMIT)
    sampled = groups.sample(frac=1, random_state=seed).groupby(groups).head(MOST_CELLS).index
    scores = scores[groups.index.isin(sampled)]
    scores = scores.iloc[_clustered(scores.to_numpy())]
    shown = scores[list(genes)]
    shown = shown.iloc[:, _clustered(shown.to_numpy().T)]
    return pd.concat([groups.loc[shown.index].rename(GROUP), shown], axis=1).rename_axis(CELL_ID).reset_index()


def _clustered(rows: np.ndarray) -> np.ndarray:
    """Positions of the rows from top to bottom of their tree."""
    from scipy.cluster.hierarchy import leaves_list, linkage

    if len(rows) < 2 or rows.shape[1] == 0:
        return np.arange(len(rows))  # nothing to cluster, or nothing to cluster by
    return leaves_list(linkage(rows, "ward", optimal_ordering=True))


def impossible(record: dict) -> str:
    """Why two groups have no heatmap; "" if they have. `record` is that of their comparison."""
    if record["status"] != "ok":
        return record["status"]
    if record["n_significant"]:
        return ""
    a, b = record["type_a"], record["type_b"]
    groups = f"{a} as {a} ({record['n_first']} cells) and {a} as {b} ({record['n_second']} cells)"
    return f"no gene differs (adjusted p < {record['alpha']:g}, {record['model']}) between {groups}."


def described(record: dict) -> tuple[dict[str, int], str]:
    """The sizes of the two groups, and a title for their top genes."""
    a, b = record["type_a"], record["type_b"]
    title = f"Top of {record['n_significant']} genes with adjusted p < {record['alpha']:g} ({record['model']})"
    return {f"{a} as {a}": record["n_first"], f"{a} as {b}": record["n_second"]}, title


def draw(ordered: pd.DataFrame, sizes: dict[str, int], title: str) -> Figure:
    """Genes from top to bottom, cells from left to right, above them a bar with their groups.

    Parameters
    ----------
    ordered
        As `order` gives it.
    sizes
        Cells of the two groups, shown or not.
    title
        Of the figure. What is shown (genes, cells of each group) is written below it.
    """
    genes = ordered.columns.drop([CELL_ID, GROUP])
    figure = plt.figure(figsize=(8, _height(len(genes)) + 1.6), layout="constrained")
    draw_on(figure, ordered, sizes, title)
    return figure


def _height(n_genes: int) -> float:
    """Inches."""
    return max(0.17 * n_genes, 2) if n_genes <= MOST_NAMES else 7


def draw_on(figure: Figure | SubFigure, ordered: pd.DataFrame, sizes: dict[str, int], title: str) -> None:
    """The same on a figure, or a part of one, that is there already."""
    genes = ordered.columns.drop([CELL_ID, GROUP])
    named, height = len(genes) <= MOST_NAMES, _height(len(genes))
    bar, panel = figure.subplots(2, height_ratios=[0.18, height], sharex=True)
    colours = dict(zip(sizes, palette.GROUPS, strict=True))
    codes = ordered[GROUP].map({group: code for code, group in enumerate(sizes)})
    bar.imshow(
        codes.to_numpy()[None],
        aspect="auto",
        interpolation="nearest",
        cmap=ListedColormap(palette.GROUPS),
        vmin=-0.5,
        vmax=1.5,
    )
    bar.set_axis_off()
    shown = ordered[GROUP].value_counts()
    labels = [f"{group}: {_of(shown.get(group, 0), n)} cells" for group, n in sizes.items()]
    figure.legend(
        handles=[Patch(color=colours[group], label=label) for group, label in zip(sizes, labels, strict=True)],
        loc="outside upper center",
        ncols=len(sizes),
        fontsize=9,
        frameon=False,
        title=textwrap.fill(title, WIDEST),
    )
    panel.spines[:].set_visible(True)
    image = panel.imshow(
        ordered[genes].to_numpy(dtype=float).T,
        aspect="auto",
        interpolation="nearest",
        cmap=palette.DIVERGING,
        vmin=-LIMIT,
        vmax=LIMIT,
    )
    panel.set_xticks([])
    panel.set_yticks(range(len(genes)) if named else [], genes if named else [], fontsize=8)
    panel.yaxis.tick_right()
    panel.set_ylabel(f"{len(genes)} genes")
    panel.set_xlabel("cells, clustered")
    label = f"expression, z-score of the gene\n(clipped to ±{LIMIT})"
    figure.colorbar(image, ax=panel, label=label, shrink=min(1, 3 / height), pad=0.02)


def _of(shown: int, total: int) -> str:
    return f"{total}" if shown == total else f"{shown} (a random sample) of {total}"

"""The rules of a run: which reads what which other wrote."""

from collections.abc import Iterable

import matplotlib.pyplot as plt
import networkx as nx
from matplotlib.figure import Figure

from jindbench.plots import palette

TITLE = "Rules of this run"
CAPTION = (
    "From the top to the bottom: an arrow leads from a rule to one that reads what it wrote, by the records of this "
    "run's jobs. Arrows that longer ways imply are left out.",
)
WIDTH, HEIGHT = 1.3, 0.75  # inches for a rule


def draw(edges: Iterable[tuple[str, str]]) -> Figure:
    """One box for each rule, below all those that it rests on.

    Parameters
    ----------
    edges
        Pairs of rules: the second reads what the first wrote.
    """
    graph = nx.transitive_reduction(nx.DiGraph(edges))
    layers = [sorted(layer) for layer in nx.topological_generations(graph)]
    widest = max(map(len, layers))
    places = {
        name: ((k + 0.5) * widest / len(layer), -depth)
        for depth, layer in enumerate(layers)
        for k, name in enumerate(layer)
    }
    figure, panel = plt.subplots(figsize=(WIDTH * widest, HEIGHT * len(layers)), layout="constrained")
    for before, after in sorted(graph.edges):  # the reduction gives them in any order
        arrow = {"arrowstyle": "-|>", "color": palette.BLACK, "shrinkA": 12, "shrinkB": 12, "linewidth": 0.8}
        panel.annotate("", places[after], places[before], arrowprops=arrow)
    for name, place in places.items():
        box = {"boxstyle": "round", "facecolor": "white", "edgecolor": palette.BLACK}
        panel.text(*place, name.replace("_", "\n", 1), ha="center", va="center", fontsize=7, bbox=box)
    panel.set(xlim=(0, widest), ylim=(0.5 - len(layers), 0.5))
    panel.axis("off")
    return figure

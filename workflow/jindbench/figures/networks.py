"""Figure S5: the four networks, traced from the modules that are trained, so that the figure is what the code does."""

import matplotlib.pyplot as plt
import pandas as pd
import torch
from matplotlib.axes import Axes
from torch import Tensor, fx, nn
from torch.fx.passes.shape_prop import ShapeProp

from jindbench.jind.networks import LATENT, Classifier, Discriminator, Encoder, Generator
from jindbench.jind.parameters import AlignmentParameters, ClassifierParameters
from jindbench.plots import Drawn, lettered, palette

# Numbers that no layer has, and what they stand for.
GENES, TYPES = 10_007, 10_009
SYMBOLS = {GENES: "M genes", TYPES: "K types"}
SETTINGS = {nn.Dropout: "p", nn.LeakyReLU: "negative_slope"}
COLOURS = {"input": palette.YELLOW, "Linear": palette.SKY}

TITLE = "Figure S5: the four networks"
CAPTION = (
    "Drawn from the modules that are trained. M is the number of genes, K that of types, h the latent code. Blue "
    "boxes are linear layers with the sizes of their input and output, yellow boxes are inputs. The generator's "
    "scale and shift are two networks whose first layers are computed as one; drawn with the settings of the preset "
    "paper."
)


def draw():
    """A panel for each network: its steps from top to bottom, as the preset `paper` has them."""
    encoder, alignment = ClassifierParameters(), AlignmentParameters()
    with torch.device("meta"):  # sizes only
        x, h = torch.empty(1, GENES), torch.empty(1, LATENT)
        traced = {
            "encoder F": steps(Encoder(GENES, encoder.dropout, encoder.noise), x, concrete_args={"input_shift": None}),
            "classifier P": steps(Classifier(TYPES), h),
            "generator G": steps(Generator(GENES, after_relu=alignment.after_relu), x, h),
            "discriminator D": steps(Discriminator(alignment.leaky_slope), h),
        }
    depth = max(table["depth"].max() for table in traced.values())
    lanes = [table["lane"].max() + 1 for table in traced.values()]
    figure, panels = plt.subplots(
        1,
        len(traced),
        figsize=(2.1 * sum(lanes), 0.8 + 0.6 * depth),
        width_ratios=lanes,
        sharey=True,
        layout="constrained",
    )
    for panel, (title, table) in zip(panels, traced.items(), strict=True):
        _boxes(panel, table)
        panel.set_title(title, fontsize=11)
    panels[0].set_ylim(-depth - 0.5, 0.5)
    table = pd.concat([table.assign(network=title) for title, table in traced.items()])
    lettered(panels)
    return Drawn(figure, TITLE, [CAPTION], tables={"steps": table[["network", "step", "kind", "text", "from"]]})


def steps(network: nn.Module, *inputs: Tensor, **options) -> pd.DataFrame:
    """What a network's `forward` does, one row for each step that returns a tensor.

    Returns
    -------
    Columns step, kind (a layer's class, "input", or an operation's name), text, from (the steps whose tensors it reads,
    separated by spaces); and the place in the drawing: depth, counted from the top, and lane.
    """
    traced = fx.symbolic_trace(network, **options)
    ShapeProp(traced).propagate(*inputs)
    nodes = {node: _inputs(node) for node in traced.graph.nodes if _is_tensor(node) and node.op != "output"}
    depths, lanes = {}, {}
    for node, read in nodes.items():
        depths[node] = max((depths[other] + 1 for other in read), default=0)
    for node in nodes:  # an input stands above the first step that reads it
        if node.op == "placeholder":
            depths[node] = min(depths[other] for other, read in nodes.items() if node in read) - 1
    _lane([*nodes][-1], nodes, lanes)
    rows = []
    for node, read in nodes.items():
        module = network.get_submodule(node.target) if node.op == "call_module" else None
        kind = type(module).__name__ if module else "input" if node.op == "placeholder" else node.name.split("_")[0]
        place = {"depth": depths[node], "lane": lanes[node]}
        text = _text(node, kind, read, module)
        rows.append({"step": node.name, "kind": kind, "text": text, "from": " ".join(map(str, read))} | place)
    return pd.DataFrame(rows)


def _inputs(node: fx.Node) -> list[fx.Node]:
    """The steps before this one that return a tensor, looking through those that do not."""
    found = []
    for other in node.all_input_nodes:
        found += [other] if _is_tensor(other) else _inputs(other)
    return found


def _is_tensor(node: fx.Node) -> bool:
    return node.meta.get("type") is Tensor


def _lane(node: fx.Node, nodes: dict[fx.Node, list[fx.Node]], lanes: dict[fx.Node, float]) -> float:
    """Each branch has a lane of its own; a step that joins some stands between them."""
    if node not in lanes:
        before = [_lane(other, nodes, lanes) for other in nodes[node] if other not in lanes]
        lanes[node] = sum(before) / len(before) if before else len({int(lane) for lane in lanes.values()})
    return lanes[node]


def _text(node: fx.Node, kind: str, read: list[fx.Node], module: nn.Module | None) -> str:
    size, before = _size(node), " and ".join(map(_size, read))
    constants = [str(value) for value in node.args if isinstance(value, int | float)]
    if kind == "input":
        return f"{node.name}: {size}"
    if kind == "Linear":
        return f"{before} → {size}"
    if kind == "getitem":
        return f"{size} of {before}"
    if kind in ("add", "mul"):
        return " ".join(["×" if kind == "mul" else "+", *constants])
    if module and type(module) in SETTINGS:
        return f"{kind} {getattr(module, SETTINGS[type(module)])}"
    return {"relu": "ReLU"}.get(kind, kind)


def _size(node: fx.Node) -> str:
    width = node.meta["tensor_meta"].shape[1:].numel()
    return SYMBOLS.get(width, str(width))


def _boxes(panel: Axes, table: pd.DataFrame) -> None:
    places = table.set_index("step")[["lane", "depth"]]
    for row in table.itertuples():
        for other in table.loc[row.Index, "from"].split():
            lane, depth = places.loc[other]
            panel.plot([lane, row.lane], [-depth, -row.depth], color=palette.LEADER, linewidth=1, zorder=1)
        box = {"boxstyle": "round", "facecolor": COLOURS.get(row.kind, "white"), "edgecolor": palette.LEADER}
        panel.text(row.lane, -row.depth, row.text, ha="center", va="center", fontsize=9, bbox=box, zorder=2)
    panel.set_xlim(-0.5, table["lane"].max() + 0.5)
    panel.set_axis_off()

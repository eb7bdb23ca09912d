"""Figure 5 of the paper: a target with a type that the source lacks; its clusters and what they are mapped to."""

import matplotlib.pyplot as plt
import pandas as pd

from jindbench import io, predictions
from jindbench.names import CELL_ID
from jindbench.plots import alluvial, cells, palette, tsne_panels, words
from jindbench.scoring import novel_types


def draw(tsne, codes, predicted, sources, solutions, outcomes, tasks, methods, without):
    """For each task: tSNE before alignment, alluvial plot; below tSNE after alignment, and the clusters' distances."""
    shown, missing = cells.of_each_task(tasks, without, outcomes, methods, tsne, codes, predicted, sources, solutions)
    if not shown:
        return words(missing), dict.fromkeys(("points", "flows", "clusters"), cells.joined([]))
    figure = plt.figure(figsize=(17, 11 * len(shown)), layout="constrained")
    points, flows, clusters = [], [], []
    for part, of_task in zip(figure.subfigures(len(shown), 1, squeeze=False).flat, shown, strict=True):
        task, of_tsne, of_codes, [_, labelled], [source], [solution] = of_task
        truth, table, labels = io.read_solution(solution), predictions.read(labelled), io.read_source_labels(source)
        before, after = (cells.typed(cells.read_points(path), labels, truth) for path in of_tsne)
        found, described = _clusters(after, *map(io.read_h5ad, of_codes), labels, truth, table)
        after = after.assign(cluster=after[CELL_ID].map(found).where(after["side"] == "target"))
        flow = alluvial.flows(truth, table)
        new = ", ".join(sorted(set(truth) - set(labels)))

        none = "none: this task lacks what the figure is about"
        part.suptitle(f"{tasks[task]}. New types in the target: {new or none}")
        panels, of_types = part.subplots(2, 3), palette.of_types(before["type"])
        tsne_panels.by_category(panels[0, 0], before, "side", palette.SIDES, "before alignment, by batch")
        tsne_panels.by_category(panels[0, 1], before, "type", of_types, "before alignment, by true type")
        alluvial.draw(panels[0, 2], flow, of_types, "after alignment, true to predicted type")
        tsne_panels.by_category(panels[1, 0], after, "side", palette.SIDES, "after alignment, by batch")
        tsne_panels.by_category(panels[1, 1], after, "type", of_types, "after alignment, by true type")
        tsne_panels.distances(panels[1, 2], described, "clusters of the target: distance to the source's types")

        points += [placed.assign(task=task, stage=stage) for placed, stage in ((before, "before"), (after, "after"))]
        flows.append(flow.assign(task=task))
        clusters.append(described.assign(task=task, new_types=new))
    figure.supxlabel(missing, fontsize=8)
    return figure, {"points": cells.joined(points), "flows": cells.joined(flows), "clusters": cells.joined(clusters)}


def _clusters(after, unaligned, codes, labels, truth, table) -> tuple[pd.Series, pd.DataFrame]:
    """The cluster of each of the target's cells by cell_id, and a row for each cluster, see `novel_types`."""
    of_target = (codes.obs["side"] == "target").to_numpy()
    places = after[after["side"] == "target"].set_index(CELL_ID).loc[codes.obs[CELL_ID][of_target]]
    found = novel_types.clusters(places[["tsne_1", "tsne_2"]])
    types = labels.loc[codes.obs[CELL_ID][~of_target]].to_numpy(dtype=str)
    mapped = novel_types.mapping(codes.X[~of_target], types, codes.X[of_target], found.to_numpy())
    matched = novel_types.matches(unaligned.X[~of_target], types, unaligned.X[of_target], found.to_numpy())
    described = novel_types.describe(found, truth, table)
    return found, mapped.merge(matched, on="cluster").merge(described, on="cluster")

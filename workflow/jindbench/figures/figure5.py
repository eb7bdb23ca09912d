"""Figure 5 of the paper: a target with a type that the source lacks; its clusters and what they are mapped to."""

import matplotlib.pyplot as plt
import pandas as pd

from jindbench import io, predictions
from jindbench.names import CELL_ID, LABEL, UNASSIGNED
from jindbench.plots import Drawn, alluvial, cells, lettered, palette, tsne_panels
from jindbench.scoring import novel_types

TITLE = "Figure 5: a type that the source lacks"
CAPTION = (
    "The target has a type that the source lacks. The alluvial plot shows which labels its cells get. The table shows "
    "how far each cluster of the target (DBSCAN on the tSNE of its aligned codes) lies from each of the source's "
    "types; stars mark the assignment of clusters to types with the smallest sum of distances. A cluster is called "
    "novel if its centroid, before alignment, is farther from that of the nearest type than 95 % of that type's own "
    "cells are. First seed."
)


def draw(tsne, codes, predicted, sources, solutions, outcomes, all_sources, all_solutions, tasks, methods, without):
    """For each task: tSNE before alignment, alluvial plot; below tSNE after alignment, and the clusters' distances."""
    shown, missing = cells.of_each_task(tasks, without, outcomes, methods, tsne, codes, predicted, sources, solutions)
    if not shown:
        return Drawn(None, TITLE, [], missing, dict.fromkeys(("points", "flows", "clusters"), cells.joined([])))
    figure = plt.figure(figsize=(17, 11 * len(shown)), layout="constrained")
    points, flows, clusters, sentences, lettered_panels = [], [], [], [], []
    of_types = cells.colours(all_sources, all_solutions)
    for part, of_task in zip(figure.subfigures(len(shown), 1, squeeze=False).flat, shown, strict=True):
        task, of_tsne, of_codes, [_, labelled], [source], [solution] = of_task
        truth, table, labels = io.read_solution(solution), predictions.read(labelled), io.read_source_labels(source)
        before, after = (cells.typed(cells.read_points(path), labels, truth) for path in of_tsne)
        found, described = _clusters(after, *map(io.read_h5ad, of_codes), labels, truth, table)
        after = after.assign(cluster=after[CELL_ID].map(found).where(after["side"] == "target"))
        flow = alluvial.flows(truth, table)
        new = sorted(set(truth) - set(labels))

        part.suptitle(f"{tasks[task]}. New types in the target: {', '.join(new) or 'none'}")
        panels = part.subplots(2, 3)
        for row, (stage, placed) in zip(panels, (("before", before), ("after", after)), strict=True):
            tsne_panels.by_category(row[0], placed, "side", palette.SIDES, f"{stage} alignment, by batch")
            tsne_panels.by_category(row[1], placed, "type", of_types, f"{stage} alignment, by true type")
            tsne_panels.names(row[1], placed)
            points.append(placed.assign(task=task, stage=stage))
        alluvial.draw(panels[0, 2], flow, of_types, "after alignment, true to predicted type")
        if described.empty:
            panels[1, 2].set_visible(False)
            missing.append(f"Clusters of {tasks[task]}: DBSCAN found none.")
        else:
            tsne_panels.distances(panels[1, 2], described, "clusters of the target: distance to the source's types")
        lettered_panels += [panel for panel in panels.flat if panel.get_visible()]

        sentences += [f"{tasks[task]}: {_fate(name, truth, table, found, described)}" for name in new]
        flows.append(flow.assign(task=task))
        clusters.append(described.assign(task=task, new_types=", ".join(new)))
    lettered(lettered_panels)
    tables = {"points": cells.joined(points), "flows": cells.joined(flows), "clusters": cells.joined(clusters)}
    return Drawn(figure, TITLE, [CAPTION, *sentences], missing, tables)


def _fate(name: str, truth: pd.Series, table: pd.DataFrame, found: pd.Series, described: pd.DataFrame) -> str:
    """What became of the cells of a new type, in words."""
    own = truth.index[truth == name]
    labels = table.set_index(CELL_ID).loc[own, LABEL].value_counts()
    known = labels.drop(UNASSIGNED, errors="ignore")
    taken_for = f", {known.iloc[0]} taken for {known.index[0]}" if len(known) else ""
    sentence = f"of {len(own)} cells of {name}, {labels.get(UNASSIGNED, 0)} are rejected{taken_for}."
    clustered = found.reindex(own).drop(found.index[found == novel_types.NOISE], errors="ignore").dropna()
    if clustered.empty:
        return f"{sentence} None lies in a cluster."
    most = clustered.value_counts()
    row = described.set_index("cluster").loc[most.index[0]]
    return (
        f"{sentence} {most.iloc[0]} lie in cluster {most.index[0]:.0f} with {row['n_cells'] - most.iloc[0]} other "
        f"cells; it is called {'novel' if row['novel'] else 'known'}."
    )


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

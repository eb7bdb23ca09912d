"""Figure 5: a target with a type that the source lacks; its clusters and what they are mapped to."""

from jindbench import io, predictions
from jindbench.execution import job
from jindbench.names import CELL_ID
from jindbench.plots import alluvial, cells, figure5
from jindbench.scoring import novel_types

with job.run(snakemake):
    missing = cells.missing(snakemake.params.without, snakemake.input.outcomes, snakemake.params.method_titles)
    drawn, points, flows, clusters = [], [], [], []
    for task, tsne_before, tsne_after, codes_before, codes_after, predicted, source_file, solution in zip(
        snakemake.params.tasks,
        snakemake.input.tsne[0::2],
        snakemake.input.tsne[1::2],
        snakemake.input.codes[0::2],
        snakemake.input.codes[1::2],
        *(snakemake.input[key] for key in ("predictions", "sources", "solutions")),
    ):
        if task in missing:
            continue
        truth, table = io.read_solution(solution), predictions.read(predicted)
        types = cells.source_labels(source_file)
        before, after = (cells.typed(cells.read_points(path), types, truth) for path in (tsne_before, tsne_after))
        unaligned, codes = io.read_h5ad(codes_before), io.read_h5ad(codes_after)
        of_target = (codes.obs["side"] == "target").to_numpy()
        target_cells = codes.obs[CELL_ID][of_target]
        places = after[after["side"] == "target"].set_index(CELL_ID).loc[target_cells, ["tsne_1", "tsne_2"]]
        found = novel_types.clusters(places)
        labels = types.loc[codes.obs[CELL_ID][~of_target]].to_numpy(dtype=str)
        mapped = novel_types.mapping(codes.X[~of_target], labels, codes.X[of_target], found.to_numpy())
        matched = novel_types.matches(unaligned.X[~of_target], labels, unaligned.X[of_target], found.to_numpy())
        described = novel_types.describe(found, truth, table)
        of_task = mapped.merge(matched, on="cluster").merge(described, on="cluster")
        after = after.assign(cluster=after[CELL_ID].map(found).where(after["side"] == "target"))
        flow = alluvial.flows(truth, table)
        new = sorted(set(truth) - set(labels))
        drawn.append(figure5.NovelTypes(snakemake.params.task_titles[task], before, after, flow, of_task, new))
        points += [placed.assign(task=task, stage=stage) for placed, stage in ((before, "before"), (after, "after"))]
        flows.append(flow.assign(task=task))
        clusters.append(of_task.assign(task=task, new_types=", ".join(new)))
    io.write_figure(
        figure5.draw(drawn, cells.titled(missing, snakemake.params.task_titles)),
        snakemake.output.svg,
        snakemake.output.png,
    )
    io.write_table(cells.joined(points), snakemake.output.points)
    io.write_table(cells.joined(flows), snakemake.output.flows)
    io.write_table(cells.joined(clusters), snakemake.output.clusters)

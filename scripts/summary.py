"""What sums up the run: one page as Markdown, and the report with all figures and tables."""

from collections import Counter
from pathlib import Path

import pandas as pd

from jindbench import io
from jindbench.execution import job, records
from jindbench.names import STAYS_UNALIGNED
from jindbench.plots import rule_graph
from jindbench.render import Written
from jindbench.tables import claims, report, summary, table1, table2_extended
from jindbench.tables.findings import Findings


def written(name):
    """A table as Markdown and as a page; nothing where the run has none."""
    texts = [Path(path).read_text(encoding="utf-8") for path in snakemake.input[name]]
    return Written(*texts) if texts else None


with job.run(snakemake):
    names = ["task", "method", "question", "first", "second", "type", "label", "status", "confused_with"]
    outcomes = [io.read_json(path) for path in snakemake.input.outcomes]
    runs = Counter((outcome["task"], outcome["method"]) for outcome in outcomes)
    refused = Counter(
        (outcome["task"], outcome["method"])
        for outcome in outcomes
        if any(text.endswith(STAYS_UNALIGNED) for text in outcome["warnings"])
    )
    found = Findings(
        *(
            io.read_table(snakemake.input[table], text=names)
            for table in ("scores", "comparisons", "rejection", "confusion", "per_type")
        ),
        methods=snakemake.params.methods,
        tasks=snakemake.params.tasks,
        stages=snakemake.params.titles,
        reference=snakemake.params.reference,
        not_kept={run: (refused[run], runs[run]) for run in refused},
    )
    sentences, printed = None, None
    if snakemake.input.claims:
        sentences = io.read_table(snakemake.input.claims, text=claims.COLUMNS)
        names = ["task", "method", "metric", "printed", "status"]
        of_table2 = table2_extended.verdicts(io.read_table(snakemake.input.table2_extended, text=names))
        of_table1 = table1.verdicts(io.read_table(snakemake.input.table1, text=["dataset"]))
        printed = pd.concat([of_table1, of_table2])
    figures = report.about(snakemake.input.figures)
    sections = summary.sections(
        {title: snakemake.params.splits[task] for task, title in snakemake.params.tasks.items()},
        snakemake.params.seeds,
        snakemake.params.command,
        found,
        outcomes,
        [io.read_json(path) for path in snakemake.input.timed],
        [f"{figure['title']} is not drawn: {figure['failed']}" for figure in figures.values() if figure["failed"]],
        list(dict.fromkeys(reason for figure in figures.values() for reason in figure["missing"])),
        written("table2"),
        printed,
        sentences,
        written("held_out_types"),
        written("runtime"),
        io.read_table(snakemake.input.provenance, text=["fact", "value"]),
        snakemake.params.titles,
    )
    io.write_text(summary.markdown(snakemake.params.run, sections), snakemake.output.summary)
    tables = dict(zip(snakemake.params.headings, snakemake.input.tables))
    results = Path(snakemake.output.rules).parent
    graph = rule_graph.draw(records.edges_of_rules(results, results.with_name("data")))
    io.write_figure(graph, snakemake.output.rules)
    page = report.page(snakemake.params.run, sections, figures, tables, snakemake.output.rules)
    io.write_text(page, snakemake.output.report)

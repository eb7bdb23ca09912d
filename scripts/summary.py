"""The page that sums up the run."""

from pathlib import Path

import pandas as pd

from jindbench import io
from jindbench.execution import job
from jindbench.tables import claims, summary, table1, table2_extended

with job.run(snakemake):
    printed = [
        table1.verdicts(io.read_table(snakemake.input.table1, text=["dataset"])),
        table2_extended.verdicts(
            io.read_table(snakemake.input.table2_extended, text=["task", "method", "metric", "printed", "status"])
        ),
    ]
    io.write_text(
        summary.page(
            snakemake.params.run,
            snakemake.params.tasks,
            snakemake.params.seeds,
            [io.read_json(path) for path in snakemake.input.outcomes],
            [io.read_json(path) for path in snakemake.input.timed],
            Path(snakemake.input.table2).read_text(encoding="utf-8"),
            pd.concat(printed),
            io.read_table(snakemake.input.claims, text=claims.COLUMNS),
            Path(snakemake.input.held_out_types).read_text(encoding="utf-8"),
            Path(snakemake.input.runtime).read_text(encoding="utf-8"),
            io.read_table(snakemake.input.provenance, text=["fact", "value"]),
            snakemake.params.titles,
        ),
        snakemake.output[0],
    )

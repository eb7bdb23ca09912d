"""All comparisons of the run: a table of them, the genes of each, and one workbook."""

import pandas as pd

from jindbench import io
from jindbench.execution import job
from jindbench.tables import differential_expression as de

with job.run(snakemake):
    records = [io.read_json(path) for path in snakemake.input.comparisons]
    genes = [io.read_table(path, text=["gene"]) for path in snakemake.input.genes]
    controls = [io.read_table(path) for path in snakemake.input.controls]
    table = pd.DataFrame(records).reindex(columns=de.COLUMNS)
    io.write_table(table, snakemake.output.comparisons)
    every = [
        of_task.rename(columns={"log2_fold_change": "log_fold_change"}).assign(task=record["task"])
        for record, of_task in zip(records, genes)
        if len(of_task)
    ]
    joined = pd.concat(every) if every else pd.DataFrame(columns=["task", "gene", "log_fold_change", "adjusted_p"])
    io.write_table(joined, snakemake.output.genes)
    sheets = {"comparisons": table}
    for record, of_task, control in zip(records, genes, controls):
        sheets[f"{record['task']}"] = of_task
        sheets[f"control {record['task']}"] = control
    de.workbook(snakemake.output.workbook, sheets)
    shown = de.shown(table.replace({"task": snakemake.params.task_titles}))
    io.write_text(shown.page(f"Differential expression ({snakemake.params.run})"), snakemake.output.html)

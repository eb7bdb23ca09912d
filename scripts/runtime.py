"""The runtime table, as TSV, Markdown and HTML."""

from jindbench import io
from jindbench.execution import job
from jindbench.tables import runtime

with job.run(snakemake):
    outcomes = [io.read_json(path) for path in snakemake.input.outcomes]
    table = runtime.table(outcomes, snakemake.params.work, snakemake.params.reference)
    titles = {"task": snakemake.params.task_titles, "method": snakemake.params.method_titles}
    titles["compared_with"] = titles["method"] | {
        f"{name} in total": f"{title} in total" for name, title in titles["method"].items()
    }
    shown = runtime.shown(table.replace(titles), [titles["task"][task] for task in snakemake.params.beside_others])
    shown.write(table, f"Run times ({snakemake.params.run})", snakemake.output.tsv)

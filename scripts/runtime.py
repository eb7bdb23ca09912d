"""The runtime table, as TSV, Markdown and HTML."""

from jindbench import io
from jindbench.execution import job
from jindbench.tables import runtime

with job.run(snakemake):
    outcomes = [io.read_json(path) for path in snakemake.input.outcomes]
    table = runtime.table(outcomes, *(snakemake.params[key] for key in ("parents", "reference", "alignment")))
    titles = {"task": snakemake.params.task_titles, "method": snakemake.params.method_titles}
    titles["compared_with"] = titles["method"] | {
        f"{name} in total": f"{title} in total" for name, title in titles["method"].items()
    }
    io.write_table(table, snakemake.output.tsv)
    io.write_text(runtime.markdown(table.replace(titles)), snakemake.output.md)
    io.write_text(runtime.html(table.replace(titles), f"Run times ({snakemake.params.run})"), snakemake.output.html)

# `snakemake --cores N` runs the benchmark that config/config.yaml selects; `snakemake annotate` labels a user's own cells.
# See README.md and config/README.md.
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")


include: "workflow/rules/library.smk"


# What the configuration asks for: `annotate` has nothing of the benchmark, not its configuration, data or checks.
if {"reference", "query"} & config.keys():

    include: "workflow/rules/annotate.smk"

else:

    include: "workflow/rules/benchmark.smk"

    rule all:
        default_target: True
        input:
            targets(f"results/{RUN}/complete.txt"),

    def keys_of_annotate(wildcards):
        raise InputError(
            "annotate.reference: this key is required: --config reference=... query=..."
        )

    rule annotate:
        input:
            keys_of_annotate,

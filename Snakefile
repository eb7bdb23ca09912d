# `snakemake --cores N` runs the benchmark that config/config.yaml selects; `snakemake annotate` labels a user's own cells.
# See README.md and config/README.md.
from dataclasses import asdict
from pathlib import Path

from snakemake.common.configfile import load_configfile
from snakemake.utils import min_version, update_config

min_version("9.0")


include: "workflow/rules/setup.smk"


# What the configuration asks for: `annotate` has nothing of the benchmark, not its configuration, data or checks.
if {"reference", "query"} & config.keys():

    include: "workflow/rules/annotate.smk"

else:

    configfile: LIBRARY.parent / "config/config.yaml"

    # A module that is given its configuration skips `configfile:`.
    if workflow.modifier.skip_configfile:
        own = load_configfile(LIBRARY.parent / "config/config.yaml")
        update_config(own, config)
        config = own

    include: "workflow/rules/common.smk"
    include: "workflow/rules/jobs.smk"
    include: "workflow/rules/shown.smk"
    include: "workflow/rules/data.smk"
    include: "workflow/rules/methods.smk"
    include: "workflow/rules/results.smk"
    include: "workflow/rules/complexity.smk"
    include: "workflow/rules/rejection.smk"
    include: "workflow/rules/held_out_types.smk"
    include: "workflow/rules/runtime.smk"
    include: "workflow/rules/differential_expression.smk"
    include: "workflow/rules/embeddings.smk"
    include: "workflow/rules/figures.smk"
    include: "workflow/rules/claims.smk"
    include: "workflow/rules/complete.smk"
    include: "workflow/rules/estimate.smk"

    if CHECKED_RUNS:

        include: "workflow/rules/check_pbmc.smk"

    rule all:
        default_target: True
        input:
            targets(f"results/{RUN}/complete.txt"),

    onstart:
        if workflow.local_exec:
            needed = costs.estimate(costs.workload(CONFIG))
            for warning in costs.warnings(needed, costs.Machine.here(ALL_CORES, ".")):
                logger.warning(f"May not fit: {warning}")

    localrules:
        all,
        datasets,
        estimate,
        tables,

    rule annotate:
        input:
            keys_of_annotate,

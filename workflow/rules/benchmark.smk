# The benchmark: what the configuration selects.
from dataclasses import asdict


configfile: LIBRARY.parent / "config/config.yaml"


report: "../report/workflow.rst"


include: "common.smk"
include: "shown.smk"
include: "data.smk"
include: "methods.smk"
include: "results.smk"
include: "complexity.smk"
include: "rejection.smk"
include: "held_out_types.smk"
include: "runtime.smk"
include: "differential_expression.smk"
include: "latent_codes.smk"
include: "figures.smk"
include: "claims.smk"
include: "complete.smk"
include: "estimate.smk"


onstart:
    if workflow.local_exec:
        for warning in costs.warnings(*costs.estimate_here(CONFIG, ALL_CORES)):
            logger.warning(f"May not fit: {warning}")


localrules:
    all,
    datasets,
    estimate,
    tables,

# `snakemake --cores N` runs the benchmark that config/config.yaml selects; `snakemake annotate` labels a user's own cells.
# See README.md and config/README.md.
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")


include: "workflow/rules/library.smk"


# Snakemake tells a Snakefile no targets, and `annotate` has nothing of the benchmark: not its configuration, data or checks.
# Jobs that a Snakemake starts (on a cluster) have the target with a colon.
if any(argument.partition(":")[0] == "annotate" for argument in sys.argv[1:]):

    include: "workflow/rules/annotate.smk"

else:

    include: "workflow/rules/benchmark.smk"

    rule all:
        default_target: True
        input:
            f"results/{RUN}/complete.txt",

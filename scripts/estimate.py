"""Print what the configured run will take on this machine, step by step, and what will not fit."""

import pandas as pd

from jindbench.execution import costs, job

with job.run(snakemake):
    machine = costs.Machine.here(snakemake.params.cores, ".")
    print(costs.report(pd.DataFrame(snakemake.params.workload), machine))

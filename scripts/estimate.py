"""Print what the configured run will take on this machine, step by step, and what will not fit."""

import pandas as pd

from jindbench.execution import costs, job

with job.run(snakemake):
    print(costs.report(*costs.estimate_here(pd.DataFrame(snakemake.params.workload), snakemake.params.cores)))

# `snakemake estimate`: what the configured run will take, before it starts. It prints, and makes no file.


rule estimate:
    input:
        recovered,
    log:
        f"results/{RUN}/logs/estimate.log",
    conda:
        "../../envs/python.yaml"
    resources:
        **SMALL,
    params:
        code=code_of_script("estimate"),
        cores=ALL_CORES,
        # A function: sizes of files are looked up for this job, not whenever the Snakefile is read.
        workload=lambda wildcards: costs.workload(CONFIG).to_dict("records"),
    script:
        "../../scripts/estimate.py"

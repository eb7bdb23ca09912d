# `snakemake check_pbmc`: the preset `published` on the paper's PBMC file, beside what the authors' notebooks show of their own
# runs on it. A download of 84 MB and three short jobs prove or refute JIND as a whole.


rule check_pbmc:
    input:
        recovered,
        outcomes=every_run(OUTCOME, CHECKED_RUNS),
        predictions=every_run(PREDICTIONS, CHECKED_RUNS),
        models=every_run(MODEL, CHECKED_RUNS),
        solution=f"results/{RUN}/tasks/{CHECKED_TASK}/solution.tsv.gz",
        theirs=os.path.relpath(LIBRARY / "resources/authors_runs.tsv"),
    output:
        tsv=f"results/{RUN}/tables/check_pbmc.tsv",
        md=f"results/{RUN}/tables/check_pbmc.md",
    log:
        f"results/{RUN}/logs/check_pbmc.log",
    benchmark:
        f"results/{RUN}/benchmarks/check_pbmc.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **SMALL,
    params:
        code=code_of_script("check_pbmc"),
        stages=[CONFIG.methods[method].method for _, method, _ in CHECKED_RUNS],
    script:
        "../../scripts/check_pbmc.py"

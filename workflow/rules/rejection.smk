# Rejection as a result of its own, for every method of Table 2, and which differences between methods are real.


# Of the methods whose models hold what thresholds follow from.
JIND_RUNS = [run for run in TABLE2_RUNS if CONFIG.methods[run[1]].method in ("jind", "jind_plus")]


rule rejection:
    input:
        recovered,
        outcomes=every_run(OUTCOME, TABLE2_RUNS),
        predictions=every_run(PREDICTIONS, TABLE2_RUNS),
        solutions=SOLUTIONS,
        sources=expand("results/{run}/tasks/{task}/source.h5ad", run=RUN, task=CONFIG.run.tasks),
        jind_outcomes=every_run(OUTCOME, JIND_RUNS),
        jind_predictions=every_run(PREDICTIONS, JIND_RUNS),
        jind_models=every_run(MODEL, JIND_RUNS),
    output:
        **table_files(f"results/{RUN}/tables/paired_tests"),
        quality=f"results/{RUN}/tables/rejection.tsv",
        per_type=f"results/{RUN}/tables/per_type.tsv",
        confusion=f"results/{RUN}/tables/confusion.tsv",
        reliability=f"results/{RUN}/tables/reliability.tsv",
        coverage=f"results/{RUN}/tables/accuracy_coverage.tsv",
        by_theta=f"results/{RUN}/tables/rejection_by_theta.tsv",
    log:
        f"results/{RUN}/logs/rejection.log",
    benchmark:
        f"results/{RUN}/benchmarks/rejection.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **SMALL,
    params:
        code=code_of_script("rejection"),
        run=RUN,
        reference=CONFIG.figures.method,
        tasks=TASK_TITLES,
        methods=METHOD_TITLES,
    script:
        "../../scripts/rejection.py"

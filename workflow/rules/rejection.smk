# Rejection as a result of its own, for every method of Table 2, and which differences between methods are real.


rule rejection:
    input:
        outcomes=every_run(OUTCOME, TABLE2_RUNS),
        predictions=every_run(PREDICTIONS, TABLE2_RUNS),
        solutions=SOLUTIONS,
        sources=expand("results/{run}/tasks/{task}/source.h5ad", run=RUN, task=CONFIG.run.tasks),
        script=script_code("rejection"),
    output:
        quality="results/{run}/tables/rejection.tsv",
        per_type="results/{run}/tables/per_type.tsv",
        confusion="results/{run}/tables/confusion.tsv",
        reliability="results/{run}/tables/reliability.tsv",
        coverage="results/{run}/tables/accuracy_coverage.tsv",
    log:
        "results/{run}/logs/rejection.log",
    benchmark:
        "results/{run}/benchmarks/rejection.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **SMALL,
    params:
        tasks=CONFIG.run.tasks,
        reference=CONFIG.figures.method,
    script:
        "../../scripts/rejection.py"


# Of the methods whose models hold what thresholds follow from.
JIND_RUNS = [
    (task, method)
    for task, method in TABLE2_RUNS
    if CONFIG.methods[method].method in ("jind", "jind_plus")
]


rule rejection_by_theta:
    input:
        outcomes=every_run(OUTCOME, JIND_RUNS),
        predictions=every_run(PREDICTIONS, JIND_RUNS),
        models=every_run(MODEL, JIND_RUNS),
        script=script_code("rejection_by_theta"),
    output:
        "results/{run}/tables/rejection_by_theta.tsv",
    log:
        "results/{run}/logs/rejection_by_theta.log",
    benchmark:
        "results/{run}/benchmarks/rejection_by_theta.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **SMALL,
    script:
        "../../scripts/rejection_by_theta.py"


rule paired_tests:
    input:
        outcomes=every_run(OUTCOME, TABLE2_RUNS),
        predictions=every_run(PREDICTIONS, TABLE2_RUNS),
        solutions=SOLUTIONS,
        script=script_code("paired_tests"),
    output:
        **table_files("results/{run}/tables/paired_tests", "paired_tests", "Tables"),
    log:
        "results/{run}/logs/paired_tests.log",
    benchmark:
        "results/{run}/benchmarks/paired_tests.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **SMALL,
    params:
        tasks=CONFIG.run.tasks,
        reference=CONFIG.figures.method,
        task_titles=TASK_TITLES,
        method_titles=METHOD_TITLES,
    script:
        "../../scripts/paired_tests.py"

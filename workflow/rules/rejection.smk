# Rejection as a result of its own, for every method of Table 2, and which differences between methods are real.


rule rejection:
    input:
        outcomes=table2_runs(OUTCOME),
        predictions=table2_runs(PREDICTIONS),
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


rule paired_tests:
    input:
        outcomes=table2_runs(OUTCOME),
        predictions=table2_runs(PREDICTIONS),
        solutions=SOLUTIONS,
        script=script_code("paired_tests"),
    output:
        tsv="results/{run}/tables/paired_tests.tsv",
        md="results/{run}/tables/paired_tests.md",
        html=report(
            "results/{run}/tables/paired_tests.html",
            caption="../report/paired_tests.rst",
            category="Tables",
        ),
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
<<<<<<< HEAD
=======


rule rejection_figures:
    input:
        coverage=rules.rejection.output.coverage,
        reliability=rules.rejection.output.reliability,
        confusion=rules.rejection.output.confusion,
        scores=rules.metrics.output.by_run,
        script=script_code("rejection_figures"),
    output:
        coverage=report(
            "results/{run}/figures/accuracy_coverage.svg",
            caption="../report/accuracy_coverage.rst",
            category="Rejection",
        ),
        coverage_png="results/{run}/figures/accuracy_coverage.png",
        reliability=report(
            "results/{run}/figures/reliability.svg",
            caption="../report/reliability.rst",
            category="Rejection",
        ),
        reliability_png="results/{run}/figures/reliability.png",
        confusion=report(
            directory("results/{run}/figures/confusion"),
            patterns=["{task}.svg"],
            caption="../report/confusion.rst",
            category="Rejection",
        ),
    log:
        "results/{run}/logs/rejection_figures.log",
    benchmark:
        "results/{run}/benchmarks/rejection_figures.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **SMALL,
    params:
        method=CONFIG.figures.method,
        seed=CONFIG.run.seeds[0],
        task_titles=TASK_TITLES,
        method_titles=METHOD_TITLES,
    script:
        "../../scripts/rejection_figures.py"
>>>>>>> 38db8c3 (Rules say what differs: no threads: 1, resources of small jobs in one place)

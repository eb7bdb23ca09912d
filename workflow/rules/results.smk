# From predictions to what people read.


rule metrics:
    input:
        outcomes=every_run("results/{run}/runs/{task}/{method}/seed-{seed}/outcome.json"),
        predictions=every_run("results/{run}/runs/{task}/{method}/seed-{seed}/predictions.tsv.gz"),
        solutions=expand(
            "results/{run}/tasks/{task}/solution.tsv.gz", run=RUN, task=CONFIG.run.tasks
        ),
        script=script_code("metrics"),
    output:
        by_run="results/{run}/tables/metrics.tsv",
        by_method="results/{run}/tables/metrics_by_method.tsv",
    log:
        "results/{run}/logs/metrics.log",
    benchmark:
        "results/{run}/benchmarks/metrics.tsv"
    conda:
        "../../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        tasks=CONFIG.run.tasks,
        methods=CONFIG.run.methods,
        left_out={
            f"{task} {method}": CONFIG.left_out(task, method)
            for task in CONFIG.run.tasks
            for method in CONFIG.run.methods
            if CONFIG.left_out(task, method) is not None
        },
    script:
        "../../scripts/metrics.py"


rule table2:
    input:
        scores=rules.metrics.output.by_method,
        script=script_code("table2"),
    output:
        tsv="results/{run}/tables/table2.tsv",
        md="results/{run}/tables/table2.md",
        html=report(
            "results/{run}/tables/table2.html",
            caption="../report/table2.rst",
            category="Table 2",
        ),
    log:
        "results/{run}/logs/table2.log",
    benchmark:
        "results/{run}/benchmarks/table2.tsv"
    conda:
        "../../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        task_titles=TASK_TITLES,
        method_titles=METHOD_TITLES,
        notes=METHOD_NOTES,
    script:
        "../../scripts/table2.py"


rule raw_accuracy:
    input:
        scores=rules.metrics.output.by_method,
        script=script_code("raw_accuracy"),
    output:
        svg=report(
            "results/{run}/figures/raw_accuracy.svg",
            caption="../report/raw_accuracy.rst",
            category="Figures",
        ),
        png="results/{run}/figures/raw_accuracy.png",
    log:
        "results/{run}/logs/raw_accuracy.log",
    benchmark:
        "results/{run}/benchmarks/raw_accuracy.tsv"
    conda:
        "../../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        task_titles=TASK_TITLES,
        method_titles=METHOD_TITLES,
    script:
        "../../scripts/raw_accuracy.py"


rule training:
    input:
        outcomes=every_run(
            "results/{run}/runs/{task}/{method}/seed-{seed}/outcome.json",
            methods=CONFIG.selected_methods(),
        ),
        models=every_run(
            "results/{run}/runs/{task}/{method}/seed-{seed}/model",
            methods=CONFIG.selected_methods(),
        ),
        script=script_code("training"),
    output:
        table="results/{run}/tables/training.tsv",
        svg=report(
            "results/{run}/figures/training.svg",
            caption="../report/training.rst",
            category="Figures",
        ),
        png="results/{run}/figures/training.png",
    log:
        "results/{run}/logs/training.log",
    benchmark:
        "results/{run}/benchmarks/training.tsv"
    conda:
        "../../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        task_titles=TASK_TITLES,
        method_titles={name: method.title for name, method in CONFIG.selected_methods().items()},
    script:
        "../../scripts/training.py"


rule provenance:
    input:
        outcomes=every_outcome(),
        datasets=expand("results/data/{dataset}.h5ad", dataset=CONFIG.selected_datasets()),
        script=script_code("provenance"),
    output:
        runs="results/{run}/tables/runs.tsv",
        page=report(
            "results/{run}/provenance.html",
            caption="../report/provenance.rst",
            category="How the run was made",
        ),
    log:
        "results/{run}/logs/provenance.log",
    benchmark:
        "results/{run}/benchmarks/provenance.tsv"
    conda:
        "../../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        configuration=CONFIG.selected(),
    script:
        "../../scripts/provenance.py"


# Every run has to be recorded, and every table written, before this decides whether the whole succeeded.
rule complete:
    input:
        outcomes=every_outcome(),
        tables=[*rules.metrics.output, *rules.table2.output],
        figures=[*rules.raw_accuracy.output, *rules.training.output],
        provenance=[*rules.provenance.output],
    output:
        "results/{run}/complete.txt",
    log:
        "results/{run}/logs/complete.log",
    benchmark:
        "results/{run}/benchmarks/complete.tsv"
    conda:
        "../../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        strict=CONFIG.run.strict,
    script:
        "../../scripts/complete.py"

# From predictions to what people read.


rule metrics:
    input:
        outcomes=every_run(OUTCOME, RUNS),
        predictions=every_run(PREDICTIONS, RUNS),
        solutions=SOLUTIONS,
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
    resources:
        **SMALL,
    params:
        tasks=CONFIG.run.tasks,
        cells=[[*cell, CONFIG.left_out(*cell) or ""] for cell in CONFIG.cells()],
    script:
        "../../scripts/metrics.py"


# Table 2, and every table of its form that the configuration names: a selection of tasks and methods.
rule accuracy_table:
    input:
        scores=rules.metrics.output.by_method,
        script=script_code("accuracy_table"),
    output:
        **table_files("results/{run}/tables/{table}", "accuracy_table", "Tables"),
    log:
        "results/{run}/logs/accuracy_table/{table}.log",
    benchmark:
        "results/{run}/benchmarks/accuracy_table/{table}.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **SMALL,
    params:
        title=lambda wildcards: TABLES[wildcards.table].title,
        tasks=lambda wildcards: {task: TASK_TITLES[task] for task in TABLES[wildcards.table].tasks},
        methods=methods_of_table,
        notes=notes_of_methods,
    script:
        "../../scripts/accuracy_table.py"


# The paper's number, the difference and a verdict beside each of ours.
rule table2_extended:
    input:
        scores=rules.metrics.output.by_method,
        published=PUBLISHED_VALUES,
        script=script_code("table2_extended"),
    output:
        **table_files("results/{run}/tables/table2_extended", "table2_extended", "Tables"),
    log:
        "results/{run}/logs/table2_extended.log",
    benchmark:
        "results/{run}/benchmarks/table2_extended.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **SMALL,
    params:
        tasks=TASK_TITLES,
        methods={name: CONFIG.methods[name].title for name in CONFIG.run.methods},
        # As the paper's table knows them: by the method's own name, and what it reads.
        papers={
            name: [
                registry.component("methods", CONFIG.methods[name].method).TITLE,
                CONFIG.methods[name].input or "none",
            ]
            for name in CONFIG.run.methods
        },
    script:
        "../../scripts/table2_extended.py"


# Of `snakemake tables`, in the folder of the tables; and of everything.
rule provenance:
    input:
        outcomes=every_outcome(),
        results=lambda wildcards: RESULTS[wildcards.part],
        datasets=expand("results/data/{dataset}.h5ad", dataset=CONFIG.selected_datasets()),
        script=script_code("provenance"),
    output:
        facts="results/{run}/{part}provenance.tsv",
        runs="results/{run}/{part}runs.tsv",
        page=report(
            "results/{run}/{part}provenance.html",
            caption="../report/provenance.rst",
            category="How the run was made",
        ),
    log:
        "results/{run}/logs/{part}provenance.log",
    benchmark:
        "results/{run}/benchmarks/{part}provenance.tsv"
    wildcard_constraints:
        part="(tables/)?",
    conda:
        "../../envs/python.yaml"
    resources:
        **SMALL,
    params:
        # As JSON without "<": Snakemake's report holds parameters as they are, in a script that a tag could end.
        configuration=json.dumps(CONFIG.selected()).replace("<", "\\u003c"),
    script:
        "../../scripts/provenance.py"

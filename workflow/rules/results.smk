# From predictions to what people read.


TABLES_OF_ACCURACIES = {
    name: table_files(
        f"results/{RUN}/tables/{name}", "accuracy_table" if name in TABLES else name, "Tables"
    )
    for name in [*TABLES, "table2_extended"]
}


# Scores of all runs; Table 2, and every table of its form that the configuration names: a selection of tasks and methods;
# and Table 2 with the paper's number, the difference and a verdict beside each of ours.
rule accuracies:
    input:
        recovered,
        outcomes=every_run(OUTCOME, RUNS),
        predictions=every_run(PREDICTIONS, RUNS),
        solutions=SOLUTIONS,
        published=PUBLISHED_VALUES,
    output:
        by_run=f"results/{RUN}/tables/metrics.tsv",
        by_method=f"results/{RUN}/tables/metrics_by_method.tsv",
        tables=[files.values() for files in TABLES_OF_ACCURACIES.values()],
    log:
        f"results/{RUN}/logs/accuracies.log",
    benchmark:
        f"results/{RUN}/benchmarks/accuracies.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **SMALL,
    params:
        code=code_of_script("accuracies"),
        run=RUN,
        cells=[[*cell, CONFIG.left_out(*cell) or ""] for cell in CONFIG.cells()],
        tasks=TASK_TITLES,
        methods=METHOD_TITLES,
        tables={
            name: table.model_dump() | {"notes": notes_of_table(table)}
            for name, table in TABLES.items()
        },
        # As the paper's table knows the methods: by their own name, and what they read.
        papers={
            name: [
                registry.component("methods", CONFIG.methods[name].method).TITLE,
                CONFIG.methods[name].input or "none",
            ]
            for name in CONFIG.run.methods
        },
    script:
        "../../scripts/accuracies.py"


# Of `snakemake tables`, in the folder of the tables; and of everything.
rule provenance:
    input:
        recovered,
        outcomes=every_outcome(),
        results=lambda wildcards: RESULTS[wildcards.part],
        datasets=DATASETS,
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
        code=code_of_script("provenance"),
        # As JSON without "<": Snakemake's report holds parameters as they are, in a script that a tag could end.
        configuration=json.dumps(CONFIG.selected()).replace("<", "\\u003c"),
    script:
        "../../scripts/provenance.py"

# From predictions to what people read.


# Methods that need no network: where one of them is as good, it should be used.
SIMPLE = ("majority", "random_by_frequency", "knn", "logreg", "svm_rej")


# Scores of all runs; Table 2, and every table of its form that the configuration names: a selection of tasks and methods;
# and Table 2 with the paper's number, the difference and a verdict beside each of ours.
rule accuracies:
    input:
        recovered,
        outcomes=every_run(OUTCOME, ALL_RUNS),
        predictions=every_run(PREDICTIONS, ALL_RUNS),
        solutions=SOLUTIONS,
        published=PUBLISHED_VALUES,
    output:
        **{
            f"extended_{kind}": path
            for kind, path in table_files(f"results/{RUN}/tables/table2_extended").items()
            if OF_PAPER or STAND_INS
        },
        by_run=f"results/{RUN}/tables/metrics.tsv",
        by_method=f"results/{RUN}/tables/metrics_by_method.tsv",
        comparisons=f"results/{RUN}/tables/comparisons.tsv",
        tables=[table_files(f"results/{RUN}/tables/{name}").values() for name in TABLES],
        overviews=[f"results/{RUN}/tables/{name}.txt" for name in TABLES],
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
            name: table.model_dump()
            | {
                "notes": notes_of_table(table),
                "compared": [
                    method for method in table.methods if not CONFIG.methods[method].sees_labels
                ],
            }
            for name, table in TABLES.items()
        },
        reference=CONFIG.figures.method,
        simple=[
            name
            for name in CONFIG.run.methods
            if CONFIG.methods[name].method in SIMPLE and name != CONFIG.figures.method
        ],
        unaligned={
            name: CONFIG.chain(name)[0] for name in METHOD_TITLES if CONFIG.methods[name].parent
        },
        # As the paper's table knows the methods: by their own name, and what they read.
        papers={
            name: [
                registry.component("methods", CONFIG.methods[name].method).TITLE,
                CONFIG.methods[name].input or "none",
            ]
            for name in CONFIG.run.methods
        },
        stand_ins=STAND_INS,
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
        page="results/{run}/{part}provenance.html",
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
        # As JSON without "<": Snakemake's own report holds parameters as they are, in a script that a tag could end.
        configuration=json.dumps(CONFIG.selected()).replace("<", "\\u003c"),
    script:
        "../../scripts/provenance.py"

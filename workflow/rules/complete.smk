# Every run has to be recorded, and everything else made, before these decide whether the whole succeeded.


# Whose jobs and data `provenance` names: what each of the last jobs asks for.
RESULTS = {
    "tables/": [*rules.accuracies.output, *FIGURE_FILES["accuracy_figures"]],
    "": [
        *rules.accuracies.output,
        *rules.table1.output,
        *RUNTIME,
        *HELD_OUT_TYPES,
        *rules.rejection.output,
        *COMPARISONS,
        *CLAIMS,
        *[path for files in FIGURE_FILES.values() for path in files],
    ],
}


# The tables of accuracies alone, which are there long before all figures are.
rule complete_tables:
    input:
        recovered,
        datasets=DATASETS,
        outcomes=every_outcome(),
        results=RESULTS["tables/"],
        provenance=expand(rules.provenance.output, run=RUN, part="tables/"),
        runs=every_run(PREDICTIONS, ALL_RUNS) + every_run(MODEL, ALL_RUNS),
    output:
        "results/{run}/tables/complete.txt",
    log:
        "results/{run}/logs/complete_tables.log",
    benchmark:
        "results/{run}/benchmarks/complete_tables.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **SMALL,
    params:
        code=code_of_script("complete"),
        strict=CONFIG.run.strict,
    script:
        "../../scripts/complete.py"


# `snakemake tables`
rule tables:
    input:
        targets(f"results/{RUN}/tables/complete.txt"),


use rule complete_tables as complete with:
    input:
        recovered,
        datasets=DATASETS,
        outcomes=every_outcome() + HELD_OUT_OUTCOMES,
        timed=TIMED_ALONE,
        results=RESULTS[""],
        summary=rules.summary.output,
        provenance=expand(rules.provenance.output, run=RUN, part=""),
        runs=every_run(PREDICTIONS, ALL_RUNS) + every_run(MODEL, ALL_RUNS),
    output:
        "results/{run}/complete.txt",
    log:
        "results/{run}/logs/complete.log",
    benchmark:
        "results/{run}/benchmarks/complete.tsv"

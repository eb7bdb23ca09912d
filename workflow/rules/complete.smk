# Every run has to be recorded, and everything else made, before these decide whether the whole succeeded.


# The tables of accuracies alone, which are there long before all figures are.
rule complete_tables:
    input:
        outcomes=every_outcome(),
        tables=[
            *rules.metrics.output,
            *expand(rules.accuracy_table.output, run=RUN, table=TABLES),
            *rules.table2_extended.output,
        ],
        figures=[*rules.raw_accuracy.output, *rules.training.output],
        provenance=[*rules.provenance.output],
        runs=every_run(PREDICTIONS, parents=True) + every_run(MODEL, parents=True),
    output:
        "results/{run}/tables/complete.txt",
    log:
        "results/{run}/logs/complete_tables.log",
    benchmark:
        "results/{run}/benchmarks/complete_tables.tsv"
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


# `snakemake tables`
rule tables:
    input:
        f"results/{RUN}/tables/complete.txt",


use rule complete_tables as complete with:
    input:
        outcomes=every_outcome() + HELD_OUT_OUTCOMES,
        timed=TIMED_OUTCOMES,
        tables=[
            *rules.metrics.output,
            *expand(rules.accuracy_table.output, run=RUN, table=TABLES),
            *rules.table2_extended.output,
            *rules.table1.output,
            *rules.runtime.output,
            *rules.held_out_types.output,
            *rules.rejection.output,
            *rules.paired_tests.output,
            *rules.differential_expression_tables.output,
            *rules.claims.output,
            *rules.summary.output,
        ],
        figures=[
            *rules.raw_accuracy.output,
            *rules.training.output,
            *rules.rejection_figures.output,
            *rules.figure2.output,
            *rules.figure3.output,
            *rules.figure4.output,
            *rules.figure5.output,
            *expand(rules.supplementary_figure.output, run=RUN, figure=SUPPLEMENT),
        ],
        provenance=[*rules.provenance.output],
        runs=every_run(PREDICTIONS, parents=True) + every_run(MODEL, parents=True),
    output:
        "results/{run}/complete.txt",
    log:
        "results/{run}/logs/complete.log",
    benchmark:
        "results/{run}/benchmarks/complete.tsv"

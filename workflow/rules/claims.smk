# The paper's sentences beside what this run gave, and the page that sums up the run.


rule claims:
    input:
        metrics_by_method=rules.metrics.output.by_method.format(run=RUN),
        metrics=rules.metrics.output.by_run.format(run=RUN),
        paired_tests=rules.paired_tests.output.tsv.format(run=RUN),
        runtime=rules.runtime.output.tsv,
        differential_expression=rules.differential_expression_tables.output.comparisons,
        differential_expression_genes=rules.differential_expression_tables.output.genes,
        novel_types=rules.figure5.output.clusters,
        table1=rules.table1.output.tsv,
        confusion=rules.rejection.output.confusion.format(run=RUN),
        rejection_by_theta=rules.rejection_by_theta.output[0].format(run=RUN),
        sentences=os.path.relpath(LIBRARY / "resources/claims.yaml"),
        script=script_code("claims"),
    output:
        **table_files(f"results/{RUN}/tables/claims", "claims", "Claims"),
    log:
        f"results/{RUN}/logs/claims.log",
    benchmark:
        f"results/{RUN}/benchmarks/claims.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **SMALL,
    params:
        run=RUN,
    script:
        "../../scripts/claims.py"


# For a reader who opens nothing else.
rule summary:
    input:
        outcomes=every_outcome() + HELD_OUT_OUTCOMES,
        timed=TIMED_OUTCOMES,
        table1=rules.table1.output.tsv,
        table2=f"results/{RUN}/tables/table2.md",
        table2_extended=rules.table2_extended.output.tsv.format(run=RUN),
        claims=rules.claims.output.tsv,
        held_out_types=rules.held_out_types.output.md,
        runtime=rules.runtime.output.md,
        provenance=rules.provenance.output.facts.format(run=RUN, part=""),
        script=script_code("summary"),
    output:
        f"results/{RUN}/summary.md",
    log:
        f"results/{RUN}/logs/summary.log",
    benchmark:
        f"results/{RUN}/benchmarks/summary.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **SMALL,
    params:
        run=RUN,
        tasks=list(TASK_TITLES.values()),
        seeds=CONFIG.run.seeds,
        titles=METHOD_TITLES | HELD_OUT_TITLES,
    script:
        "../../scripts/summary.py"

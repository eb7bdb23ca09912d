# The paper's sentences beside what this run gave, and the page that sums up the run.


rule claims:
    input:
        recovered,
        metrics_by_method=rules.accuracies.output.by_method,
        metrics=rules.accuracies.output.by_run,
        paired_tests=rules.rejection.output.tsv,
        runtime=rules.runtime.output.tsv,
        differential_expression=rules.differential_expression_tables.output.comparisons,
        differential_expression_genes=rules.differential_expression_tables.output.genes,
        novel_types=f"results/{RUN}/tables/novel_types.tsv",
        table1=rules.table1.output.tsv,
        confusion=rules.rejection.output.confusion,
        rejection_by_theta=rules.rejection.output.by_theta,
        sentences=os.path.relpath(LIBRARY / "resources/claims.yaml"),
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
        code=code_of_script("claims"),
        run=RUN,
    script:
        "../../scripts/claims.py"


# For a reader who opens nothing else.
rule summary:
    input:
        recovered,
        outcomes=every_outcome() + HELD_OUT_OUTCOMES,
        timed=TIMED_OUTCOMES,
        table1=rules.table1.output.tsv,
        table2=f"results/{RUN}/tables/table2.md",
        table2_extended=f"results/{RUN}/tables/table2_extended.tsv",
        claims=rules.claims.output.tsv,
        held_out_types=rules.held_out_types.output.md,
        runtime=rules.runtime.output.md,
        provenance=rules.provenance.output.facts.format(run=RUN, part=""),
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
        code=code_of_script("summary"),
        run=RUN,
        tasks=list(TASK_TITLES.values()),
        seeds=CONFIG.run.seeds,
        titles=METHOD_TITLES | HELD_OUT_TITLES,
    script:
        "../../scripts/summary.py"

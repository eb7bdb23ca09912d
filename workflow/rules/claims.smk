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
        **table_files(f"results/{RUN}/tables/claims"),
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
        shown=CONFIG.figures.method,
    script:
        "../../scripts/claims.py"


# Of the tables that have nothing to say in some runs, and are not made there.
CLAIMS = rules.claims.output if OF_PAPER else {}
RUNTIME = rules.runtime.output if TIMED_OUTCOMES else {}
HELD_OUT_TYPES = rules.held_out_types.output if HELD_OUT_RUNS else {}
COMPARISONS = rules.differential_expression_tables.output if is_shown("figure4") else {}

# Tables that the report shows below the figures, with their headings.
REPORT_TABLES = {
    "Table 1": rules.table1.output.html,
    "Table 2 beside the paper's": rules.accuracies.output.get("extended_html"),
    **{
        TABLES[name].title: f"results/{RUN}/tables/{name}.html"
        for name in TABLES
        if name != "table2"
    },
    "Claims of the paper": CLAIMS.get("html"),
    "Paired tests": rules.rejection.output.html,
    "Differential expression": COMPARISONS.get("html"),
    "Every run, and the configuration": f"results/{RUN}/provenance.html",
}
REPORT_TABLES = {heading: path for heading, path in REPORT_TABLES.items() if path}


# As the user gave them: the summary says how to run it again.
GIVEN_FILES = [os.path.relpath(path) for path in workflow.overwrite_configfiles or []]
GIVEN_FILES = ["--configfile", *GIVEN_FILES] if GIVEN_FILES else []


# For a reader who opens nothing else.
rule summary:
    input:
        recovered,
        outcomes=every_outcome() + HELD_OUT_OUTCOMES,
        timed=TIMED_ALONE,
        scores=rules.accuracies.output.by_method,
        comparisons=rules.accuracies.output.comparisons,
        rejection=rules.rejection.output.quality,
        confusion=rules.rejection.output.confusion,
        per_type=rules.rejection.output.per_type,
        table1=rules.table1.output.tsv,
        table2=expand("results/{run}/tables/table2.{kind}", run=RUN, kind=["md", "html"]),
        table2_extended=rules.accuracies.output.get("extended_tsv", []),
        claims=CLAIMS.get("tsv", []),
        held_out_types=[HELD_OUT_TYPES.get(kind, []) for kind in ("md", "html")],
        runtime=[RUNTIME.get(kind, []) for kind in ("md", "html")],
        provenance=rules.provenance.output.facts.format(run=RUN, part=""),
        figures=PICTURES,
        captions=[f"{picture.removesuffix('.svg')}.json" for picture in PICTURES],
        tables=list(REPORT_TABLES.values()),
    output:
        summary=f"results/{RUN}/summary.md",
        report=f"results/{RUN}/report.html",
        rules=f"results/{RUN}/rules.svg",
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
        tasks=TASK_TITLES,
        methods=COMPARED_METHODS,
        reference=CONFIG.figures.method,
        headings=list(REPORT_TABLES),
        seeds=CONFIG.run.seeds,
        splits={task: CONFIG.tasks[task].in_words() for task in CONFIG.run.tasks},
        command=shlex.join(["snakemake", "--cores", "2", *GIVEN_FILES]),
        titles=METHOD_TITLES | HELD_OUT_TITLES,
    script:
        "../../scripts/summary.py"

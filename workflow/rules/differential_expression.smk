# What tells the misclassified cells of a type from the others: limma on two groups of target cells, chosen from the
# predictions, and its negative control. Of the tasks of Figure 4.

DIFFERENCES = "results/{run}/differential_expression/{task}"


for name, place, cases in jobs_of(
    "differential_expression", "{task}", [(task,) for task in COMPARED]
):

    rule:
        name:
            name
        input:
            recovered,
            for_cases(files_of_shown_runs, cases),
            target=of_cases("results/{run}/tasks/{task}/target.h5ad", cases),
            solution=of_cases("results/{run}/tasks/{task}/solution.tsv.gz", cases),
        output:
            comparison=of_cases(f"{DIFFERENCES}/comparison.json", cases),
            genes=of_cases(f"{DIFFERENCES}/genes.tsv", cases),
            control=of_cases(f"{DIFFERENCES}/control.tsv", cases),
            top=of_cases(f"{DIFFERENCES}/heatmap_top.tsv.gz", cases),
            all=of_cases(f"{DIFFERENCES}/heatmap_all.tsv.gz", cases),
        log:
            f"results/{{run}}/logs/{place}.log",
        benchmark:
            f"results/{{run}}/benchmarks/{place}.tsv"
        wildcard_constraints:
            task=LARGE_TASKS,
        conda:
            "../../envs/r.yaml"
        resources:
            **by_size_of_tasks("differential_expression", cases),
        params:
            code=code_of_script("differential_expression"),
            runs=for_cases(shown_runs, cases),
            pairs=CONFIG.differential_expression.pairs,
            model=CONFIG.differential_expression.model,
            alpha=CONFIG.differential_expression.alpha,
            draws=CONFIG.differential_expression.draws,
            seed=CONFIG.run.seeds[0],
            method=CONFIG.figures.method,
            missing=for_cases(missing_limma, cases),
        script:
            "../../scripts/differential_expression.py"


rule differential_expression_tables:
    input:
        recovered,
        comparisons=of_comparisons("comparison.json"),
        genes=of_comparisons("genes.tsv"),
        controls=of_comparisons("control.tsv"),
    output:
        comparisons=f"results/{RUN}/tables/differential_expression.tsv",
        genes=f"results/{RUN}/tables/differential_expression_genes.tsv",
        workbook=f"results/{RUN}/tables/differential_expression.xlsx",
        html=f"results/{RUN}/tables/differential_expression.html",
    log:
        f"results/{RUN}/logs/differential_expression_tables.log",
    benchmark:
        f"results/{RUN}/benchmarks/differential_expression_tables.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **SMALL,
    params:
        code=code_of_script("differential_expression_tables"),
        run=RUN,
        task_titles=TASK_TITLES,
    script:
        "../../scripts/differential_expression_tables.py"

# What tells the misclassified cells of a type from the others: limma on two groups of target cells, chosen from the
# predictions, and its negative control. Of the tasks of Figure 4.


rule differential_expression:
    input:
        recovered,
        unpack(shown_predictions),
        target="results/{run}/tasks/{task}/target.h5ad",
        solution="results/{run}/tasks/{task}/solution.tsv.gz",
    output:
        comparison="results/{run}/differential_expression/{task}/comparison.json",
        genes="results/{run}/differential_expression/{task}/genes.tsv",
        control="results/{run}/differential_expression/{task}/control.tsv",
        top="results/{run}/differential_expression/{task}/heatmap_top.tsv.gz",
        all="results/{run}/differential_expression/{task}/heatmap_all.tsv.gz",
    log:
        "results/{run}/logs/differential_expression/{task}.log",
    benchmark:
        "results/{run}/benchmarks/differential_expression/{task}.tsv"
    conda:
        "../../envs/r.yaml"
    resources:
        **by_size_of_data("differential_expression"),
    params:
        code=code_of_script("differential_expression"),
        pair=lambda wildcards: CONFIG.differential_expression.pairs.get(wildcards.task),
        model=CONFIG.differential_expression.model,
        alpha=CONFIG.differential_expression.alpha,
        draws=CONFIG.differential_expression.draws,
        seed=CONFIG.run.seeds[0],
        method=CONFIG.figures.method,
        missing=lambda wildcards: missing(r.require, ("limma",)),
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

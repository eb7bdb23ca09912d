# How hard the datasets are: Table 1 of the paper.


rule complexity:
    input:
        recovered,
        dataset="results/data/{dataset}.h5ad",
    output:
        "results/data/complexity/{dataset}.tsv",
    log:
        "results/data/logs/complexity/{dataset}.log",
    benchmark:
        "results/data/benchmarks/complexity/{dataset}.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **by_size_of_data("complexity"),
    params:
        code=code_of("scoring/complexity"),
        seed=0,  # not the run's: datasets, and these scores, are shared between runs
    script:
        "../../scripts/complexity.py"


# The run's name is written out, not a wildcard: a rule with wildcards is no target.
rule table1:
    input:
        recovered,
        datasets=DATASETS,
        scores=expand("results/data/complexity/{dataset}.tsv", dataset=CONFIG.selected_datasets()),
        published=PUBLISHED_VALUES,
    output:
        **table_files(f"results/{RUN}/tables/table1"),
    log:
        f"results/{RUN}/logs/table1.log",
    benchmark:
        f"results/{RUN}/benchmarks/table1.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **SMALL,
    params:
        code=code_of_script("table1"),
        datasets=CONFIG.selected_datasets(),
        run=RUN,
    script:
        "../../scripts/table1.py"

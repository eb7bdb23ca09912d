# How hard the datasets are: Table 1 of the paper.


rule complexity:
    input:
        recovered,
        datasets=["results/data/{dataset}.h5ad"],
    output:
        "results/data/complexity/{dataset}.tsv",
    log:
        "results/data/logs/complexity/{dataset}.log",
    benchmark:
        "results/data/benchmarks/complexity/{dataset}.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **by_size_of_dataset("complexity"),
    params:
        code=code_of("scoring/complexity"),
        datasets=lambda wildcards: [wildcards.dataset],
        seed=0,  # not the run's: datasets, and these scores, are shared between runs
    script:
        "../../scripts/complexity.py"


SMALL_DATASETS = [
    dataset for dataset in CONFIG.selected_datasets() if costs.is_small(CONFIG, [dataset])
]
COMPLEXITY = expand(
    rules.complexity.output,
    dataset=[dataset for dataset in CONFIG.selected_datasets() if dataset not in SMALL_DATASETS],
)

# UMAP takes longer to compile than to embed them.
if SMALL_DATASETS:
    COMPLEXITY.append(f"results/{RUN}/complexity.tsv")

    use rule complexity as complexity_of_small_datasets with:
        input:
            recovered,
            datasets=expand("results/data/{dataset}.h5ad", dataset=SMALL_DATASETS),
        output:
            f"results/{RUN}/complexity.tsv",
        log:
            f"results/{RUN}/logs/complexity.log",
        benchmark:
            f"results/{RUN}/benchmarks/complexity.tsv"
        resources:
            **SMALL,
        params:
            code=code_of("scoring/complexity"),
            datasets=SMALL_DATASETS,
            seed=0,


# The run's name is written out, not a wildcard: a rule with wildcards is no target.
rule table1:
    input:
        recovered,
        datasets=DATASETS,
        scores=COMPLEXITY,
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

# What the figures show cells by: latent codes from stored models, and tSNE of these or of expression. Nothing is trained.

LATENT_CODES = "results/{run}/latent_codes/{task}/{method}.h5ad"
LATENT_TSNE = "results/{run}/tsne/{task}/{method}.tsv.gz"
EXPRESSION_TSNE = "results/{run}/tsne/{task}.tsv.gz"


# Of source and target together, by the stored models before and after the alignment.
rule latent_codes:
    input:
        recovered,
        source="results/{run}/tasks/{task}/source.h5ad",
        target="results/{run}/tasks/{task}/target.h5ad",
        models=of_first_seeds(MODEL, WITH_CODES),
        outcomes=of_first_seeds(OUTCOME, WITH_CODES),
    output:
        codes=expand(LATENT_CODES, method=WITH_CODES, allow_missing=True),
        tsne=expand(LATENT_TSNE, method=WITH_CODES, allow_missing=True),
    log:
        "results/{run}/logs/latent_codes/{task}.log",
    benchmark:
        "results/{run}/benchmarks/latent_codes/{task}.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **by_size_of_data("latent_codes"),
    params:
        code=code_of("jind/model", "plots/tsne"),
        seed=CONFIG.run.seeds[0],
    script:
        "../../scripts/latent_codes.py"


rule expression_tsne:
    input:
        recovered,
        cells="results/{run}/tasks/{task}/target.h5ad",
    output:
        EXPRESSION_TSNE,
    log:
        "results/{run}/logs/expression_tsne/{task}.log",
    benchmark:
        "results/{run}/benchmarks/expression_tsne/{task}.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **by_size_of_data("expression_tsne"),
    params:
        code=code_of("plots/tsne"),
        seed=CONFIG.run.seeds[0],
    script:
        "../../scripts/expression_tsne.py"

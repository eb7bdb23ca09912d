# What the figures show cells by: latent codes from stored models, and tSNE of these or of expression. Nothing is trained.

LATENT_CODES = "results/{run}/latent_codes/{task}/{method}.h5ad"
LATENT_TSNE = "results/{run}/tsne/{task}/{method}.tsv.gz"
EXPRESSION_TSNE = "results/{run}/tsne/{task}.tsv.gz"


# Latent codes of source and target, by the stored model of a stage.
rule latent_codes:
    input:
        source="results/{run}/tasks/{task}/source.h5ad",
        target="results/{run}/tasks/{task}/target.h5ad",
        model=lambda wildcards: MODEL.format(seed=CONFIG.seeds(wildcards.method)[0], **wildcards),
        outcome=lambda wildcards: OUTCOME.format(
            seed=CONFIG.seeds(wildcards.method)[0], **wildcards
        ),
        code=library_code("jind/model"),
    output:
        "results/{run}/latent_codes/{task}/{method}.h5ad",
    log:
        "results/{run}/logs/latent_codes/{task}/{method}.log",
    benchmark:
        "results/{run}/benchmarks/latent_codes/{task}/{method}.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **by_size_of_data("latent_codes"),
    script:
        "../../scripts/latent_codes.py"


rule latent_tsne:
    input:
        cells="results/{run}/latent_codes/{task}/{method}.h5ad",
        code=library_code("plots/tsne"),
    output:
        "results/{run}/tsne/{task}/{method}.tsv.gz",
    log:
        "results/{run}/logs/latent_tsne/{task}/{method}.log",
    benchmark:
        "results/{run}/benchmarks/latent_tsne/{task}/{method}.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **by_size_of_data("latent_tsne"),
    params:
        seed=CONFIG.run.seeds[0],
        expression=False,
    script:
        "../../scripts/tsne.py"


# Of the target's own expression, which no method has touched.
use rule latent_tsne as expression_tsne with:
    input:
        cells="results/{run}/tasks/{task}/target.h5ad",
        code=library_code("plots/tsne"),
    output:
        "results/{run}/tsne/{task}.tsv.gz",
    log:
        "results/{run}/logs/expression_tsne/{task}.log",
    benchmark:
        "results/{run}/benchmarks/expression_tsne/{task}.tsv"
    resources:
        **by_size_of_data("expression_tsne"),
    params:
        seed=CONFIG.run.seeds[0],
        expression=True,

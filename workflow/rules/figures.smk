# The paper's figures, from stored models and predictions: nothing is trained here. Each shows the tasks that the
# configuration names, the first seed, and the method of `figures: method` with the stages that it starts from.


# Latent codes of source and target, by the stored model of a stage.
rule latent_codes:
    input:
        source="results/{run}/tasks/{task}/source.h5ad",
        target="results/{run}/tasks/{task}/target.h5ad",
        model=lambda wildcards: MODEL.format(seed=stage_seed(wildcards.method), **wildcards),
        outcome=lambda wildcards: OUTCOME.format(seed=stage_seed(wildcards.method), **wildcards),
        code=library_code("jind/model"),
    output:
        "results/{run}/latent_codes/{task}/{method}.h5ad",
    log:
        "results/{run}/logs/latent_codes/{task}/{method}.log",
    benchmark:
        "results/{run}/benchmarks/latent_codes/{task}/{method}.tsv"
    conda:
        "../../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb_of("latent_codes"),
        runtime=runtime_of("latent_codes"),
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
    threads: 1
    resources:
        mem_mb=mem_mb_of("latent_tsne"),
        runtime=runtime_of("latent_tsne"),
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
        mem_mb=mem_mb_of("expression_tsne"),
        runtime=runtime_of("expression_tsne"),
    params:
        seed=CONFIG.run.seeds[0],
        expression=True,


rule figure2:
    input:
        tsne=of_stages("figure2", LATENT_TSNE, ALIGNMENT),
        predictions=of_stages("figure2", PREDICTIONS, ALIGNMENT),
        sources=of_tasks("figure2", SOURCE),
        solutions=of_tasks("figure2", SOLUTION),
        outcomes=of_stages("figure2", OUTCOME, ALIGNMENT),
        script=script_code("figure2"),
    output:
        svg=report(
            f"results/{RUN}/figures/figure2.svg",
            caption="../report/figure2.rst",
            category="Figures",
        ),
        png=f"results/{RUN}/figures/figure2.png",
        points=f"results/{RUN}/figures/figure2.tsv.gz",
        flows=f"results/{RUN}/figures/figure2_flows.tsv",
    log:
        f"results/{RUN}/logs/figure2.log",
    benchmark:
        f"results/{RUN}/benchmarks/figure2.tsv"
    conda:
        "../../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        **FIGURE_PARAMS,
        tasks=drawn_tasks("figure2"),
        without=undrawn_tasks("figure2"),
        stages=STAGES,
    script:
        "../../scripts/figure2.py"


rule figure3:
    input:
        tsne=of_tasks("figure3", "results/{run}/tsne/{task}.tsv.gz"),
        predictions=of_stages("figure3", PREDICTIONS, LAST),
        sources=of_tasks("figure3", SOURCE),
        solutions=of_tasks("figure3", SOLUTION),
        outcomes=of_stages("figure3", OUTCOME, LAST),
        scores=rules.metrics.output.by_method.format(run=RUN),
        script=script_code("figure3"),
    output:
        svg=report(
            f"results/{RUN}/figures/figure3.svg",
            caption="../report/figure3.rst",
            category="Figures",
        ),
        png=f"results/{RUN}/figures/figure3.png",
        rates=report(
            f"results/{RUN}/figures/figure3_rates.svg",
            caption="../report/figure3.rst",
            category="Figures",
        ),
        rates_png=f"results/{RUN}/figures/figure3_rates.png",
        points=f"results/{RUN}/figures/figure3.tsv.gz",
    log:
        f"results/{RUN}/logs/figure3.log",
    benchmark:
        f"results/{RUN}/benchmarks/figure3.tsv"
    conda:
        "../../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        **FIGURE_PARAMS,
        tasks=drawn_tasks("figure3"),
        without=undrawn_tasks("figure3"),
        methods={name: CONFIG.methods[name].title for name in CONFIG.run.methods},
    script:
        "../../scripts/figure3.py"


rule figure4:
    input:
        tsne=of_tasks("figure4", "results/{run}/tsne/{task}.tsv.gz"),
        predictions=of_stages("figure4", PREDICTIONS, LAST),
        sources=of_tasks("figure4", SOURCE),
        solutions=of_tasks("figure4", SOLUTION),
        outcomes=of_stages("figure4", OUTCOME, LAST),
        comparisons=of_comparisons("comparison.json", drawn_tasks("figure4")),
        heatmaps=of_comparisons("heatmap_top.tsv.gz", drawn_tasks("figure4")),
        script=script_code("figure4"),
    output:
        svg=report(
            f"results/{RUN}/figures/figure4.svg",
            caption="../report/figure4.rst",
            category="Figures",
        ),
        png=f"results/{RUN}/figures/figure4.png",
        points=f"results/{RUN}/figures/figure4.tsv.gz",
        flows=f"results/{RUN}/figures/figure4_flows.tsv",
    log:
        f"results/{RUN}/logs/figure4.log",
    benchmark:
        f"results/{RUN}/benchmarks/figure4.tsv"
    conda:
        "../../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        **FIGURE_PARAMS,
        tasks=drawn_tasks("figure4"),
        without=undrawn_tasks("figure4"),
    script:
        "../../scripts/figure4.py"


rule figure5:
    input:
        tsne=of_stages("figure5", LATENT_TSNE, ALIGNMENT),
        codes=of_stages("figure5", "results/{run}/latent_codes/{task}/{method}.h5ad", ALIGNMENT),
        predictions=of_stages("figure5", PREDICTIONS, slice(1, 2)),
        sources=of_tasks("figure5", SOURCE),
        solutions=of_tasks("figure5", SOLUTION),
        outcomes=of_stages("figure5", OUTCOME, ALIGNMENT),
        script=script_code("figure5"),
    output:
        svg=report(
            f"results/{RUN}/figures/figure5.svg",
            caption="../report/figure5.rst",
            category="Figures",
        ),
        png=f"results/{RUN}/figures/figure5.png",
        points=f"results/{RUN}/figures/figure5.tsv.gz",
        flows=f"results/{RUN}/figures/figure5_flows.tsv",
        clusters=f"results/{RUN}/tables/novel_types.tsv",
    log:
        f"results/{RUN}/logs/figure5.log",
    benchmark:
        f"results/{RUN}/benchmarks/figure5.tsv"
    conda:
        "../../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        **FIGURE_PARAMS,
        tasks=drawn_tasks("figure5"),
        without=undrawn_tasks("figure5"),
        stages=STAGES,
    script:
        "../../scripts/figure5.py"

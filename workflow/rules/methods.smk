# One rule runs every method. A method that builds on another reads that one's stored model.


rule run_method:
    input:
        unpack(parent_files),
        source="results/{run}/tasks/{task}/source.h5ad",
        target="results/{run}/tasks/{task}/target.h5ad",
        code=method_code,
    output:
        predictions="results/{run}/runs/{task}/{method}/seed-{seed}/predictions.tsv.gz",
        outcome="results/{run}/runs/{task}/{method}/seed-{seed}/outcome.json",
        model=directory("results/{run}/runs/{task}/{method}/seed-{seed}/model"),
    log:
        "results/{run}/logs/run_method/{task}/{method}/seed-{seed}.log",
    benchmark:
        "results/{run}/benchmarks/run_method/{task}/{method}/seed-{seed}.tsv"
    conda:
        "../../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        method=lambda wildcards: CONFIG.methods[wildcards.method].method,
        parent=lambda wildcards: CONFIG.methods[wildcards.method].parent,
        parameters=method_parameters,
        seed=lambda wildcards: int(wildcards.seed),
    script:
        "../../scripts/run_method.py"

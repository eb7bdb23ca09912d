# One rule runs every method. A method that builds on another reads that one's stored model; one that reads integrated
# cells reads those instead of the task's own.


rule integrate:
    input:
        source="results/{run}/tasks/{task}/source.h5ad",
        target="results/{run}/tasks/{task}/target.h5ad",
        datasets=task_datasets,
        code=integration_code,
    output:
        source="results/{run}/integrations/{task}/{integration}/source.h5ad",
        target="results/{run}/integrations/{task}/{integration}/target.h5ad",
        outcome="results/{run}/integrations/{task}/{integration}/outcome.json",
    log:
        "results/{run}/logs/integrate/{task}/{integration}.log",
    benchmark:
        "results/{run}/benchmarks/integrate/{task}/{integration}.tsv"
    priority: 50  # methods wait for it
    retries: RETRIES
    conda:
        lambda wildcards: environment("integrations", integration_file(wildcards))
    resources:
        **by_size_of_data("integrate"),
        attempt=lambda wildcards, attempt: attempt,
    params:
        integration=integration_file,
        cells=lambda wildcards: CONFIG.integrations[wildcards.integration].cells,
        task=lambda wildcards: CONFIG.tasks[wildcards.task].model_dump(),
        parameters=lambda wildcards: CONFIG.integrations[
            wildcards.integration
        ].parameters.model_dump(),
        seed=0,  # not the run's: one integration serves all methods and seeds, as in the paper
        attempts=ATTEMPTS,
        r_state=lambda wildcards: r_missing(r_packages("integrations", integration_file(wildcards))),
    script:
        "../../scripts/integrate.py"


rule run_method:
    input:
        unpack(method_cells),
        unpack(parent_files),
        code=method_code,
    output:
        predictions="results/{run}/runs/{task}/{method}/seed-{seed}/predictions.tsv.gz",
        outcome="results/{run}/runs/{task}/{method}/seed-{seed}/outcome.json",
        model=directory("results/{run}/runs/{task}/{method}/seed-{seed}/model"),
    log:
        "results/{run}/logs/run_method/{task}/{method}/seed-{seed}.log",
    benchmark:
        "results/{run}/benchmarks/run_method/{task}/{method}/seed-{seed}.tsv"
    retries: RETRIES
    conda:
        method_environment
    resources:
        **by_size_of_data("run_method"),
        gpu=n_gpus,
        attempt=lambda wildcards, attempt: attempt,
    params:
        method=method_file,
        parent=lambda wildcards: CONFIG.methods[wildcards.method].parent,
        input=lambda wildcards: CONFIG.methods[wildcards.method].input,
        parameters=lambda wildcards: CONFIG.methods[wildcards.method].parameters.model_dump(),
        seed=lambda wildcards: int(wildcards.seed),
        attempts=ATTEMPTS,
        r_state=lambda wildcards: r_missing(r_packages("methods", method_file(wildcards))),
    script:
        "../../scripts/run_method.py"

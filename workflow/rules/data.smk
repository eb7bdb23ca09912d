# Datasets, each to one AnnData contract, and the tasks cut from them.


rule dataset:
    input:
        files=dataset_files,
        code=dataset_code,
        normalization=library_code("preprocess"),
    output:
        "results/data/{dataset}.h5ad",
    log:
        "results/data/logs/{dataset}.log",
    benchmark:
        "results/data/benchmarks/{dataset}.tsv"
    priority: 100  # bad data shows before any long work starts
    conda:
        "../../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        loader=lambda wildcards: CONFIG.datasets[wildcards.dataset].loader,
        parameters=dataset_parameters,
    script:
        "../../scripts/dataset.py"


rule task:
    input:
        datasets=task_datasets,
        code=library_code("tasks"),
    output:
        source="results/{run}/tasks/{task}/source.h5ad",
        target="results/{run}/tasks/{task}/target.h5ad",
        solution="results/{run}/tasks/{task}/solution.tsv.gz",
    log:
        "results/{run}/logs/task/{task}.log",
    benchmark:
        "results/{run}/benchmarks/task/{task}.tsv"
    priority: 100
    conda:
        "../../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
    params:
        task=lambda wildcards: CONFIG.tasks[wildcards.task].model_dump(),
    script:
        "../../scripts/task.py"

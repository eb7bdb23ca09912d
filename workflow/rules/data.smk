# Datasets, all in the same AnnData format, and the tasks cut from them.


# The file itself is in the configured folder, which checkouts may share; the output is a link to it.
rule download:
    input:
        recovered,
    output:
        file="results/data/downloads/{dataset}/file",
        record="results/data/downloads/{dataset}/record.json",
    log:
        "results/data/logs/download_{dataset}.log",
    benchmark:
        "results/data/benchmarks/download_{dataset}.tsv"
    priority: 200
    conda:
        "../../envs/python.yaml"
    resources:
        **SMALL,
    params:
        code=code_of("data/downloads"),
        origins=lambda wildcards: [asdict(origin) for origin in dataset_origins(wildcards)],
        folder=CONFIG.downloads.folder,
    script:
        "../../scripts/download.py"


rule dataset:
    input:
        recovered,
        unpack(dataset_file),
    output:
        "results/data/{dataset}.h5ad",
    log:
        "results/data/logs/{dataset}.log",
    benchmark:
        "results/data/benchmarks/{dataset}.tsv"
    priority: 100  # faults in the data show before long work starts
    conda:
        "../../envs/python.yaml"
    resources:
        **by_size_of_dataset("dataset"),
    params:
        code=dataset_code,
        loader=lambda wildcards: CONFIG.datasets[wildcards.dataset].loader,
        parameters=lambda wildcards: CONFIG.datasets[wildcards.dataset].parameters.model_dump(),
    script:
        "../../scripts/dataset.py"


# `snakemake datasets`: everything that the selected tasks need, downloaded and prepared.
rule datasets:
    input:
        targets(f"results/{RUN}/datasets.txt"),


rule complete_datasets:
    input:
        recovered,
        datasets=DATASETS,
    output:
        f"results/{RUN}/datasets.txt",
    log:
        f"results/{RUN}/logs/complete_datasets.log",
    benchmark:
        f"results/{RUN}/benchmarks/complete_datasets.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **SMALL,
    params:
        code=code_of_script("complete"),
        strict=CONFIG.run.strict,
    script:
        "../../scripts/complete.py"


rule task:
    input:
        recovered,
        datasets=for_cases(datasets_of, [{"task": "{task}"}]),
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
    resources:
        **by_size_of_tasks("task", [{"task": "{task}"}]),
    params:
        code=code_of("data/tasks"),
        task=lambda wildcards: CONFIG.tasks[wildcards.task].model_dump(),
    script:
        "../../scripts/task.py"

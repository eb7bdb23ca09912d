# One script runs every method. A method that builds on another reads that one's stored model; one that reads integrated
# cells reads those instead of the task's own.


rule integrate:
    input:
        recovered,
        source="results/{run}/tasks/{task}/source.h5ad",
        target="results/{run}/tasks/{task}/target.h5ad",
        datasets=task_datasets,
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
        code=integration_code,
        integration=integration_file,
        cells=lambda wildcards: CONFIG.integrations[wildcards.integration].cells,
        task=lambda wildcards: CONFIG.tasks[wildcards.task].model_dump(),
        parameters=lambda wildcards: CONFIG.integrations[
            wildcards.integration
        ].parameters.model_dump(),
        seed=0,  # not the run's: one integration serves all methods and seeds, as in the paper
        attempts=ATTEMPTS,
        missing=lambda wildcards: missing(
            registry.require, registry.component("integrations", integration_file(wildcards))
        ),
    script:
        "../../scripts/integrate.py"


# All runs of a method on small tasks are one job: starting a job takes longer than they do. By the rule's name, (task, seed)
# of each of its runs, and its methods: one rule for each selection of runs that methods have, such as one seed only.
RUN_RULES = {"run_method": ([("{task}", "{seed}")], [*METHOD_TITLES])}
for method in METHOD_TITLES:
    of_method = [
        (task, str(seed))
        for task in SMALL_TASKS
        if (task, method) in ALL_RUNS
        for seed in CONFIG.seeds(method)
    ]
    alike = next((methods for runs, methods in RUN_RULES.values() if runs == of_method), None)
    if alike:
        alike.append(method)
    elif of_method:
        RUN_RULES[f"run_small_tasks_{len(RUN_RULES)}"] = (of_method, [method])
unselected = [method for method in CHECKED["method"] if (CHECKED["task"], method) not in ALL_RUNS]
if unselected:
    RUN_RULES["run_check_pbmc"] = ([(CHECKED["task"], str(CHECKED["seed"]))], unselected)


for name, (runs, methods) in RUN_RULES.items():
    runs_of_job = partial(with_wildcards, runs)
    job_name = "{task}/{method}/seed-{seed}" if name == "run_method" else "{method}"

    rule:
        name:
            name
        input:
            recovered,
            unpack(partial(files_of_runs, runs_of_job)),
        output:
            predictions=of_runs(PREDICTIONS, runs),
            outcome=of_runs(OUTCOME, runs),
            model=list(map(directory, of_runs(MODEL, runs))),
        log:
            f"results/{{run}}/logs/run_method/{job_name}.log",
        benchmark:
            f"results/{{run}}/benchmarks/run_method/{job_name}.tsv"
        wildcard_constraints:
            method="|".join(methods),
            task="|".join(task for task in CONFIG.run.tasks if task not in SMALL_TASKS) or "(?!)",
        retries: RETRIES
        conda:
            method_environment
        resources:
            **by_size_of_data("run_method", runs_of_job),
            gpu=n_gpus,
            attempt=lambda wildcards, attempt: attempt,
        params:
            code=method_code,
            method=method_file,
            input=lambda wildcards: CONFIG.methods[wildcards.method].input,
            parameters=lambda wildcards: CONFIG.methods[wildcards.method].parameters.model_dump(),
            runs=runs_of_job,
            attempts=ATTEMPTS,
            missing=missing_of_method,
        script:
            "../../scripts/run_method.py"

# One script runs every method. A method that builds on another reads that one's stored model; one that reads integrated
# cells reads those instead of the task's own.

for name, place, cases in jobs_of(
    "integrate", "{task}/{integration}", CONFIG.integrated(), lambda case: case["integration"]
):

    rule:
        name:
            name
        input:
            recovered,
            source=of_cases("results/{run}/tasks/{task}/source.h5ad", cases),
            target=of_cases("results/{run}/tasks/{task}/target.h5ad", cases),
            datasets=for_cases(datasets_of, cases),
        output:
            source=of_cases("results/{run}/integrations/{task}/{integration}/source.h5ad", cases),
            target=of_cases("results/{run}/integrations/{task}/{integration}/target.h5ad", cases),
            outcome=of_cases(INTEGRATION_OUTCOME, cases),
        log:
            f"results/{{run}}/logs/{place}.log",
        benchmark:
            f"results/{{run}}/benchmarks/{place}.tsv"
        wildcard_constraints:
            task=LARGE_TASKS,
        priority: 50  # methods wait for it
        retries: RETRIES
        conda:
            for_cases(lambda cases: environment("integrations", integration_file(cases)), cases)
        resources:
            **by_size_of_tasks("integrate", cases, integration_file),
            attempt=lambda wildcards, attempt: attempt,
        params:
            code=for_cases(integration_code, cases),
            name=for_cases(lambda cases: cases[0]["integration"], cases),
            entry=for_cases(integration_entry, cases),
            tasks=for_cases(definitions_of, cases),
            seed=0,  # not the run's: one integration serves all methods and seeds, as in the paper
            attempts=ATTEMPTS,
            missing=for_cases(missing_of_integration, cases),
        script:
            "../../scripts/integrate.py"


# What `check_pbmc` alone runs shares no job with what the run selects.
UNSELECTED = [run for run in CHECKED_RUNS if run not in ALL_RUNS]
for name, place, cases in jobs_of(
    "run_method",
    "{task}/{method}/seed-{seed}",
    ALL_RUNS + UNSELECTED,
    group=lambda case: method_file([case]) + "_checked" * (tuple(case.values()) in UNSELECTED),
):

    rule:
        name:
            name
        input:
            recovered,
            files=for_cases(files_of_runs, cases),
        output:
            predictions=of_cases(PREDICTIONS, cases),
            outcome=of_cases(OUTCOME, cases),
            model=list(map(directory, of_cases(MODEL, cases))),
        log:
            f"results/{{run}}/logs/{place}.log",
        benchmark:
            f"results/{{run}}/benchmarks/{place}.tsv"
        wildcard_constraints:
            task=LARGE_TASKS,
        retries: RETRIES
        conda:
            for_cases(method_environment, cases)
        resources:
            **by_size_of_tasks("run_method", cases, method_file),
            gpu=for_cases(n_gpus, cases),
            attempt=lambda wildcards, attempt: attempt,
        params:
            code=for_cases(method_code, cases),
            method=for_cases(method_file, cases),
            runs=for_cases(runs_of, cases),
            attempts=ATTEMPTS,
            missing=for_cases(missing_of_method, cases),
        script:
            "../../scripts/run_method.py"

# The held-out-type matrix: each method without each of the source's types in turn, and what becomes of the cells of that
# type.

HELD_OUT = CONFIG.held_out()
HELD_OUT_RUNS = with_seeds((task, method) for task, method, reason in HELD_OUT if not reason)
HELD_OUT_OUTCOME = "results/{run}/held_out_types/{task}/{method}/seed-{seed}/outcome.json"
HELD_OUT_PREDICTIONS = "results/{run}/held_out_types/{task}/{method}/seed-{seed}/predictions.tsv.gz"
HELD_OUT_OUTCOMES = every_run(HELD_OUT_OUTCOME, HELD_OUT_RUNS)
# As the records have it: the time without types is not that of the method's own run.
HELD_OUT_TITLES = {
    f"{name}, types held out": f"{title}, types held out" for name, title in METHOD_TITLES.items()
}
HELD_OUT_TASKS = {task: TASK_TITLES[task] for task, _, _ in HELD_OUT}
HELD_OUT_METHODS = {method: METHOD_TITLES[method] for _, method, _ in HELD_OUT}


RUN_OF_METHOD = [{name: f"{{{name}}}" for name in ("task", "method", "seed")}]


# One job for all of the source's types, and for the stages before: types are known only once the source is read.
rule hold_out:
    input:
        recovered,
        source="results/{run}/tasks/{task}/source.h5ad",
        target="results/{run}/tasks/{task}/target.h5ad",
    output:
        predictions=HELD_OUT_PREDICTIONS,
        outcome=HELD_OUT_OUTCOME,
    log:
        "results/{run}/logs/hold_out/{task}/{method}/seed-{seed}.log",
    benchmark:
        "results/{run}/benchmarks/hold_out/{task}/{method}/seed-{seed}.tsv"
    retries: RETRIES
    conda:
        for_cases(method_environment, RUN_OF_METHOD)
    resources:
        **by_size_of_tasks("hold_out", RUN_OF_METHOD, files_of_stages),
        gpu=for_cases(n_gpus, RUN_OF_METHOD),
        attempt=lambda wildcards, attempt: attempt,
    params:
        code=code_of_stages,
        stages=method_stages,
        seed=lambda wildcards: int(wildcards.seed),
        attempts=ATTEMPTS,
        missing=for_cases(partial(missing_of_method, outcome=HELD_OUT_OUTCOME), RUN_OF_METHOD),
    script:
        "../../scripts/hold_out.py"


rule held_out_types:
    input:
        recovered,
        outcomes=HELD_OUT_OUTCOMES,
        predictions=every_run(HELD_OUT_PREDICTIONS, HELD_OUT_RUNS),
        solutions=[f"results/{RUN}/tasks/{task}/solution.tsv.gz" for task in HELD_OUT_TASKS],
        sources=[f"results/{RUN}/tasks/{task}/source.h5ad" for task in HELD_OUT_TASKS],
    output:
        **table_files(f"results/{RUN}/tables/held_out_types"),
        labels=f"results/{RUN}/tables/held_out_labels.tsv",
    log:
        f"results/{RUN}/logs/held_out_types.log",
    benchmark:
        f"results/{RUN}/benchmarks/held_out_types.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **SMALL,
    params:
        code=code_of_script("held_out_types"),
        run=RUN,
        tasks=HELD_OUT_TASKS,
        methods=HELD_OUT_METHODS,
        runs=HELD_OUT_RUNS,
        left_out=[
            (task, method, CONFIG.run.seeds[0], reason)
            for task, method, reason in HELD_OUT
            if reason
        ],
    script:
        "../../scripts/held_out_types.py"

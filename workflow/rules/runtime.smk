# The paper's comparison of run times. Each job here takes all cores, so nothing else runs beside it; what it starts from is
# there already, and its predictions are not used. Small tasks are not run again: the table shows their ordinary runs.


use rule run_method as time_method with:
    output:
        predictions=["results/{run}/timed/{task}/{method}/seed-{seed}/predictions.tsv.gz"],
        outcome=["results/{run}/timed/{task}/{method}/seed-{seed}/outcome.json"],
        model=[directory("results/{run}/timed/{task}/{method}/seed-{seed}/model")],
    log:
        "results/{run}/logs/time_method/{task}/{method}/seed-{seed}.log",
    benchmark:
        "results/{run}/benchmarks/time_method/{task}/{method}/seed-{seed}.tsv"
    threads: ALL_CORES


use rule integrate as time_integration with:
    output:
        source=["results/{run}/timed/{task}/integration-{integration}/source.h5ad"],
        target=["results/{run}/timed/{task}/integration-{integration}/target.h5ad"],
        outcome=["results/{run}/timed/{task}/integration-{integration}/outcome.json"],
    log:
        "results/{run}/logs/time_integration/{task}/{integration}.log",
    benchmark:
        "results/{run}/benchmarks/time_integration/{task}/{integration}.tsv"
    threads: ALL_CORES


TIMED_METHODS, TIMED_INTEGRATIONS = CONFIG.timed()
TIMED_RUNS = [(task, method, CONFIG.seeds(method)[0]) for task, method in TIMED_METHODS]
TIMED_OUTCOMES = [
    f"results/{RUN}/{'runs' if task in SMALL_TASKS else 'timed'}/{task}/{method}/seed-{seed}/outcome.json"
    for task, method, seed in TIMED_RUNS
] + [
    (
        f"results/{RUN}/integrations/{task}/{integration}/outcome.json"
        if task in SMALL_TASKS
        else f"results/{RUN}/timed/{task}/integration-{integration}/outcome.json"
    )
    for task, integration in TIMED_INTEGRATIONS
]
# Of jobs that ran again.
TIMED_ALONE = [path for path in TIMED_OUTCOMES if path.startswith(f"results/{RUN}/timed/")]


rule runtime:
    input:
        recovered,
        outcomes=TIMED_OUTCOMES,
    output:
        **table_files(f"results/{RUN}/tables/runtime"),
    log:
        f"results/{RUN}/logs/runtime.log",
    benchmark:
        f"results/{RUN}/benchmarks/runtime.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        **SMALL,
    params:
        code=code_of_script("runtime"),
        run=RUN,
        task_titles=TASK_TITLES,
        beside_others=[task for task in CONFIG.runtime.tasks if task in SMALL_TASKS],
        method_titles=METHOD_TITLES,
        work={name: CONFIG.work(name) for name in (*METHOD_TITLES, CONFIG.figures.method)},
        reference=CONFIG.figures.method,
    script:
        "../../scripts/runtime.py"

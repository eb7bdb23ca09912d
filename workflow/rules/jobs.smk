# How work is cut into jobs: which cases share one, what a job may take, and what it reads.
import re

from jindbench import io
from jindbench.errors import NotAvailable

SMALL_TASKS = [
    task for task in CONFIG.run.tasks if costs.is_small(CONFIG, CONFIG.tasks[task].datasets())
]
# As a pattern. Each has jobs of its own.
CHECKED_TASKS = {task for task, _, _ in CHECKED_RUNS}
LARGE_TASKS = sorted({*CONFIG.run.tasks, *CHECKED_TASKS} - {*SMALL_TASKS})
LARGE_TASKS = "|".join(map(re.escape, LARGE_TASKS)) or "(?!)"


# A method or integration that is killed, or takes too long, is tried this often, with more memory and time each time. Only by
# the Snakemake that a user started: that of a job on a cluster has no more to give.
ATTEMPTS = 3
RETRIES = ATTEMPTS - 1 if workflow.is_main_process else 0


@cache
def largest_task():
    """Millions of values of the largest task."""
    return max(costs.task_size(CONFIG, task).values for task in CONFIG.run.tasks)


# On one machine nothing ends a job that takes more memory than it asked for: what is expected, and a fifth more, says which
# jobs go together. A cluster ends it.
ON_ONE_MACHINE = workflow.local_exec and not workflow.remote_exec
MEMORY_ASKED = 1.2 if ON_ONE_MACHINE else 2


# Jobs that read what others made of the cells: labels, probabilities, points, of all tasks and methods. That is about a
# thousandth of a task's own values, for each of some hundred runs. Not a profile's default-resources: those of a user's
# own profile or command line would replace them. Runtime is in minutes.
SMALL = {
    "mem_mb": lambda wildcards, attempt: round(attempt * (1500 + 2 * largest_task())),
    "runtime": lambda wildcards, attempt: round(attempt * (60 + largest_task() / 10)),
}


# Cases of small tasks that share a job: more would take longer than the jobs that are saved.
CASES_OF_JOB = 30


def jobs_of(rule, place, cases, group=lambda case: ""):
    """The rules of a kind of work, as (name, place of log and benchmark, cases): one whose wildcards are the case of a
    large task, and those in which cases of small tasks share a job. Starting a job takes longer than such a case.

    place: the wildcards of a case, task among them. cases: values of all wildcards of all cases, in their order.
    group: a name; only cases of the same one share a job.
    """
    wildcards, groups = re.findall(r"{(\w+)}", place), {}
    for case in (dict(zip(wildcards, values, strict=True)) for values in dict.fromkeys(cases)):
        if case["task"] in SMALL_TASKS:
            groups.setdefault(group(case), []).append(case)
    jobs = [(rule, f"{rule}/{place}", [{name: f"{{{name}}}" for name in wildcards}])]
    for name, members in groups.items():
        for start in range(0, len(members), CASES_OF_JOB):
            parts = [f"{rule}_of_small_tasks", name, str(start // CASES_OF_JOB or "")]
            shared = "_".join(filter(None, parts))
            jobs.append((shared, shared, members[start : start + CASES_OF_JOB]))
    return jobs


def of_cases(pattern, cases):
    """A file of each case; the run stays a wildcard."""
    return [pattern.format(run="{run}", **case) for case in cases]


def filled(cases, wildcards):
    """The cases of a job, in which all may be wildcards."""
    return [
        {name: str(value).format(**wildcards) for name, value in case.items()} for case in cases
    ]


def for_cases(function, cases):
    """A function of the cases of a job, as Snakemake wants it: of the job's wildcards."""
    return lambda wildcards: function(filled(cases, wildcards))


def by_size_of_data(step, sizes):
    """Resources of jobs that read the cells themselves: memory with room to spare; five times the expected time and what
    a slow disk may take for the data, for each case. As much again with each attempt.

    step: as `costs.expected` has it; sizes: of each case, as `costs.Size`. Both are functions of the wildcards.
    """

    def mem_mb(wildcards, attempt):
        most = max(costs.expected(step(wildcards), size).memory_mb for size in sizes(wildcards))
        return round(attempt * (1000 + MEMORY_ASKED * most))

    def runtime(wildcards, attempt):
        minutes = sum(
            30 + size.values / 10 + 5 * costs.expected(step(wildcards), size).seconds / 60
            for size in sizes(wildcards)
        )
        return round(attempt * minutes)

    return {"mem_mb": mem_mb, "runtime": runtime}


def by_size_of_dataset(step):
    return by_size_of_data(
        lambda wildcards: step,
        lambda wildcards: [costs.dataset_size(CONFIG, wildcards.dataset)],
    )


def by_size_of_tasks(step, cases, part=lambda cases: ""):
    """Of the tasks of a job's cases. part: what a step has by its cases, as the file of their method."""

    def sizes(cases):
        return [costs.task_size(CONFIG, case["task"]) for case in cases]

    return by_size_of_data(
        for_cases(lambda cases: "/".join(filter(None, [step, part(cases)])), cases),
        for_cases(sizes, cases),
    )


def dataset_origins(wildcards):
    dataset = CONFIG.datasets[wildcards.dataset]
    return registry.component("datasets", dataset.loader).origins(dataset.parameters)


def dataset_file(wildcards):
    """The file that the loader reads: where it lies on this machine, or the download and what is known of it."""
    origins = dataset_origins(wildcards)
    if not origins:
        return {}
    if origins[0].is_local:
        return {"file": origins[0].address}
    folder = f"results/data/downloads/{wildcards.dataset}"
    return {"file": f"{folder}/file", "record": f"{folder}/record.json"}


def dataset_code(wildcards):
    loader = CONFIG.datasets[wildcards.dataset].loader
    return code_of(f"datasets/{loader}", "data/preprocess")(wildcards)


def environment(kind, name):
    component = registry.component(kind, name)
    environments = {"R_PACKAGES": "r", "PACKAGES": "methods"}
    needed = [file for packages, file in environments.items() if hasattr(component, packages)]
    return f"../../envs/{[*needed, 'python'][0]}.yaml"


def missing(require, packages, outcomes=()):
    """What a check says is not here: as a parameter of a job, it makes what was not run run once it is.

    Nothing where all outcomes are those of a machine that had it: they are kept.
    """
    try:
        require(packages)
    except NotAvailable as error:
        ran = [
            os.path.exists(path) and not io.read_json(path)["status"].startswith(error.status)
            for path in outcomes
        ]
        return "" if ran and all(ran) else str(error)
    return ""


def method_file(cases):
    """The file of a job's methods, which is the same for all its cases."""
    return CONFIG.methods[cases[0]["method"]].method


def missing_of_method(cases, outcome=OUTCOME):
    outcomes = [outcome.format(run=RUN, **case) for case in cases]
    return missing(registry.require, registry.component("methods", method_file(cases)), outcomes)


def method_environment(cases):
    return environment("methods", method_file(cases))


def n_gpus(cases):
    """GPUs that a method takes: one if it is told to, or may and there is one.

    On a cluster `--set-resources` asks for them too: what there is where Snakemake or a job runs says nothing.
    """
    methods = [CONFIG.methods[case["method"]].parameters for case in cases]
    devices = {getattr(parameters, "device", "cpu") for parameters in methods}
    return int("cuda" in devices or ("auto" in devices and ON_ONE_MACHINE and job.n_gpus() > 0))


def integration_file(cases):
    return CONFIG.integrations[cases[0]["integration"]].integration


def integration_entry(cases):
    entry = CONFIG.integrations[cases[0]["integration"]]
    return {
        "integration": entry.integration,
        "cells": entry.cells,
        "parameters": entry.parameters.model_dump(),
    }


def missing_of_integration(cases):
    outcomes = [INTEGRATION_OUTCOME.format(run=RUN, **case) for case in cases]
    component = registry.component("integrations", integration_file(cases))
    return missing(registry.require, component, outcomes)


def integration_code(cases):
    names = f"integrations/{integration_file(cases)}", "execution/components", "data/tasks"
    return code_of(*names)(None)


def datasets_of(cases):
    """Of the cases' tasks."""
    names = [dataset for case in cases for dataset in CONFIG.tasks[case["task"]].datasets()]
    return expand("results/data/{dataset}.h5ad", dataset=dict.fromkeys(names))


def definitions_of(cases):
    """What the configuration says of the cases' tasks."""
    return {case["task"]: CONFIG.tasks[case["task"]].model_dump() for case in cases}


def method_code(cases):
    return code_of(f"methods/{method_file(cases)}", "execution/components")(None)


def run_of(case):
    """What `run_method.py` needs to know of a run: its method, and the files that it reads: cells, integrated where the
    method wants that, and the stored model that it starts from, with what became of those jobs.
    """
    task, entry = case["task"], CONFIG.methods[case["method"]]
    folder, files = f"results/{RUN}/tasks/{task}", {}
    if entry.sees_labels:
        files["solution"] = f"{folder}/solution.tsv.gz"
    if entry.input is not None:
        folder = f"results/{RUN}/integrations/{task}/{entry.input}"
        files["integration_outcome"] = INTEGRATION_OUTCOME.format(
            run=RUN, task=task, integration=entry.input
        )
    files |= {side: f"{folder}/{side}.h5ad" for side in ("source", "target")}
    if entry.parent is not None:
        seed, seeds = int(case["seed"]), CONFIG.seeds(entry.parent)
        parent = {"run": RUN, "task": task, "method": entry.parent}
        parent["seed"] = seed if seed in seeds else seeds[0]
        files["parent_model"] = MODEL.format(**parent)
        files["parent_outcome"] = OUTCOME.format(**parent)
    facts = {"input": entry.input, "parameters": entry.parameters.model_dump(), "files": files}
    return case | {"seed": int(case["seed"])} | facts


def runs_of(cases):
    return [run_of(case) for case in cases]


def files_of_runs(cases):
    return [path for case in cases for path in run_of(case)["files"].values()]


def method_stages(wildcards):
    """A method's file and parameters, preceded by those of the methods that it starts from, the first first."""
    entries = [CONFIG.methods[name] for name in CONFIG.chain(wildcards.method)]
    return [[entry.method, entry.parameters.model_dump()] for entry in entries]


def files_of_stages(cases):
    return costs.files_of_stages(CONFIG, cases[0]["method"])


def code_of_stages(wildcards):
    files = [f"methods/{name}" for name, _ in method_stages(wildcards)]
    return code_of(*files, "execution/hold_out")(wildcards)

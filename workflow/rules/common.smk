# The checked configuration, the runs it asks for, and what several rules share.
import json

from jindbench import r
from jindbench.errors import NotAvailable
from jindbench.execution import costs, progress

try:
    CONFIG = configuration.load(config)
    if workflow.is_main_process:  # not again in every job
        configuration.check_data(CONFIG)
except InputError as error:
    raise WorkflowError(str(error))

RUN = CONFIG.run.name
if workflow.remote_exec:  # this is the Snakemake of one job
    os.environ[guard.ON_CLUSTER] = "1"
RECOVERED = {
    "results": [Path("results/data"), Path("results", RUN)],
    "ends": [
        Path("results", RUN, name)
        for name in ("complete.txt", "tables/complete.txt", "datasets.txt")
    ],
}

# What the paper printed. Relative, so that a moved folder is still up to date.
PUBLISHED_VALUES = os.path.relpath(LIBRARY / "resources/published_values.tsv")


TABLES = CONFIG.shown_tables()
# What compares with the paper is made where one of its tasks is run, which config.yaml names so.
OF_PAPER = [task for task in CONFIG.run.tasks if task.startswith("paper_")]
# Tasks on other files than the paper's, which have the numbers of one of its tasks beside theirs.
STAND_INS = {
    task: entry.stands_in_for
    for task, entry in CONFIG.selected_tasks().items()
    if entry.stands_in_for
}


wildcard_constraints:
    run=RUN,
    dataset="[^/]+",
    task="[^/]+",
    method="[^/]+",
    integration="[^/]+",
    seed="[0-9]+",


TASK_TITLES = {task: CONFIG.task_title(task) for task in CONFIG.run.tasks}
METHOD_TITLES = {name: method.title for name, method in CONFIG.selected_methods().items()}
progress.show(workflow, METHOD_TITLES)
# Of Table 2 those that compete: a control that is given the target's labels does not.
COMPARED_METHODS = {
    name: METHOD_TITLES[name] for name in CONFIG.run.methods if not CONFIG.methods[name].sees_labels
}


OUTCOME = "results/{run}/runs/{task}/{method}/seed-{seed}/outcome.json"
PREDICTIONS = "results/{run}/runs/{task}/{method}/seed-{seed}/predictions.tsv.gz"
MODEL = "results/{run}/runs/{task}/{method}/seed-{seed}/model"


# (task, method) of what is run; with the stages that it starts from; and of Table 2 alone.
RUNS = CONFIG.pairs()
ALL_RUNS = CONFIG.pairs(parents=True)
TABLE2_RUNS = [(task, method) for task, method in RUNS if method in COMPARED_METHODS]


def every_run(pattern, runs):
    """A file of every run: task by task, method by method, seed by seed."""
    return [
        path
        for task, method in runs
        for path in expand(pattern, run=RUN, task=task, method=method, seed=CONFIG.seeds(method))
    ]


def every_outcome():
    """The record of every integration and run, those included that others start from."""
    integrated = [
        f"results/{RUN}/integrations/{task}/{integration}/outcome.json"
        for task, integration in CONFIG.integrated()
    ]
    return integrated + every_run(OUTCOME, ALL_RUNS)


# A method or integration that is killed, or takes too long, is tried this often, with more memory and time each time. Only by
# the Snakemake that a user started: that of a job on a cluster has no more to give.
ATTEMPTS = 3
RETRIES = ATTEMPTS - 1 if workflow.is_main_process else 0


@cache
def largest_task():
    """Millions of values of the largest task."""
    return max(costs.task_size(CONFIG, task) for task in CONFIG.run.tasks)


# Jobs that read what others made of the cells: labels, probabilities, points, of all tasks and methods. That is about a
# thousandth of a task's own values, for each of some hundred runs. Not a profile's default-resources: those of a user's
# own profile or command line would replace them. Runtime is in minutes.
SMALL = {
    "mem_mb": lambda wildcards, attempt: round(attempt * (3000 + 2 * largest_task())),
    "runtime": lambda wildcards, attempt: round(attempt * (60 + largest_task() / 10)),
}


def size_of_data(wildcards):
    """Millions of values of a job's task or dataset."""
    if "task" in wildcards.keys():
        return costs.task_size(CONFIG, wildcards.task)
    return costs.dataset_size(CONFIG, wildcards.dataset)


def expected_cost(rule, wildcards, size):
    """What a job costs for data of a size; of a rule that runs a method or an integration, by that one's file."""
    files = {"run_method": method_file, "hold_out": files_of_stages, "integrate": integration_file}
    step = f"{rule}/{files[rule](wildcards)}" if rule in files else rule
    return costs.expected(step, size)


def by_size_of_data(rule, runs_of_job=None):
    """Resources of jobs that read the cells themselves: twice the expected memory; five times the expected time and what
    a slow disk may take for the data, for each run of the job. As much again with each attempt.
    """

    def sizes(wildcards):
        if runs_of_job is None:
            return [size_of_data(wildcards)]
        return [costs.task_size(CONFIG, task) for task, _ in runs_of_job(wildcards)]

    def mem_mb(wildcards, attempt):
        cost = expected_cost(rule, wildcards, max(sizes(wildcards)))
        return round(attempt * (1000 + 2 * cost.memory_mb))

    def runtime(wildcards, attempt):
        minutes = sum(
            30 + size / 10 + 5 * expected_cost(rule, wildcards, size).seconds / 60
            for size in sizes(wildcards)
        )
        return round(attempt * minutes)

    return {"mem_mb": mem_mb, "runtime": runtime}


def table_files(path):
    """What every table is written as."""
    return {kind: f"{path}.{kind}" for kind in ("tsv", "md", "html")}


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


def missing(require, packages):
    """What a check says is not here: as a parameter of a job, it makes what was not run run once it is."""
    try:
        require(packages)
    except NotAvailable as error:
        return str(error)
    return ""


def missing_of_method(wildcards):
    return missing(registry.require, registry.component("methods", method_file(wildcards)))


def method_environment(wildcards):
    return environment("methods", method_file(wildcards))


def method_file(wildcards):
    return CONFIG.methods[wildcards.method].method


def n_gpus(wildcards):
    """GPUs that a method takes: one if it is told to, or may and there is one.

    On a cluster `--set-resources` asks for them too: what there is where Snakemake or a job runs says nothing.
    """
    device = getattr(CONFIG.methods[wildcards.method].parameters, "device", "cpu")
    on_one_machine = workflow.local_exec and not workflow.remote_exec
    return int(device == "cuda" or (device == "auto" and on_one_machine and job.n_gpus() > 0))


def integration_file(wildcards):
    return CONFIG.integrations[wildcards.integration].integration


def integration_code(wildcards):
    names = f"integrations/{integration_file(wildcards)}", "execution/components", "data/tasks"
    return code_of(*names)(wildcards)


def task_datasets(wildcards):
    return expand("results/data/{dataset}.h5ad", dataset=CONFIG.tasks[wildcards.task].datasets())


def method_code(wildcards):
    return code_of(f"methods/{method_file(wildcards)}", "execution/components")(wildcards)


def with_wildcards(runs, wildcards):
    """(task, seed) of each run of a job, in which both may be wildcards."""
    return [(task.format(**wildcards), int(seed.format(**wildcards))) for task, seed in runs]


def of_runs(pattern, runs):
    """A file of each run, by a pattern whose other wildcards stay."""
    return [
        pattern.format(run="{run}", method="{method}", task=task, seed=seed) for task, seed in runs
    ]


def files_of_runs(runs_of_job, wildcards):
    """What a job's runs of a method read, one file of each kind for each run: cells, integrated where the method wants
    that, and the stored model that it starts from, with what became of those jobs.
    """
    entry, files = CONFIG.methods[wildcards.method], {}
    for task, seed in runs_of_job(wildcards):
        folder = f"results/{RUN}/tasks/{task}"
        if entry.input is not None:
            folder = f"results/{RUN}/integrations/{task}/{entry.input}"
            files.setdefault("integration_outcome", []).append(f"{folder}/outcome.json")
        for side in ("source", "target"):
            files.setdefault(side, []).append(f"{folder}/{side}.h5ad")
        if entry.sees_labels:
            files.setdefault("solution", []).append(f"results/{RUN}/tasks/{task}/solution.tsv.gz")
        if entry.parent is not None:
            seeds = CONFIG.seeds(entry.parent)
            parent = {"run": RUN, "task": task, "method": entry.parent}
            parent["seed"] = seed if seed in seeds else seeds[0]
            files.setdefault("parent_model", []).append(MODEL.format(**parent))
            files.setdefault("parent_outcome", []).append(OUTCOME.format(**parent))
    return files


def method_stages(wildcards):
    """A method's file and parameters, preceded by those of the methods that it starts from, the first first."""
    entries = [CONFIG.methods[name] for name in CONFIG.chain(wildcards.method)]
    return [[entry.method, entry.parameters.model_dump()] for entry in entries]


def files_of_stages(wildcards):
    return costs.files_of_stages(CONFIG, wildcards.method)


def code_of_stages(wildcards):
    files = [f"methods/{name}" for name, _ in method_stages(wildcards)]
    return code_of(*files, "execution/hold_out")(wildcards)


def notes_of_table(table):
    """The foot of a table: which tasks have the authors' own split, and what methods' files say of themselves."""
    files = dict.fromkeys(CONFIG.methods[name].method for name in table.methods)
    notes = [getattr(registry.component("methods", file), "NOTE", None) for file in files]
    splits = {task: CONFIG.tasks[task].split for task in table.tasks}
    of_paper = ", ".join(
        TASK_TITLES[task] for task, split in splits.items() if split and split.rule == "paper"
    )
    note = f"Source and target are the authors' own, cell by cell: {of_paper}."
    return [note] * bool(of_paper) + [note for note in notes if note]


def is_small(datasets):
    """Whether work on them takes no longer than starting a job, so that jobs are shared. By what they are declared to
    hold: they may not have been read yet.
    """
    return costs.declared_cells(CONFIG, datasets) <= CONFIG.run.small_task


SMALL_TASKS = [task for task in CONFIG.run.tasks if is_small(CONFIG.tasks[task].datasets())]

SOLUTIONS = expand("results/{run}/tasks/{task}/solution.tsv.gz", run=RUN, task=CONFIG.run.tasks)
DATASETS = expand("results/data/{dataset}.h5ad", dataset=CONFIG.selected_datasets())

# What `check_pbmc` runs, whatever the run selects.
CHECKED = {
    "run": RUN,
    "task": "paper_pbmc_v3_v5",
    "method": CONFIG.chain("jind_plus_published"),
    "seed": CONFIG.run.seeds[0],
}

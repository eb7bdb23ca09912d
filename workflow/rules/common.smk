# The checked configuration, the runs it asks for, and the names of their files.
import json

from jindbench import r
from jindbench.execution import costs, progress

try:
    if workflow.is_main_process:
        configuration.check_files(workflow.configfiles)
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
INTEGRATION_OUTCOME = "results/{run}/integrations/{task}/{integration}/outcome.json"
MODEL = "results/{run}/runs/{task}/{method}/seed-{seed}/model"


def with_seeds(pairs):
    """(task, method, seed) of the runs of some pairs of task and method."""
    return [(task, method, seed) for task, method in pairs for seed in CONFIG.seeds(method)]


# What is run: all, with the stages that others start from; and of Table 2 alone.
ALL_RUNS = with_seeds(CONFIG.pairs(parents=True))
TABLE2_RUNS = [run for run in with_seeds(CONFIG.pairs()) if run[1] in COMPARED_METHODS]

# What `check_pbmc` runs, whatever the run selects; a configuration of one's own need not have it.
CHECKED_TASK, CHECKED_METHOD = "paper_pbmc_v3_v5", "jind_plus_published"
CHECKED_RUNS = []
if CHECKED_TASK in CONFIG.tasks and CHECKED_METHOD in CONFIG.methods:
    CHECKED_RUNS = [
        (CHECKED_TASK, stage, CONFIG.run.seeds[0]) for stage in CONFIG.chain(CHECKED_METHOD)
    ]


def every_run(pattern, runs):
    """A file of each run."""
    return [
        pattern.format(run=RUN, task=task, method=method, seed=seed) for task, method, seed in runs
    ]


def every_outcome():
    """The record of every integration and run, those included that others start from."""
    integrated = [
        INTEGRATION_OUTCOME.format(run=RUN, task=task, integration=integration)
        for task, integration in CONFIG.integrated()
    ]
    return integrated + every_run(OUTCOME, ALL_RUNS)


def table_files(path):
    """What every table is written as."""
    return {kind: f"{path}.{kind}" for kind in ("tsv", "md", "html")}


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


SOLUTIONS = expand("results/{run}/tasks/{task}/solution.tsv.gz", run=RUN, task=CONFIG.run.tasks)
DATASETS = expand("results/data/{dataset}.h5ad", dataset=CONFIG.selected_datasets())

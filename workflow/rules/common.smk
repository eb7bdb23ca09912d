# The checked configuration, the runs it asks for, and what several rules share.
import os
import sys

from snakemake.exceptions import WorkflowError

# The library beside this file is the one that rules and scripts use, in whatever environment they run.
LIBRARY = Path(workflow.basedir) / "workflow"
sys.path.insert(0, str(LIBRARY))

from jindbench import config as configuration
from jindbench import registry

registry.export_library_path()

try:
    CONFIG = configuration.load(config)
    if workflow.is_main_process:  # not again in every job
        configuration.check_data(CONFIG)
except configuration.ConfigurationError as error:
    raise WorkflowError(str(error))

RUN = CONFIG.run.name
# What the paper printed. Relative, so that a moved folder is still up to date.
PUBLISHED_VALUES = os.path.relpath(LIBRARY / "resources/published_values.tsv")


wildcard_constraints:
    run=RUN,
    dataset="[^/]+",
    task="[^/]+",
    method="[^/]+",
    seed="[0-9]+",


TASK_TITLES = {task: CONFIG.task_title(task) for task in CONFIG.run.tasks}
METHOD_TITLES = {method: CONFIG.methods[method].title for method in CONFIG.run.methods}


def every_run(pattern, methods=tuple(CONFIG.run.methods)):
    """A file of every selected run: task by task, method by method, seed by seed."""
    return expand(
        pattern,
        run=RUN,
        task=CONFIG.run.tasks,
        method=methods,
        seed=CONFIG.run.seeds,
    )


def script_code(name):
    """A script and the library files it imports, as input: Snakemake sees no edits of imported files."""
    return registry.code_of(Path(workflow.basedir) / "scripts" / f"{name}.py")


def mem_mb(wildcards, attempt):
    return 4000 * attempt


def runtime(wildcards, attempt):
    """Minutes."""
    return 120 * attempt


def library_code(name):
    """A library file and those it imports, as input. Where work is long, rules name the file that does it
    instead of their script's imports: an edit of tables or figures must not train everything again.
    """
    return registry.code_of(registry.LIBRARY / f"{name}.py")


def dataset_code(wildcards):
    return library_code(f"datasets/{CONFIG.datasets[wildcards.dataset].loader}")


def dataset_sources(wildcards):
    dataset = CONFIG.datasets[wildcards.dataset]
    return registry.component("datasets", dataset.loader).sources(dataset.parameters)


def dataset_file(wildcards):
    """The file that the loader reads: where it lies on this machine, or the download and what is known of it."""
    sources = dataset_sources(wildcards)
    if not sources:
        return {}
    if sources[0].is_local:
        return {"file": sources[0].address}
    folder = f"results/data/downloads/{wildcards.dataset}"
    return {"file": f"{folder}/file", "record": f"{folder}/record.json"}


def dataset_environment(wildcards):
    loader = registry.component("datasets", CONFIG.datasets[wildcards.dataset].loader)
    return "../../envs/r.yaml" if getattr(loader, "NEEDS_R", False) else "../../envs/python.yaml"


def dataset_parameters(wildcards):
    return CONFIG.datasets[wildcards.dataset].parameters.model_dump()


def task_datasets(wildcards):
    return expand("results/data/{dataset}.h5ad", dataset=CONFIG.tasks[wildcards.task].datasets())


def method_code(wildcards):
    return library_code(f"methods/{CONFIG.methods[wildcards.method].method}")


def parent_files(wildcards):
    parent = CONFIG.methods[wildcards.method].parent
    if parent is None:
        return {}
    folder = f"results/{RUN}/runs/{wildcards.task}/{parent}/seed-{wildcards.seed}"
    return {"parent_model": f"{folder}/model", "parent_outcome": f"{folder}/outcome.json"}


def method_parameters(wildcards):
    return CONFIG.methods[wildcards.method].parameters.model_dump()

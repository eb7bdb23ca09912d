# Which files the figures show: of the tasks that the configuration names, of the method that they show and its stages.

LATENT_TSNE = "results/{run}/tsne/{task}/{method}.tsv.gz"
SOURCE = "results/{run}/tasks/{task}/source.h5ad"
SOLUTION = "results/{run}/tasks/{task}/solution.tsv.gz"

STAGES = {task: CONFIG.stages(task) for task in CONFIG.run.tasks}
# Before and after alignment; and the last, what the method itself says.
ALIGNMENT, LAST = slice(0, 2), slice(-1, None)

FIGURE_PARAMS = {
    "task_titles": TASK_TITLES,
    "method_titles": METHOD_TITLES,
    "method": CONFIG.figures.method,
}


def stage_seed(method):
    return CONFIG.seeds(method)[0]


def drawn_tasks(figure):
    """Tasks that a figure can show: those on which its method is run with all its stages."""
    return [task for task in CONFIG.figure_tasks(figure) if STAGES[task]]


def undrawn_tasks(figure):
    method = CONFIG.figures.method
    reason = f"{method}, which figures show, is not run on it with all its stages."
    return {task: reason for task in CONFIG.figure_tasks(figure) if not STAGES[task]}


def of_tasks(figure, pattern):
    return [pattern.format(run=RUN, task=task) for task in drawn_tasks(figure)]


def of_stages(figure, pattern, stages):
    """A file of some of the stages, for each task."""
    return [
        pattern.format(run=RUN, task=task, method=method, seed=stage_seed(method))
        for task in drawn_tasks(figure)
        for method in STAGES[task][stages]
    ]


def shown_predictions(wildcards):
    """Predictions of the method that the figures show; nothing where it is not run."""
    if not STAGES[wildcards.task]:
        return {}
    method = CONFIG.figures.method
    names = {"run": RUN, "task": wildcards.task, "method": method, "seed": stage_seed(method)}
    return {"predictions": PREDICTIONS.format(**names), "outcome": OUTCOME.format(**names)}


# Differential expression is of the tasks of Figure 4.
COMPARED = CONFIG.figure_tasks("figure4")


def of_comparisons(name, tasks=COMPARED):
    return [f"results/{RUN}/differential_expression/{task}/{name}" for task in tasks]


# The supplement's figures: S1 and S2 all genes that differ, S3 and S4 the controls, of the first and the second task of
# Figure 4, in the paper's order.
SUPPLEMENT = {"s1": 1, "s2": 0, "s3": 0, "s4": 1}


def supplement_input(wildcards):
    tasks = COMPARED[SUPPLEMENT[wildcards.figure] :][:1]
    data = "heatmap_all.tsv.gz" if wildcards.figure in ("s1", "s2") else "control.tsv"
    return {
        "comparison": of_comparisons("comparison.json", tasks),
        "data": of_comparisons(data, tasks),
    }

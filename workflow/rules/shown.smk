# Which results the paper's figures show: of the tasks that the configuration names for each, and of the method of
# `figures: method` with the stages that it starts from.

# The method that the figures show, after those that it starts from; nothing for a task that it is not run on.
STAGES = {task: CONFIG.stages(task) for task in CONFIG.run.tasks}

# Differential expression is of the tasks of Figure 4.
COMPARED = CONFIG.figure_tasks("figure4")


def of_comparisons(name, tasks=COMPARED):
    return [f"results/{RUN}/differential_expression/{task}/{name}" for task in tasks]


def missing_limma(cases):
    tasks = [case["task"] for case in cases]
    return missing(r.require, ("limma",), of_comparisons("comparison.json", tasks))


def shown_runs(cases):
    """Predictions and record of the method that the figures show, for each task; nothing where it is not run."""
    method = CONFIG.figures.method
    named = {"run": RUN, "method": method, "seed": CONFIG.seeds(method)[0]}
    files = {"predictions": PREDICTIONS, "outcome": OUTCOME}
    return {
        case["task"]: (
            {kind: path.format(**named, **case) for kind, path in files.items()}
            if STAGES[case["task"]]
            else {}
        )
        for case in cases
    }


def files_of_shown_runs(cases):
    return [path for files in shown_runs(cases).values() for path in files.values()]


# Of the stages of a method: before and after the alignment; and the last, what the method itself says.
BEFORE_AND_AFTER, LAST = slice(0, 2), slice(-1, None)
WITH_CODES = max(STAGES.values(), key=len)[BEFORE_AND_AFTER]


# Files of methods whose stored models have latent codes.
JINDS = {"jind_classifier", "jind", "jind_plus", "consensus"}


def lacking(figure):
    """What the method of the figures lacks for this one; "" if nothing."""
    method = CONFIG.figures.method
    stages = CONFIG.chain(method) if method in CONFIG.methods else []
    if figure in ("figure2", "figure5"):
        if not {CONFIG.methods[stage].method for stage in stages} <= JINDS:
            return "has no latent codes"
    if figure == "figure5" and len(stages) == 1:
        return "has no stage before alignment"
    return ""


def drawn_tasks(figure):
    """Tasks that a figure can show: those on which its method is run with all its stages."""
    return [task for task in CONFIG.figure_tasks(figure) if STAGES[task] and not lacking(figure)]


def is_shown(figure):
    """Whether a figure of the paper is drawn: where there is a task to show, or claims of the paper that rest on it."""
    return bool(drawn_tasks(figure) or OF_PAPER)


def of_tasks(figure, pattern):
    return expand(pattern, run=RUN, task=drawn_tasks(figure))


def of_first_seeds(pattern, methods):
    """A file of each method's first run; its other wildcards stay."""
    return [
        path
        for method in methods
        for path in expand(pattern, method=method, seed=CONFIG.seeds(method)[0], allow_missing=True)
    ]


def of_stages_of(pattern, case):
    """A file of each stage that has latent codes, of a job's task."""
    return [path.format(run="{run}", **case) for path in of_first_seeds(pattern, WITH_CODES)]


def of_stages(figure, pattern, stages):
    """A file of some of the stages, for each task."""
    return [
        path
        for task in drawn_tasks(figure)
        for path in expand(of_first_seeds(pattern, STAGES[task][stages]), run=RUN, task=task)
    ]


def of_paper(figure, stages):
    """What the paper's figures have in common: labels, and what became of the stages."""
    return {
        "predicted": of_stages(figure, PREDICTIONS, stages),
        "outcomes": of_stages(figure, OUTCOME, stages),
        "sources": of_tasks(figure, "results/{run}/tasks/{task}/source.h5ad"),
        "solutions": of_tasks(figure, "results/{run}/tasks/{task}/solution.tsv.gz"),
        # A type has one colour in all tasks of the run.
        "all_sources": expand(
            "results/{run}/tasks/{task}/source.h5ad", run=RUN, task=CONFIG.run.tasks
        ),
        "all_solutions": expand(SOLUTIONS, run=RUN),
    }


def titles_of_paper(figure):
    why = lacking(figure) or "is not run on it with all its stages"
    reason = f"{CONFIG.figures.method}, which figures show, {why}."
    drawn = drawn_tasks(figure)
    return {
        "tasks": {task: TASK_TITLES[task] for task in drawn},
        "methods": METHOD_TITLES,
        "without": {
            TASK_TITLES[task]: reason for task in CONFIG.figure_tasks(figure) if task not in drawn
        },
    }


# Which task of Figure 4 each shows: S1 and S2 all genes that differ, S3 and S4 the controls, in the paper's order.
SUPPLEMENT = {"s1": 1, "s2": 0, "s3": 0, "s4": 1}
SUPPLEMENT = {name: place for name, place in SUPPLEMENT.items() if place < len(COMPARED)}


def of_supplement(genes, control):
    """A file of the comparison that a figure shows."""
    return lambda figure: of_comparisons(
        genes if figure in ("s1", "s2") else control, [COMPARED[SUPPLEMENT[figure]]]
    )[0]

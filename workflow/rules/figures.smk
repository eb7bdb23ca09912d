# Every figure of the run. An entry of FIGURES says what a figure is drawn from; the module of its name in jindbench/figures
# draws it. In the order of the report: the paper's first. The paper's Figures 2 to 5 show the first seed of the tasks that the
# configuration names, and the method of `figures: method` with the stages that it starts from.
from dataclasses import dataclass, field


@dataclass
class Figure:
    """A figure: what its `draw` takes, and what is written.

    files, values: the arguments of `draw` by name, the paths that it reads and all else.
    tables: paths below the run's folder, by the names that `draw` has for the tables.
    path: of the picture below figures/, without suffix, where it is not the figure's name.
    each: all values of a name in that path, which `draw` takes too; files may be a function of the value.
    job: figures that the same job draws.
    shown: whether there is anything to show.
    """

    files: dict = field(default_factory=dict)
    values: dict = field(default_factory=dict)
    tables: dict = field(default_factory=dict)
    path: str = ""
    each: dict = field(default_factory=dict)
    job: str = "figures"
    shown: bool = True


TITLES = {"tasks": TASK_TITLES, "methods": METHOD_TITLES}
OF_TABLE2 = TITLES | {"methods": COMPARED_METHODS}
FIRST_RUNS = TITLES | {"seed": CONFIG.run.seeds[0]}
OF_HELD_OUT = {"tasks": HELD_OUT_TASKS, "methods": HELD_OUT_METHODS}
# A method is JIND's by its file: titles are free.
JIND = {
    "jind": [
        title
        for name, title in METHOD_TITLES.items()
        if registry.stages(CONFIG.methods[name].method)[0] == "jind_classifier"
    ]
}
SCORES = rules.accuracies.output.by_method

FIGURES = {
    "figure2": Figure(
        files={"tsne": of_stages("figure2", LATENT_TSNE, BEFORE_AND_AFTER)}
        | of_paper("figure2", BEFORE_AND_AFTER),
        values=titles_of_paper("figure2"),
        shown=is_shown("figure2"),
        tables={
            "points": "figures/figure2.tsv.gz",
            "flows": "figures/figure2_flows.tsv",
        },
        job="cell_figures",
    ),
    "figure3": Figure(
        files={"tsne": of_tasks("figure3", EXPRESSION_TSNE)} | of_paper("figure3", LAST),
        values=titles_of_paper("figure3") | {"method": CONFIG.figures.method},
        shown=is_shown("figure3"),
        tables={"points": "figures/figure3.tsv.gz"},
        job="cell_figures",
    ),
    "figure3_rates": Figure(
        files={"scores": SCORES},
        values=OF_TABLE2 | JIND,
    ),
    "figure4": Figure(
        files={
            "tsne": of_tasks("figure4", EXPRESSION_TSNE),
            "comparisons": of_comparisons("comparison.json", drawn_tasks("figure4")),
            "heatmaps": of_comparisons("heatmap_top.tsv.gz", drawn_tasks("figure4")),
        }
        | of_paper("figure4", LAST),
        values=titles_of_paper("figure4"),
        shown=is_shown("figure4"),
        tables={
            "points": "figures/figure4.tsv.gz",
            "flows": "figures/figure4_flows.tsv",
        },
        job="cell_figures",
    ),
    "figure5": Figure(
        files={
            "tsne": of_stages("figure5", LATENT_TSNE, BEFORE_AND_AFTER),
            "codes": of_stages("figure5", LATENT_CODES, BEFORE_AND_AFTER),
        }
        | of_paper("figure5", BEFORE_AND_AFTER),
        values=titles_of_paper("figure5"),
        shown=is_shown("figure5"),
        tables={
            "points": "figures/figure5.tsv.gz",
            "flows": "figures/figure5_flows.tsv",
            "clusters": "tables/novel_types.tsv",
        },
        job="cell_figures",
    ),
    "supplementary_figure": Figure(
        files={
            "comparison": of_supplement("comparison.json", "comparison.json"),
            "data": of_supplement("heatmap_all.tsv.gz", "control.tsv"),
        },
        values={"tasks": TASK_TITLES},
        tables={"tsv": "figures/{figure}.tsv"},
        path="{figure}",
        each={"figure": list(SUPPLEMENT)},
        shown=is_shown("figure4"),
    ),
    "networks": Figure(
        tables={"steps": "figures/s5.tsv"},
        path="s5",
        shown=is_shown("figure2"),
    ),
    "raw_accuracy": Figure(
        files={"scores": SCORES},
        values=OF_TABLE2 | JIND,
        job="accuracy_figures",
    ),
    "ranks": Figure(
        files={
            "predicted": every_run(PREDICTIONS, TABLE2_RUNS),
            "outcomes": every_run(OUTCOME, TABLE2_RUNS),
            "solutions": SOLUTIONS,
        },
        values=OF_TABLE2,
        tables={"table": "tables/ranks.tsv"},
        job="accuracy_figures",
        shown=len(CONFIG.run.tasks) >= 3,
    ),
    "accuracy_by_cost": Figure(
        files={"scores": SCORES, "outcomes": every_outcome()},
        values=OF_TABLE2 | {"work": {name: CONFIG.work(name) for name in CONFIG.run.methods}},
        tables={"table": "tables/accuracy_by_cost.tsv"},
        job="accuracy_figures",
        shown=len(CONFIG.run.tasks) >= 3,
    ),
    "accuracy_coverage": Figure(
        files={
            "curves": rules.rejection.output.coverage,
            "scores": rules.accuracies.output.by_run,
        },
        values=FIRST_RUNS | JIND,
    ),
    "rejection_over_theta": Figure(
        files={"rates": rules.rejection.output.by_theta},
        values=TITLES,
        shown=bool(JIND_RUNS),
    ),
    "reliability": Figure(
        files={"bins": rules.rejection.output.reliability},
        values=FIRST_RUNS | JIND,
    ),
    "confusion": Figure(
        files={"confusions": rules.rejection.output.confusion},
        values=FIRST_RUNS | {"method": CONFIG.figures.method},
        path="confusions/{task}",
        each={
            "task": [
                task
                for task in CONFIG.run.tasks
                if any(run[:2] == (task, CONFIG.figures.method) for run in TABLE2_RUNS)
            ]
        },
    ),
    "held_out_scores": Figure(
        files={"scores": rules.held_out_types.output.tsv},
        values=OF_HELD_OUT,
        path="held_out_types",
        shown=bool(HELD_OUT_RUNS),
    ),
    "held_out_labels": Figure(
        files={
            "scores": rules.held_out_types.output.tsv,
            "labels": rules.held_out_types.output.labels,
        },
        values=OF_HELD_OUT,
        shown=bool(HELD_OUT_RUNS),
    ),
    "training": Figure(
        files={
            "outcomes": every_run(OUTCOME, ALL_RUNS),
            "models": every_run(MODEL, ALL_RUNS),
        },
        values=TITLES,
        tables={"table": "tables/training.tsv"},
        job="accuracy_figures",
    ),
}

FIGURES = {name: figure for name, figure in FIGURES.items() if figure.shown}


def drawings(name, figure):
    """What is drawn for a figure: one picture, or one for each value of the name in its path."""
    ((key, values),) = figure.each.items() or [("", [""])]
    for value in values:
        chosen = {key: value} if key else {}
        files = {
            key: paths(value) if callable(paths) else paths for key, paths in figure.files.items()
        }
        # As text: a path that is another rule's output cannot go to a script within a parameter.
        files = {
            key: str(paths) if isinstance(paths, str) else [*map(str, paths)]
            for key, paths in files.items()
        }
        yield {
            "figure": name,
            "files": files,
            "values": figure.values | chosen,
            "picture": f"results/{RUN}/figures/{figure.path or name}".format(**chosen),
            "tables": {
                table: f"results/{RUN}/{path}".format(**chosen)
                for table, path in figure.tables.items()
            },
        }


DRAWINGS = [drawing for name, figure in FIGURES.items() for drawing in drawings(name, figure)]
PICTURES = [f"{drawing['picture']}.svg" for drawing in DRAWINGS]
FIGURE_FILES = {}

for job_name in dict.fromkeys(figure.job for figure in FIGURES.values()):
    drawn = [drawing for drawing in DRAWINGS if FIGURES[drawing["figure"]].job == job_name]

    rule:
        name:
            job_name
        input:
            recovered,
            files=[drawing["files"].values() for drawing in drawn],
        output:
            [f"{drawing['picture']}.{kind}" for drawing in drawn for kind in ("svg", "png", "json")],
            tables=[drawing["tables"].values() for drawing in drawn],
        log:
            f"results/{RUN}/logs/{job_name}.log",
        benchmark:
            f"results/{RUN}/benchmarks/{job_name}.tsv"
        conda:
            "../../envs/python.yaml"
        resources:
            **SMALL,
        params:
            code=code_of_script("draw", *(f"figures/{drawing['figure']}" for drawing in drawn)),
            drawings=drawn,
        script:
            "../../scripts/draw.py"

    FIGURE_FILES[job_name] = [*getattr(rules, job_name).output]

# What the figures show cells by: latent codes from stored models, and tSNE of these or of expression. Nothing is trained.

LATENT_CODES = "results/{run}/latent_codes/{task}/{method}.h5ad"
LATENT_TSNE = "results/{run}/tsne/{task}/{method}.tsv.gz"
EXPRESSION_TSNE = "results/{run}/tsne/{task}.tsv.gz"


# Of source and target together, by the stored models before and after the alignment.
for name, place, cases in jobs_of(
    "latent_codes", "{task}", [(task,) for task in drawn_tasks("figure2") + drawn_tasks("figure5")]
):

    rule:
        name:
            name
        input:
            recovered,
            source=of_cases("results/{run}/tasks/{task}/source.h5ad", cases),
            target=of_cases("results/{run}/tasks/{task}/target.h5ad", cases),
            models=[of_stages_of(MODEL, case) for case in cases],
            outcomes=[of_stages_of(OUTCOME, case) for case in cases],
        output:
            codes=[of_stages_of(LATENT_CODES, case) for case in cases],
            tsne=[of_stages_of(LATENT_TSNE, case) for case in cases],
        log:
            f"results/{{run}}/logs/{place}.log",
        benchmark:
            f"results/{{run}}/benchmarks/{place}.tsv"
        wildcard_constraints:
            task=LARGE_TASKS,
        conda:
            "../../envs/python.yaml"
        resources:
            **by_size_of_tasks("latent_codes", cases),
        params:
            code=code_of("jind/model", "tsne"),
            seed=CONFIG.run.seeds[0],
        script:
            "../../scripts/latent_codes.py"


for name, place, cases in jobs_of(
    "expression_tsne",
    "{task}",
    [(task,) for task in drawn_tasks("figure3") + drawn_tasks("figure4")],
):

    rule:
        name:
            name
        input:
            recovered,
            cells=of_cases("results/{run}/tasks/{task}/target.h5ad", cases),
        output:
            of_cases(EXPRESSION_TSNE, cases),
        log:
            f"results/{{run}}/logs/{place}.log",
        benchmark:
            f"results/{{run}}/benchmarks/{place}.tsv"
        wildcard_constraints:
            task=LARGE_TASKS,
        conda:
            "../../envs/python.yaml"
        resources:
            **by_size_of_tasks("expression_tsne", cases),
        params:
            code=code_of("tsne"),
            seed=CONFIG.run.seeds[0],
        script:
            "../../scripts/expression_tsne.py"

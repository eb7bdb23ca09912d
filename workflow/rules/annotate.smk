# `snakemake annotate`: a user's own cells, labelled from a reference. All that it may be told is `annotate.settings.Settings`.

try:
    ANNOTATION = configuration.annotation(config)
    # Before Snakemake removes earlier results, and not once more in every job.
    if workflow.is_main_process:
        from jindbench.annotate.run import inspect

        inspect(ANNOTATION)
except (configuration.ConfigurationError, InputError) as error:
    raise WorkflowError(str(error))

if workflow.is_main_process:
    jobs.started_by_this_process()
    recovery.start([], [])


rule annotate:
    input:
        reference=ANNOTATION.reference,
        queries=ANNOTATION.query,
        code=script_code("annotate"),
        page=os.path.relpath(LIBRARY / "jindbench/annotate/page.html"),
    output:
        results=ANNOTATION.results(),
        model=[] if ANNOTATION.stored else directory(ANNOTATION.model_folder),
    log:
        f"{ANNOTATION.output}/logs/annotate.log",
    benchmark:
        f"{ANNOTATION.output}/benchmarks/annotate.tsv"
    conda:
        "../../envs/python.yaml"
    threads: ALL_CORES
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        settings=ANNOTATION.model_dump(),
    script:
        "../../scripts/annotate.py"

# `snakemake annotate`: a user's own cells, labelled from a reference. All that it may be told is `annotate.settings.Settings`.

from jindbench.annotate import process
from jindbench.annotate.settings import Settings
from jindbench.config import messages
from jindbench.execution import progress, records

try:
    if workflow.is_main_process:
        configuration.check_files(workflow.configfiles)
    ANNOTATION = messages.checked(Settings, config, "annotate")
    # Before Snakemake removes earlier results, and not once more in every job.
    if workflow.is_main_process:
        process.preview(ANNOTATION)
        # Not removed, as the benchmark's are: here a person may have worked on.
        written = {*ANNOTATION.results(), ANNOTATION.model_folder}
        for path in records.damaged(Path(ANNOTATION.output)):
            if path in written:
                raise InputError(
                    f"output: {path} differs from what the last run wrote (truncated or edited); rename it to keep it, or remove it"
                )
except InputError as error:
    raise WorkflowError(str(error))

progress.show(workflow)
RECOVERED = {"results": [Path(ANNOTATION.output)], "keep_damaged": True}

# A compressed file takes five to ten times its size in memory, and some kinds are read as a whole.
INPUT_MB = ANNOTATION.input_bytes() / 1e6


rule annotate:
    input:
        recovered,
        reference=ANNOTATION.reference,
        queries=ANNOTATION.query,
        tables=ANNOTATION.tables,
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
        mem_mb=lambda wildcards, attempt: round(attempt * (8000 + 10 * INPUT_MB)),
        runtime=lambda wildcards, attempt: round(attempt * (240 + INPUT_MB / 5)),
        gpu=int(workflow.local_exec and not workflow.remote_exec and job.n_gpus() > 0),
    params:
        code=code_of_script("annotate"),
        settings=ANNOTATION.model_dump(),
    script:
        "../../scripts/annotate.py"

# The library, and what every rule needs of it.
import os
import shlex
import sys
from functools import cache, partial

from snakemake.exceptions import WorkflowError

# The library beside this file is the one that rules and scripts use, in whatever environment they run, and as a module of
# another workflow too.
LIBRARY = Path(str(workflow.current_basedir)).parent
if not LIBRARY.is_dir():
    raise WorkflowError(
        f"{LIBRARY}: as a module, jindbench needs the path of a clone: its library is imported from there"
    )
sys.path.insert(0, str(LIBRARY))

from jindbench.config import load as configuration
from jindbench import registry
from jindbench.errors import InputError
from jindbench.execution import costs, guard, job, recovery

registry.export_library_path()
# Snakemake puts this path into shell commands without quotes: a clone whose .venv it is may lie in a folder with a space.
if shlex.quote(sys.executable) != sys.executable and not sys.executable.startswith("'"):
    sys.executable = shlex.quote(sys.executable)
if workflow.is_main_process:
    job.started_by_this_process()


# Of what is timed alone. Where jobs go to a cluster, `--set-threads` says how many: Snakemake has no number of cores there,
# and each job has that of its node, which is not what was asked for.
try:
    ALL_CORES = 1 if workflow.remote_exec else workflow.cores
except WorkflowError:
    ALL_CORES = 1


# On one machine the jobs of a moment share its memory: by default their `mem_mb` together are no more than nine tenths of
# it. A job that says it needs more runs alone.
if (
    workflow.is_main_process
    and workflow.local_exec
    and not {"mem", "mem_mb"} & {*workflow.global_resources}
):
    workflow.register_resource("mem_mb", int(0.9 * costs.Machine.here(ALL_CORES, ".").memory_mb))
# GPUs for all jobs together; a job takes one. On one machine all take the first GPU, one after the other. A cluster gives each
# job its own: there `--resources gpu=8` lets eight run.
if workflow.is_main_process and "gpu" not in workflow.global_resources:
    workflow.register_resource("gpu", 1)


@cache
def recover():
    """Deal with what an earlier run left behind, see `recovery.start`; once, before Snakemake looks at any file.

    Every rule's input has a function that calls this: once Snakemake asks for a job's input, it knows whether it runs
    jobs. What only looks (`--dry-run`, `--summary`, `--report`) changes nothing on disk; `--lint` and `--list` never ask.
    """
    if workflow.is_main_process:
        runs = workflow.execution_settings is not None and not workflow.output_settings.dryrun
        recovery.start(**RECOVERED, look_only=not runs)


def recovered(wildcards):
    """Input of every rule: no file, but see `recover`."""
    recover()
    return []


def targets(*files):
    """Input of a rule that only names files."""
    return lambda wildcards: [*recovered(wildcards), *files]


# Snakemake does not see edits of imported files. So every rule takes a digest of its code as a parameter. It is of a script
# and what that imports, or, where work is long, of the library files alone that do it: an edit of tables or figures must
# not train everything again. Functions, so that a job's own Snakemake reads what that job rests on, and not all code.


def code_of_script(script, *names):
    """Of a script, and of library files that it finds by name."""
    path = LIBRARY.parent / "scripts" / f"{script}.py"
    return lambda wildcards: registry.digest(
        [*registry.code_of(path), *registry.library_code(*names)]
    )


def code_of(*names):
    """Of library files, named without suffix (`data/tasks`), and those they import."""
    return lambda wildcards: registry.digest(registry.library_code(*names))


def keys_of_annotate(wildcards):
    """Refuse `snakemake annotate` without any key."""
    raise WorkflowError("annotate: say --config reference=... label_key=... query=...")

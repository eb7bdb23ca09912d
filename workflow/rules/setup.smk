# The library, and what every rule needs of it.
import os
import shlex
import sys
from functools import cache

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
from jindbench.execution import guard, job, recovery

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


@cache
def recover():
    """Deal with what an earlier run left behind, see `recovery.start`; once, before Snakemake looks at any file.

    Every rule's input function calls this: once Snakemake asks for a job's input, it knows whether it runs jobs. What only
    looks (`--dry-run`, `--summary`, `--report`) changes nothing on disk; `--lint` and `--list` never ask.
    """
    if workflow.is_main_process:
        runs = workflow.execution_settings is not None and not workflow.output_settings.dryrun
        recovery.start(**RECOVERED, look_only=not runs)


def targets(*files):
    """Input of a rule that only names files."""

    def recovered(wildcards):
        recover()
        return files

    return recovered


def script_code(name):
    """A script and the library files it imports, as input: Snakemake sees no edits of imported files.

    A function, so that a job's own Snakemake looks through what that job rests on, and not through all code.
    """

    def code(wildcards):
        recover()
        return registry.code_of(LIBRARY.parent / "scripts" / f"{name}.py")

    return code


def library_files(*names):
    """Library files and those they import, as input. Where work is long, rules name the file that does it instead of their
    script's imports: an edit of tables or figures must not train everything again.
    """
    recover()
    return registry.library_code(*names)


def library_code(name):
    """`library_files` as an input function."""
    return lambda wildcards: library_files(name)

# The library, and what every rule needs of it.
import os
import sys

from snakemake.exceptions import WorkflowError

# The library beside this file is the one that rules and scripts use, in whatever environment they run.
LIBRARY = Path(workflow.basedir) / "workflow"
sys.path.insert(0, str(LIBRARY))

from jindbench import config as configuration
from jindbench import jobs, recovery, registry
from jindbench.errors import InputError

registry.export_library_path()


# Of what is timed alone. Where jobs go to a cluster, `--set-threads` says how many: Snakemake has no number of cores there,
# and each job has that of its node, which is not what was asked for.
try:
    ALL_CORES = 1 if workflow.remote_exec else workflow.cores
except WorkflowError:
    ALL_CORES = 1


def script_code(name):
    """A script and the library files it imports, as input: Snakemake sees no edits of imported files.

    A function, so that a job's own Snakemake looks through what that job rests on, and not through all code.
    """
    return lambda wildcards: registry.code_of(Path(workflow.basedir) / "scripts" / f"{name}.py")


# Whether this Snakemake runs no jobs, as far as its options tell while it reads this file. Of those that need not run any,
# a report is none of these: it must not show what is damaged.
LOOKS_ONLY = workflow.output_settings.dryrun or not {
    "--summary",
    "--detailed-summary",
    "-D",
    "-S",
    "--lint",
    "--list-rules",
    "--dag",
    "--rulegraph",
    "--filegraph",
}.isdisjoint(sys.argv)

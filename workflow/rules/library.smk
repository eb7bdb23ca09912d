# The library, and what every rule needs of it.
import os
import sys

from snakemake.exceptions import WorkflowError

# The library beside this file is the one that rules and scripts use, in whatever environment they run.
LIBRARY = Path(workflow.basedir) / "workflow"
sys.path.insert(0, str(LIBRARY))

from jindbench.config import load as configuration
from jindbench import registry
from jindbench.errors import InputError
from jindbench.execution import guard, job, recovery

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


# Options with which Snakemake runs no jobs. A report is none of these: it must not show what is damaged.
LOOKS = "--summary --detailed-summary --lint --list --dag --rulegraph --filegraph --d3dag".split()
LOOKS_IN_SHORT = "-S -D -l --lt --lc --li --lp --lu".split()


def is_look(argument):
    """As Snakemake reads it: abbreviated (`--summ`), with a value (`--lint=json`), or one of the many `--list-...`."""
    option = argument.partition("=")[0]
    abbreviated = len(option) > 4 and any(name.startswith(option) for name in LOOKS)
    return abbreviated or option in LOOKS + LOOKS_IN_SHORT or option.startswith("--list-")


# As far as its options tell while Snakemake reads this file
LOOKS_ONLY = workflow.output_settings.dryrun or any(map(is_look, sys.argv[1:]))

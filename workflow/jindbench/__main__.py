"""`jindbench annotate`: the same function as `snakemake annotate`, from the command line."""

import argparse
import os
import sys
from pathlib import Path

from jindbench.annotate.settings import LOG, Settings
from jindbench.config import messages
from jindbench.errors import InputError
from jindbench.execution import job


def main() -> None:
    """Read the command line and do what it says; a refusal is one line and exit status 1."""
    parser = argparse.ArgumentParser(prog="jindbench", description="Cell-type annotation by JIND.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("annotate", help="label your own cells from a labelled reference")
    for name, field in Settings.model_fields.items():
        command.add_argument(
            f"--{name.replace('_', '-')}",
            help=field.description,
            required=field.is_required(),
            type=int if field.annotation is int else str,
            default=argparse.SUPPRESS,  # what is not given is for `Settings` to know
            **({"nargs": "+"} if name == "query" else {}),
        )
    command.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="By default all processors.")
    given = vars(parser.parse_args())
    given.pop("command")
    threads = given.pop("threads")
    try:
        settings = messages.checked(Settings, given, "annotate")
        settings.check()
        job.start_log(Path(settings.output, LOG), shown="INFO")
        job.limit_threads(threads)
        from jindbench.annotate.command import (
            annotate,  # after the number of threads is set: it imports what reads that
        )

        annotate(settings, threads=threads)
    except (InputError, OSError) as error:
        sys.exit(f"jindbench annotate: {error}")


if __name__ == "__main__":
    main()

"""`jindbench annotate`: the command line, the same function as `snakemake annotate`."""

import argparse
import os
import sys
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import PydanticUndefined

from jindbench import jobs
from jindbench.annotate.settings import Settings
from jindbench.errors import InputError


def main() -> None:
    """Read the command line and do what it says; a refusal is one line and exit status 1."""
    parser = argparse.ArgumentParser(prog="jindbench", description="Cell-type annotation by JIND.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("annotate", help="label your own cells from a labelled reference")
    for name, field in Settings.model_fields.items():
        default = {} if field.default is PydanticUndefined else {"default": field.default}
        command.add_argument(
            f"--{name.replace('_', '-')}",
            help=field.description.replace("%", "%%")
            + (f" Default: {field.default}." if default.get("default") else ""),
            required=field.is_required(),
            **({"nargs": "+"} if name == "query" else {}),
            **({"type": int} if field.annotation is int else {}),
            **default,
        )
    command.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="Default: all processors.")
    given = vars(parser.parse_args())
    given.pop("command")
    threads = given.pop("threads")
    try:
        settings = Settings.model_validate(given)
        settings.check()
        jobs.start_log(Path(settings.output, "logs/annotate.log"), shown="INFO")
        jobs.limit_threads(threads)
        from jindbench.annotate.run import annotate  # slow to import: not before the command line is known to be right

        annotate(settings, threads=threads)
    except ValidationError as error:
        first = error.errors()[0]
        sys.exit(f"jindbench annotate: {'.'.join(map(str, first['loc']))}: {first['msg']}")
    except InputError as error:
        sys.exit(f"jindbench annotate: {error}")


if __name__ == "__main__":
    main()

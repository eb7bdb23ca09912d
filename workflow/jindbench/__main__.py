"""`jindbench annotate`: the same function as `snakemake annotate`, from the command line."""

import sys


def main() -> None:
    """Run the command line; a refusal is one line and exit status 1, an interrupt one line and 130."""
    try:
        _main()
    except KeyboardInterrupt:
        print("jindbench: interrupted", file=sys.stderr)
        sys.exit(130)


def _main() -> None:
    # Imported here, so that Ctrl-C while they load is an interrupt like any other.
    import argparse
    import os
    from pathlib import Path

    from jindbench import __version__
    from jindbench.annotate import process
    from jindbench.annotate.settings import LOG, Settings
    from jindbench.config import messages
    from jindbench.errors import InputError
    from jindbench.execution import job

    parser = argparse.ArgumentParser(prog="jindbench", description="Cell-type annotation by JIND.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("annotate", help="label your own cells from a labelled reference")
    for name, field in Settings.model_fields.items():
        command.add_argument(
            f"--{name.replace('_', '-')}",
            help=field.description,
            required=field.is_required(),
            type=int if field.annotation is int else str,
            default=argparse.SUPPRESS,  # `Settings` has the defaults
            **({"nargs": "+"} if name == "query" else {}),
        )
    command.add_argument(
        "--threads",
        type=int,
        default=len(os.sched_getaffinity(0)),
        help="Number of threads; all processors by default.",
    )
    given = vars(parser.parse_args())
    given.pop("command")
    threads = given.pop("threads")
    try:
        settings = messages.checked(Settings, given, "annotate")
        settings.check()
        job.start_log(Path(settings.output, LOG), shown="INFO")
        job.limit_threads(threads)
        process.annotate(settings, threads=threads)
    except (InputError, OSError) as error:
        sys.exit(f"jindbench annotate: {error}")


if __name__ == "__main__":
    main()

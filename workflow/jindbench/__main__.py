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
    from typing import Literal, get_args, get_origin

    from jindbench import __version__
    from jindbench.annotate import process
    from jindbench.annotate.settings import LOG, Settings
    from jindbench.config import messages
    from jindbench.errors import InputError
    from jindbench.execution import job

    parser = argparse.ArgumentParser(prog="jindbench", description="Cell-type annotation from a labelled reference.")
    version = {"action": "version", "version": f"jindbench {__version__}"}
    parser.add_argument("--version", **version)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("annotate", help="label your own cells from a labelled reference")
    command.add_argument("--version", **version)
    for name, field in Settings.model_fields.items():
        option, text = name.replace("_", "-"), field.description.replace("`", "").replace("%", "%%")
        # `Settings` has the defaults: what is not given is not passed on.
        options = {"dest": name, "default": argparse.SUPPRESS, "required": field.is_required(), "help": text}
        if field.annotation is bool and field.default:
            option, options = (
                f"no-{option}",
                options | {"action": "store_false", "help": f"Do not {text[0].lower()}{text[1:]}"},
            )
        elif field.annotation is bool:
            options |= {"action": "store_true"}
        else:
            kinds = {int: int, float | None: float}
            options |= {"metavar": name.upper(), "type": kinds.get(field.annotation, str)}
            if field.default and not field.is_required():
                options["help"] += f" (default: {field.default})"
        if get_origin(field.annotation) is Literal:
            options |= {"metavar": None, "choices": get_args(field.annotation)}
        if name == "query":
            options["nargs"] = "+"
        command.add_argument(f"--{option}", **options)
    command.add_argument(
        "--check", action="store_true", help="Only forecast how many labels will be right, and store the model."
    )
    command.add_argument("--quiet", action="store_true", help="Show only warnings and errors.")
    processors = len(os.sched_getaffinity(0))
    command.add_argument(
        "--threads", type=int, default=processors, help=f"Number of threads (default: all processors, {processors})"
    )
    given = vars(parser.parse_args())
    given.pop("command")
    check = given.pop("check")
    threads, shown = given.pop("threads"), "WARNING" if given.pop("quiet") else "INFO"
    if check and shown == "WARNING":
        parser.error("argument --quiet: leave it out with --check, whose result is what it shows")
    if threads < 1:
        parser.error(f"argument --threads: expected 1 or more, not {threads}")
    try:
        settings = messages.checked(Settings, given, "annotate")
        settings.check()
        with process.alone(settings.output):
            job.start_log(Path(settings.output, LOG), shown)
            job.limit_threads(threads)
            process.annotate(settings, threads=threads, check=check)
    except (InputError, OSError) as error:
        sys.exit(f"jindbench annotate: {error}")


if __name__ == "__main__":
    main()

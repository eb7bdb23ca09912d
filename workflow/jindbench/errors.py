"""Exceptions for what a user can mend; each message is one line."""

import difflib
from collections.abc import Iterable


class InputError(Exception):
    """Bad input: a configuration, a file, its content. Names the file or key and what was expected."""


class ConfigurationError(InputError):
    """A wrong configuration; one line for each fault."""


class NotAvailable(InputError):
    """Something optional that this machine lacks. Names it and how to get it."""

    status = "not run"  # of a method that needs it, in the tables


class DataNotAvailable(NotAvailable):
    """Cells of a dataset that could not be downloaded, or whose download was refused."""

    status = "not available"


class CutShort(Exception):
    """A guarded run came to no end of its own, and its job is to be tried again."""


def hint(name: object, known: Iterable[object]) -> str:
    """What else a name could have been: the closest of those known, else all of them."""
    known = list(dict.fromkeys(map(str, known)))
    if close := difflib.get_close_matches(str(name), known, n=1):
        return f" (did you mean '{close[0]}'?)"
    return f" (there are: {', '.join(known) or 'none'})"

"""Exceptions for what a user can mend; each message is one line."""


class InputError(Exception):
    """Bad input: a configuration, a file, its content. Names the file or key and what was expected."""


class NotAvailable(InputError):
    """Something optional that this machine lacks. Names it and how to get it."""


class CutShort(Exception):
    """A guarded run came to no end of its own, and its job is to be tried again."""

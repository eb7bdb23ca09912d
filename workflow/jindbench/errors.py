"""The one exception for what a user can mend: a configuration, a file, its content."""


class InputError(Exception):
    """Bad input. The message is one line that names the file or key and what was expected."""

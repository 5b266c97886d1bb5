"""Errors of single values, and the end of a command line that only asks for help."""


class BadValueError(ValueError):
    """A value that its option does not take. Its str is a whole message, without the place of the value."""


class HelpPrintedError(Exception):
    """The command line asked for --help or --version, which has been printed: there is nothing else to do."""

"""What the programs pwb and pwb-legacy share, and a library must not do: read sys.argv, configure logging, print, exit.

Only their __main__ modules import this one.
"""

import logging
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Final

from pwb_async.config.errors import HelpPrintedError
from pwb_async.config.loader import read_options
from pwb_async.config.options import ConfigError, Options
from pwb_async.observability.error_log import error_log_handler
from pwb_async.output.printing import escape_output, print_error, print_line, report_lost_output

logger: Final = logging.getLogger("pwb")


def begin(program: str) -> tuple[Options, Callable[[], Options]]:
    """Prepare the output, read the options of `program` and configure logging.

    Return the options, and a function that reads them again for a reload, which raises ConfigError. Exit with status 2
    if an option is wrong, and after --help and --version.
    """
    escape_output()
    read_again = partial(read_options, program, sys.argv[1:], os.environ, ".")
    try:
        options = read_again(lambda line: print_error(f"{program}: {line}"))
    except ConfigError as error:
        raise exit_with(2, f"{program}: {error}") from None
    except HelpPrintedError:
        raise SystemExit(0) from None
    except OSError as error:  # --help or --version could not be printed
        report_lost_output(program, error)
        raise SystemExit(1) from None
    logging.basicConfig(level=logging.WARNING, handlers=[error_log_handler(program)])
    logger.setLevel(logging.WARNING if options.quiet else logging.INFO)
    return options, read_again


def announce(line: str) -> None:
    """Print the line that says what is served where. A server works without it, so an error is only logged."""
    try:
        print_line(line)
    except OSError as error:
        logger.warning("cannot write to standard output: %s", error.strerror)


def exit_with(status: int, line: str) -> SystemExit:
    """An exception that ends the program, after printing a line on standard error.

    SystemExit(line) would print it, too, but would wait until a full pipe is read.
    """
    print_error(line)
    return SystemExit(status)

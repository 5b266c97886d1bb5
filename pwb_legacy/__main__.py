"""The command `python -m pwb_legacy --mode MODE [ROOT]`, from its options to its exit status.

`python -m pwb_legacy compare`, `diff` and `trace` are the laboratory; its commands parse the rest of the line
themselves.
"""

import logging
import os
import sys
from functools import partial
from typing import Final

import click

from pwb_async.config.loader import read_options
from pwb_async.config.options import ConfigError
from pwb_async.observability.error_log import error_log_handler
from pwb_async.output.printing import discard_output, escape_output, exit_with, print_error

from .modes import MODES, load_design

PROGRAM: Final = "pwb-legacy"
LABORATORY: Final = ("compare", "diff", "trace")
"""the first argument of the laboratory; a folder of such a name is served as ./compare"""


def main() -> None:
    """Serve until stopped. Exit status 0: stopped; 1: cannot start; 2: a wrong option, or no --mode."""
    escape_output()
    if sys.argv[1:2] and sys.argv[1] in LABORATORY:
        from .compare import commands  # a server must not pay for it

        commands.main()
        return
    reread = partial(read_options, PROGRAM, sys.argv[1:], os.environ, ".")
    try:
        options = reread(lambda line: print_error(f"{PROGRAM}: {line}"))
    except ConfigError as error:
        raise exit_with(2, f"{PROGRAM}: {error}") from None
    except click.exceptions.Exit as done:  # after --help or --version
        raise SystemExit(done.exit_code) from None
    except OSError as error:  # of --help or --version
        discard_output()
        raise exit_with(1, f"{PROGRAM}: standard output takes nothing: {error.strerror}") from None
    if options.mode is None:
        print_error("pwb-legacy: --mode says which of the book's designs is to serve:")
        for name, mode in MODES.items():
            print_error(f"  {name:13} {mode.summary}")
        raise SystemExit(2)
    try:
        chosen = load_design(options.mode)
    except LookupError as error:
        raise exit_with(1, f"pwb-legacy: {error.args[0]}") from None
    logging.basicConfig(level=logging.WARNING, handlers=[error_log_handler(PROGRAM)])
    from pwb_async.runtime.context import (  # after load_design(): gevent patches what it uses
        StartupError,
        open_context,
    )

    try:
        context = open_context(PROGRAM, options, reread)
    except StartupError as error:
        raise exit_with(1, f"{PROGRAM}: {error}") from None
    if context.trace is not None:
        from pwb_legacy.common.tracing import traced

        chosen = traced(chosen)
    try:
        context.drop_privileges()
        server = chosen(context)
    except StartupError as error:
        context.close()
        raise exit_with(1, f"pwb-legacy: {error}") from None
    context.announce(f"PWB --mode {options.mode}")
    try:
        server.serve_forever()
    finally:
        server.close()
        context.close()


if __name__ == "__main__":
    main()

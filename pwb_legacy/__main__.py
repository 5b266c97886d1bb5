"""python -m pwb_legacy --mode MODE [ROOT]: the command, from its options to its exit status.

python -m pwb_legacy compare, diff or trace: the laboratory, which is handed everything.
"""

import sys
from typing import Final

from pwb_async.config.loader import load
from pwb_async.observability.error_log import configure_error_log
from pwb_async.output.printing import escape_output, exit_with, print_error

from .modes import MODES, design

LABORATORY: Final = ("compare", "diff", "trace")
"""A folder of such a name is served as ./compare."""


def main() -> None:
    """Serves until it is stopped. Exit status 0: stopped; 1: cannot start; 2: a wrong option, or no --mode."""
    escape_output()
    if sys.argv[1:2] and sys.argv[1] in LABORATORY:
        from .compare import commands  # no server needs it

        commands.main()
        return
    options = load("pwb-legacy")
    if options.mode is None:
        print_error("pwb-legacy: --mode says which of the book's designs is to serve:")
        for name, mode in MODES.items():
            print_error(f"  {name:13} {mode.what}")
        raise SystemExit(2)
    try:
        chosen = design(options.mode)
    except LookupError as error:
        raise exit_with(1, f"pwb-legacy: {error.args[0]}") from None
    configure_error_log("pwb-legacy")
    from pwb_async.runtime.context import (  # now, and no sooner: --mode gevent has patched what it uses
        StartupError,
        open_context,
    )

    context = open_context("pwb-legacy", options)
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

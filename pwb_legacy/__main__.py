"""The command `python -m pwb_legacy --mode MODE [ROOT]`, from its options to its exit status.

`python -m pwb_legacy compare`, `report`, `diff`, `trace` and `live` are the laboratory, and `book` attacks the programs
of the textbook; these commands parse the rest of the line themselves.
"""

import sys
from typing import Final

from pwb_async.command import announce, begin, exit_with
from pwb_async.output.printing import escape_output, print_error

from .modes import MODES, load_design

PROGRAM: Final = "pwb-legacy"
LABORATORY: Final = ("compare", "report", "diff", "trace", "live")
"""The first argument of the laboratory. A directory with such a name is served by `./compare`."""


def main() -> None:
    """Serves until a signal ends it.

    Exit status 0: stopped by a signal; 1: it cannot start; 2: an option is wrong, or --mode is missing.
    """
    if sys.argv[1:2] and sys.argv[1] in LABORATORY:
        escape_output()
        from .compare import commands  # costs time that a server need not spend

        commands.main()
        return
    if sys.argv[1:2] == ["book"]:
        escape_output()
        from .book import commands as book  # the same

        book.main()
        return
    options, read_again = begin(PROGRAM)
    if options.mode is None:
        print_error(f"{PROGRAM}: --mode is missing, the design that serves:")
        for name, mode in MODES.items():
            print_error(f"  {name:13} {mode.summary}")
        raise SystemExit(2)
    try:
        chosen = load_design(options.mode)
    except LookupError as error:
        raise exit_with(1, f"{PROGRAM}: {error.args[0]}") from None
    # Imported after load_design(), since gevent patches modules that this one uses.
    from pwb_async.runtime.context import StartupError, open_context

    try:
        context = open_context(PROGRAM, options, read_again)
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
        raise exit_with(1, f"{PROGRAM}: {error}") from None
    announce(context.ready_line(f"PWB --mode {options.mode}"))
    try:
        server.serve_forever()
    finally:
        server.close()
        context.close()


if __name__ == "__main__":
    main()

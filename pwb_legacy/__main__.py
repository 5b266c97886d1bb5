"""The command `python -m pwb_legacy --mode MODE [ROOT]`, from its options to its exit status.

`python -m pwb_legacy compare`, `report`, `diff`, `trace` and `live` are the laboratory, `book` attacks the programs
of the textbook, and `check` examines a server of your own; these commands parse the rest of the line themselves.
"""

import os
import sys
from importlib import import_module
from typing import Final

from pwb_async.config.modes import MODES
from pwb_async.output.packages import needed_packages
from pwb_async.output.printing import did_you_mean, escape_output

from .modes import count_lines, load_design

PROGRAM: Final = "pwb-legacy"

with needed_packages(PROGRAM, "pwb_legacy"):
    from pwb_async.command import announce, begin, exit_with
    from pwb_async.config.command_line import PROGRAMS
    from pwb_async.config.options import ConfigError

LABORATORY: Final = ("compare", "report", "diff", "trace", "live")
COMMANDS: Final = dict.fromkeys(LABORATORY, "compare") | {"book": "book", "check": "check"}
"""The first argument of a command, and the package whose commands.main() runs it.

A directory with such a name is served by `./compare`.
"""


def main() -> None:
    """Serve until a signal ends it.

    Exit status 0: stopped by a signal, or the modes were listed, as they are without arguments; 1: it cannot start; 2:
    an option is wrong, or --mode is missing.
    """
    first = next(iter(sys.argv[1:]), "")
    if first in COMMANDS:
        escape_output()
        # Imported only now: it costs time that a server need not spend.
        import_module(f"pwb_legacy.{COMMANDS[first]}.commands").main()
        return
    if not first.startswith("-") and not os.path.lexists(first) and (hint := did_you_mean(first, COMMANDS)):
        raise exit_with(2, f"{PROGRAM}: {first}: no such command{hint}")
    options, read_again = begin(PROGRAM)
    if options.mode is None:
        if sys.argv[1:]:
            raise exit_with(2, f"{PROGRAM}: --mode is missing: one of {', '.join(MODES)}")
        announce(overview())
        return
    try:
        with needed_packages(PROGRAM, "pwb_legacy"):
            chosen = load_design(options.mode)
    except LookupError as error:
        raise exit_with(1, f"{PROGRAM}: {error.args[0]}") from None
    # Imported after load_design(), since gevent patches modules that this one uses.
    from pwb_async.runtime.context import StartupError
    from pwb_async.runtime.opening import open_context

    try:
        context = open_context(PROGRAM, options, read_again)
    except StartupError as error:
        raise exit_with(1, f"{PROGRAM}: {error}") from None
    except ConfigError as error:  # in a file of rules
        raise exit_with(2, f"{PROGRAM}: {error}") from None
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


def overview() -> str:
    """The modes, with the lines that each needs, and the commands."""
    lines = [f"{PROGRAM} --mode MODE [OPTIONS] [ROOT]"]
    for name, mode in MODES.items():
        own, shared = count_lines(name)
        lines.append(f"  {name:13} {mode.summary}  [{own} lines, and {shared} that it shares]")
    lines.append(f"{PROGRAM} COMMAND")
    lines += [f"  {name:13} {about}" for name, about in PROGRAMS[PROGRAM].commands]
    return "\n".join([*lines, f"More: {PROGRAM} --help"])


if __name__ == "__main__":
    main()

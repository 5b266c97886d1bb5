"""The command `python -m pwb_async [ROOT]`, from its options to its exit status.

`pwb compress`, `pwb explain`, `pwb config` and so on are commands of their own, which parse the rest of the line
themselves.
"""

import gc
import logging
import os
import signal
import sys
import threading
from contextlib import closing
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final, NoReturn

from pwb_async.output.packages import needed_packages
from pwb_async.output.printing import did_you_mean, escape_output

PROGRAM: Final = "pwb"

gc.disable()  # what is imported is no garbage, and looking for some takes 8 % of the start
with needed_packages(PROGRAM, "pwb_async"):
    from pwb_async.command import announce, begin, exit_with
    from pwb_async.config.options import ConfigError
    from pwb_async.output.colours import is_terminal
    from pwb_async.runtime.context import ServerContext, StartupError
    from pwb_async.runtime.handover import leave_parent
    from pwb_async.runtime.opening import open_context
    from pwb_async.workers.serving import serve_process, serves_alone
    from pwb_async.workers.worker import loop_factory
gc.freeze()  # it all stays, so the collector need not look at it again
gc.enable()

if TYPE_CHECKING:
    from pwb_async.terminal.session import Session

COMMANDS: Final = {
    "compress": "compress",
    "explain": "explain",
    "config": "terminal",
    "completion": "terminal",
    "man": "terminal",
}
"""The first argument of a command, and the package whose commands.main() runs it and ends the program.

A directory with such a name is served by `./compress`.
"""
COMPLETE: Final = "_PWB_COMPLETE"
"""The variable in which the script of `pwb completion` names the shell that asks."""
_JOIN_TIMEOUT: Final = 0.2
"""Seconds that each thread has to end when the program exits."""


def main() -> None:
    """Serve until a signal ends it.

    Exit status 0: stopped by a signal; 1: it cannot start; 2: an option is wrong; 3: its workers keep dying.
    """
    first = next(iter(sys.argv[1:]), "")
    if COMPLETE in os.environ:
        first = "completion"  # a shell asks for the words that may follow
    if first in COMMANDS:
        escape_output()
        with needed_packages(PROGRAM, "pwb_async"):
            commands = import_module(f"pwb_async.{COMMANDS[first]}.commands")  # only now: a server does not need it
        commands.main()
    if first and not first.startswith("-") and not os.path.lexists(first) and (hint := did_you_mean(first, COMMANDS)):
        raise exit_with(2, f"{PROGRAM}: {first}: no such command{hint}")
    try:
        leave_parent()
    except OSError as error:
        raise exit_with(1, f"{PROGRAM}: cannot take over: {error.strerror}") from None
    with needed_packages(PROGRAM, "pwb_async"):  # a line that is not plainly right needs click
        options, read_again = begin(PROGRAM)
    try:
        loop_factory(options.loop)  # fails before anything is opened
        status = _serve(open_context(PROGRAM, options, read_again))
    except StartupError as error:
        raise exit_with(1, f"{PROGRAM}: {error}") from None
    except ConfigError as error:  # in a file of rules
        raise exit_with(2, f"{PROGRAM}: {error}") from None
    _exit(status)


def _serve(context: ServerContext) -> int:
    """Serve, with what a person has of it at a terminal; return the exit status. Raises StartupError."""
    options = context.options
    if options.quiet or not is_terminal(sys.stdout):
        return serve_process(context, _announce)
    from pwb_async.terminal.session import Session

    with closing(Session(alone=serves_alone(context))) as session:
        return serve_process(session.watch(context), partial(_announce, session=session))


def _announce(context: ServerContext, session: "Session | None" = None) -> None:
    if session is not None:
        announce(session.banner(context))
        session.begin()
    elif not context.options.quiet:
        announce(context.ready_line("PWB"))
    if context.options.open:
        from pwb_async.terminal.addresses import find_addresses
        from pwb_async.terminal.browser import open_browser

        open_browser(find_addresses(context).first)


def _exit(status: int) -> NoReturn:
    """Exit without waiting for threads that are stuck in disk I/O.

    Python joins all threads at exit, and one that hangs on a dead disk would hang the process (hazard E6). Those of
    obstore abort the process if they are still there. Signals are ignored from here on, so that a late SIGTERM cannot
    change the exit status.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(_JOIN_TIMEOUT)
            if thread.is_alive():
                _exit_at_once(status)
    if "obstore" in sys.modules:
        _exit_at_once(status)
    sys.exit(status)


def _exit_at_once(status: int) -> NoReturn:
    logging.shutdown()
    os._exit(status)


if __name__ == "__main__":
    main()

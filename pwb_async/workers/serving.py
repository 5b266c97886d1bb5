"""Serving as a program does: in this process if it can, else in workers."""

from collections.abc import Callable

from pwb_async.runtime.context import ServerContext, StartupError

from .worker import run_single


def serve_process(context: ServerContext, announce: Callable[[ServerContext], object]) -> int:
    """Serve until a signal ends it; return the exit status. announce: called as soon as connections are accepted.

    Raises StartupError.
    """
    options = context.options
    # A process that has given up its rights can neither reload nor reopen the log; a supervisor keeps them for it.
    if context.workers > 1 or options.user is not None or options.sandbox:
        from .supervisor import Supervisor

        return Supervisor(context, announce).run()
    try:
        run_single(context, announce)
    except StartupError:
        context.close()
        raise
    return 0

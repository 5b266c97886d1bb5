"""Serving as a program does: in this process if it can, else in workers."""

from collections.abc import Callable

from pwb_async.runtime.context import ServerContext, StartupError

from .worker import run_single


def serves_alone(context: ServerContext) -> bool:
    """Whether one process is enough.

    One that has given up its rights can neither reload nor reopen the log; a supervisor keeps them for it.
    """
    options = context.options
    return context.workers == 1 and options.user is None and not options.sandbox


def serve_process(context: ServerContext, announce: Callable[[ServerContext], object]) -> int:
    """Serve until a signal ends it; return the exit status. announce: called as soon as connections are accepted.

    Raises StartupError.
    """
    if not serves_alone(context):
        from .supervisor import Supervisor

        return Supervisor(context, announce).run()
    try:
        run_single(context, announce)
    except StartupError:
        context.close()
        raise
    return 0

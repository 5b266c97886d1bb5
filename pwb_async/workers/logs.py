"""The access logs of workers, which their supervisor opens for them."""

from collections.abc import Iterable

from pwb_async.runtime.context import ServerContext

from . import commands
from .worker_process import WorkerProcess


def reopen_logs(workers: Iterable[WorkerProcess]) -> None:
    """Open the paths of the logs again, and send the descriptors to the workers."""
    reopened: set[int] = set()
    for worker in workers:
        log = worker.context.log
        if log is None or not log.has_path:
            continue
        if id(log) not in reopened:
            reopened.add(id(log))
            log.try_reopen()
        worker.send(commands.REPLACE_LOG, log.fileno())


def close_unused_log(context: ServerContext, used: Iterable[ServerContext]) -> None:
    """Close the log of a context that is no longer used, unless one that is used writes to it."""
    if context.log is not None and all(context.log is not other.log for other in used):
        context.log.close()

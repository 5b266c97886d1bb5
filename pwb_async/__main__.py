"""python -m pwb_async [ROOT]: the command, from its options to its exit status."""

import logging
import os
import signal
import sys
import threading

from pwb_async.config.loader import load
from pwb_async.observability.error_log import configure_error_log
from pwb_async.output.printing import escape_output, exit_with
from pwb_async.runtime.context import StartupError, open_context
from pwb_async.workers.worker import loop_factory, run_single


def main() -> None:
    """Serves until it is stopped. Exit status 0: stopped; 1: cannot start; 2: a wrong option; 3: its workers die."""
    escape_output()
    options = load("pwb")
    configure_error_log("pwb")
    logging.getLogger("pwb").setLevel(logging.INFO)
    try:
        loop_factory(options.loop)
    except StartupError as error:
        raise exit_with(1, f"pwb: {error}") from None
    context = open_context("pwb", options)
    status = 0
    # Whoever gives up rights cannot reload, or open the log anew: that takes one who keeps them.
    if context.workers > 1 or options.user is not None or options.sandbox:
        from pwb_async.workers.supervisor import Supervisor

        status = Supervisor(context).run()
    else:
        try:
            run_single(context)
        except StartupError as error:
            context.close()
            raise exit_with(1, f"pwb: {error}") from None
    _end(status)


def _end(status: int) -> None:
    """Python waits at its end for all threads, and the disk may hold one for ever (hazard E6). Whoever says now that it
    is to end says nothing new, and must not change its status."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(0.2)
            if thread.is_alive():
                logging.shutdown()
                os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    main()

"""Wrappers for running(): commands that prepare what a process inherits, and then execute the server in their place."""

import os
import pty
from typing import Final

BACKGROUND: Final = ("sh", "-c", 'trap "" INT && exec "$@"', "sh")
"""Ignores SIGINT, as a shell does for the background jobs of a script."""


def nohup() -> tuple[int, tuple[str, ...]]:
    """The master of a new terminal, and a wrapper that runs nohup(1) on it; closing the master is a hangup."""
    master, slave = pty.openpty()
    name = os.ttyname(slave)
    os.close(slave)
    # The shell leads a session, so the terminal that it opens becomes its controlling terminal.
    return master, ("sh", "-c", 'exec <"$0" && exec nohup "$@"', name)

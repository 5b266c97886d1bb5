"""Commands that become the server by exec, for running(): what the server inherits from them."""

import os
import pty
from typing import Final

BACKGROUND: Final = ("sh", "-c", 'trap "" INT && exec "$@"', "sh")
"""SIGINT is ignored, as in the background job of a script."""


def nohup() -> tuple[int, tuple[str, ...]]:
    """nohup(1) at a terminal, which hangs up when the descriptor is closed."""
    master, slave = pty.openpty()
    name = os.ttyname(slave)
    os.close(slave)
    # The shell leads a session, so the terminal that it opens becomes the session's own.
    return master, ("sh", "-c", 'exec <"$0" && exec nohup "$@"', name)

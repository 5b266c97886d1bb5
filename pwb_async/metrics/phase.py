"""What a server and its processes are doing."""

from enum import IntEnum


class Phase(IntEnum):
    """What a server, or the process of a row, is doing."""

    NONE = 0
    """The row belongs to no process that serves, and only its counters count."""
    STARTING = 1
    SERVING = 2
    STOPPING = 3

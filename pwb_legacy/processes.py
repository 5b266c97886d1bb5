"""PWB4, a process for each client: the kernel keeps the clients apart, memory and all.

The plan: take a client; fork a child that talks with it and ends; close our copy of its socket; take the next. A
child inherits every descriptor, so it closes those that are none of its business; a child that ends is reaped at
once; one idle too long is asked to end by a signal, because the parent cannot see into it: the time since when a
child is idle stands in memory that both share.
Costs: about 1.7 MB and 2 ms a client (see README). The whole idea is the line that starts the child.
"""

from typing import ClassVar

from .base import HTTPServer

NOT_IDLE = 0.0


class ProcessServer(HTTPServer):
    """A process for each client."""

    capacity: ClassVar[int] = 256

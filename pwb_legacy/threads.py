"""PWB3, a thread for each client: the main thread accepts, and each client has a thread that may wait for it.

The plan: accept a client; start a thread that serves it; accept the next. A call that blocks (recv, send, a read from
the disk) blocks only the thread that makes it, and releases Python's global interpreter lock (GIL) meanwhile.
Costs: some 20 kB of memory and 10 MB of address space a client (see README); an idle client keeps its thread; Python
code runs in one thread at a time, so more cores do not help, and the thread that accepts waits for the GIL like any
other.
The whole idea is the line that starts the thread.
The book (9.3.1, net09_web_PWB3.py) ended when it could open no more descriptors, or start no more threads (L9;
docs/book.md).
"""

from threading import Thread
from typing import ClassVar

from pwb_legacy.common.http_server import HTTPServer


class ThreadServer(HTTPServer):
    """A thread for each client."""

    capacity: ClassVar[int] = 1000

    def serve_forever(self) -> None:
        for client in self.clients():
            try:
                Thread(target=self.handlerequest, args=(client,), daemon=True).start()
            except RuntimeError:  # no more threads: the book's server ended here (L9, E4)
                self.reject(client)

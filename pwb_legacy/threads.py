"""PWB3, a thread for each client: the main thread accepts, each client has a thread that may wait for it.

The plan: take a client; start a thread that talks with it; take the next. Blocking costs only the thread that blocks.
All threads want one lock, the interpreter's, and the one that accepts would have to stand in line at every step: so
those who serve stand back a moment while somebody comes in.
Costs: some 20 kB of memory and 10 MB of address space a client (see README), a thread that an idle client keeps, and
one interpreter lock for all of them. The whole idea is the line that starts the thread.
"""

from threading import Event, Thread
from typing import Final

from pwb_async.runtime.context import ServerContext
from pwb_legacy.common.client import Client
from pwb_legacy.common.http_server import HTTPServer

_COURTESY: Final = 0.05
"""Seconds at most that a client's next request waits for those who come in: 200 busy clients at once (wrk -c 200) let
the last of them in after 0.3 s; without it, 38 waited for more than 2 s for their first answer."""


class ThreadServer(HTTPServer):
    """A thread for each client."""

    def __init__(self, context: ServerContext) -> None:
        super().__init__(context)
        self._calm = Event()

    def serve_forever(self) -> None:
        for client in self.clients():
            self._calm.clear()
            try:
                Thread(target=self.handlerequest, args=(client,), daemon=True).start()
            except RuntimeError:  # no more threads: in the book it was the end of the server (L9, E4)
                self.reject(client)

    def _receive(self, client: Client) -> None:
        self._calm.wait(_COURTESY)
        super()._receive(client)

    def tidy(self) -> None:
        self._calm.set()

"""PWB3, a thread for each client: the main thread accepts, each client has a thread that may wait for it.

The plan: take a client; start a thread that talks with it; take the next. Blocking costs only the thread that blocks.
Costs: some 20 kB of memory and 10 MB of address space a client (see README), a thread that an idle client keeps, and
one interpreter lock for all of them. The whole idea is the line that starts the thread.
"""

from threading import Thread

from .base import HTTPServer


class ThreadServer(HTTPServer):
    """A thread for each client."""

    def serve_forever(self) -> None:
        for client in self.clients():
            try:
                Thread(target=self.handlerequest, args=(client,), daemon=True).start()
            except RuntimeError:  # no more threads: in the book it was the end of the server (L9, E4)
                self.turn_away(client)

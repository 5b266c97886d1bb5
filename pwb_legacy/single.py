"""PWB2, one client at a time: accept, talk, accept the next.

The plan: take a client; talk with it until it goes; take the next. While one client is talked with, all others wait
in the kernel's queue. Whoever is slow is slow for everybody, and an idle client would hold the server, so each
connection carries one request (`Connection: close`).
Costs: nothing but time. The whole idea is the call of handlerequest in the loop.
"""

from pwb_async.setup import Setup

from .base import HTTPServer


class SingleServer(HTTPServer):
    """One client at a time, blocking."""

    def __init__(self, setup: Setup) -> None:
        limits = setup.reader.limits._replace(requests=1)
        super().__init__(setup._replace(reader=type(setup.reader)(limits)))

    def serve_forever(self) -> None:
        for client in self.clients():
            self.handlerequest(client)

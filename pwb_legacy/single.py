"""PWB2, one client at a time: accept, talk, accept the next.

The plan: take a client; talk with it until it goes; take the next. While one client is talked with, all others wait
in the kernel's queue. Whoever is slow is slow for everybody, and an idle client would hold the server, so each
connection carries one request (`Connection: close`), and who has the answer is left to the door to be seen off.
Costs: nothing but time. The whole idea is the call of handlerequest in the loop.
"""

from types import FrameType

from pwb_async.core.events import ConnectionState
from pwb_async.runtime.context import ServerContext
from pwb_legacy.common.client import Client
from pwb_legacy.common.http_server import HTTPServer


class SingleServer(HTTPServer):
    """One client at a time, blocking."""

    def __init__(self, context: ServerContext) -> None:
        limits = context.parser.limits._replace(requests=1)
        super().__init__(context._replace(parser=type(context.parser)(limits)))

    def serve_forever(self) -> None:
        for client in self.clients():
            self.handlerequest(client)

    def part(self, client: Client) -> None:
        super().part(client)
        if client.connection.state is ConnectionState.LINGER:
            self.door.see_off(client)

    def signalled(self, number: int, frame: FrameType | None) -> None:
        super().signalled(number, frame)
        self.door.shut()  # at once: the loop comes back to the door only when this client has gone

"""PWB2, one client at a time.

The plan: accept a client; serve it; accept the next. All others wait in the kernel's accept queue, so one slow client
delays everyone, and an idle connection would block the server; therefore each connection carries one request
(`Connection: close`). After the response the acceptor takes the connection over and waits for the client to close it
(lingering close), so that the next client need not wait for that.
Costs: no memory, only the time of the clients that wait. The whole idea is the call of handlerequest in the loop.
The book (9.2, net09_web_PWB2.py) put the path together as a string, so that `..` led out of the folder, and ended at
the first invalid request (L1, L3; docs/book.md).
"""

from types import FrameType

from pwb_async.core.events import ConnectionState
from pwb_async.core.http1.parser import RequestParser
from pwb_async.runtime.context import ServerContext
from pwb_legacy.common.client import Client
from pwb_legacy.common.http_server import HTTPServer


class SingleServer(HTTPServer):
    """One client at a time, blocking."""

    def __init__(self, context: ServerContext) -> None:
        one_request = context.parser.limits._replace(requests=1)
        super().__init__(context._replace(parser=RequestParser(one_request, context.site.variant)))

    def serve_forever(self) -> None:
        for client in self.clients():
            self.handlerequest(client)

    def end_response(self, client: Client) -> None:
        super().end_response(client)
        if client.connection.state is ConnectionState.LINGER:
            self.acceptor.start_lingering_close(client)

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        super().on_signal(number, frame)
        self.acceptor.close_listeners()  # now, as the loop returns to the acceptor only when this client has left

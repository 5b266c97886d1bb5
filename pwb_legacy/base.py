"""What the designs share: the conversation with one client, and what to answer. A design adds how it waits, in the
book's two verbs:

    serve_forever()          take clients from clients() and see that each has its handlerequest()
    handlerequest(client)    talk with one client from its first request to its last

The conversation here is the blocking one: single, threads, processes and greenlets use it as it is; epoll tells the
same story event by event. What to answer is not decided here: Connection, Site and Disk do that for all servers.
"""

import logging
import signal
import socket
import time
from collections.abc import Iterator
from types import FrameType
from typing import ClassVar, Final

from pwb_async.core.connection import Waiting
from pwb_async.core.exchange import Exchange
from pwb_async.core.lookup import Broken
from pwb_async.core.messages import CLOSED, NEED_DATA, BadRequest, Request, Response
from pwb_async.setup import Setup

from .client import RECEIVE, Client, CutShortError, pieces
from .door import Door

logger: Final = logging.getLogger("pwb")


class HTTPServer:
    """A design. capacity: clients at once, where --max-connections does not say."""

    capacity: ClassVar[int] = 1000

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.most = setup.options.max_connections or self.capacity
        self.open: set[Client] = set()
        self.stopping = False
        self.wake, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, self._signalled)
        self._door = Door(setup, self.wake)

    def serve_forever(self) -> None:
        """Serves until the server is told to stop."""
        raise NotImplementedError

    def handlerequest(self, client: Client) -> None:
        """Talks with one client, blocking, from its first request to its last."""
        try:
            with client.socket:
                while (event := client.connection.next_event()) is not CLOSED:
                    if event is NEED_DATA:
                        self._receive(client)
                    elif isinstance(event, Request | BadRequest):
                        self._respond(client, event)
        except CutShortError as error:
            logger.error("content cut short: %s", error)
        except OSError as error:
            logger.debug("%s: %s", client.peer, error)
        except Exception:
            # In the book it ended the thread, or the whole server (L3, L4, L9).
            logger.exception("a fault of this server")
        finally:
            self.open.discard(client)

    def answer(self, event: Request | BadRequest) -> Response:
        """What all servers answer, in three steps; only the middle one touches the disk."""
        if isinstance(event, BadRequest):
            return self.setup.site.refuse(event)
        lookup = self.setup.site.locate(event)
        if isinstance(lookup, Response):
            return lookup
        finding = self.setup.disk.find(lookup)
        if isinstance(finding, Broken):
            logger.error("%r: %s", lookup.path, finding.why)
        return self.setup.site.reply(lookup, finding)

    def clients(self) -> Iterator[Client]:
        """Every client that comes in, until a signal; then waits until the last one has gone."""
        try:
            while not self.stopping:
                for client in self._door.wait():
                    if self.make_room():
                        self.open.add(client)
                        yield client
                    else:
                        self.turn_away(client)
        finally:
            self._door.close()
        while self.open:
            time.sleep(0.02)
        signal.setitimer(signal.ITIMER_REAL, 0)

    def make_room(self) -> bool:
        """Whether one more may come in, if need be for the one that has been idle longest (hazard A9)."""
        if len(self.open) < self.most:
            return True
        idle = [(since, client) for client in list(self.open) if (since := client.idle_since) is not None]
        if idle:
            min(idle, key=lambda pair: pair[0])[1].stop()
        return bool(idle)

    def turn_away(self, client: Client) -> None:
        """503, for a client that there is no room or no thread or process for (hazards A9, E4)."""
        self.open.discard(client)
        event = client.connection.turn_away()
        response = self.answer(event)
        parts = client.connection.respond(event, response, time.time())
        self._door.turn_away(client, b"".join(pieces(parts)))
        self.observe(Exchange(client.peer, event, response.status, response.length, time.time(), 0.0))

    def observe(self, exchange: Exchange) -> None:
        """Tells the observers what happened."""
        if self.setup.log is not None:
            self.setup.log(exchange)
            self.setup.log.flush()

    def breathe(self) -> None:
        """Called after each piece; a design whose clients share one thread lets the others go first (hazard A15)."""

    def _receive(self, client: Client) -> None:
        """Waits for the client's next bytes, until a deadline that a drip of bytes cannot move (hazard A2)."""
        now = time.monotonic()
        client.deadline.watch(client.connection.waiting, now)
        try:
            client.socket.settimeout(max(client.deadline.at - now, 0.001))
            client.connection.receive_data(client.socket.recv(RECEIVE))
        except TimeoutError:
            event = client.connection.expire()
            if isinstance(event, BadRequest):
                self._respond(client, event)

    def _respond(self, client: Client, event: Request | BadRequest) -> None:
        client.deadline.lift()
        began, start = time.time(), time.monotonic()
        response = self.answer(event)
        sent = 0
        try:
            parts = client.connection.respond(event, response, began)
            client.socket.settimeout(self.setup.timeouts.send)
            for piece in pieces(parts):
                while piece:  # the book called send() once and lost what the kernel did not take (L5)
                    taken = client.socket.send(piece)
                    piece = piece[taken:]
                    sent += taken
                self.breathe()
            if client.connection.waiting is Waiting.LINGER:
                client.socket.shutdown(socket.SHUT_WR)
        finally:
            response.close()
            sent = max(0, sent - client.connection.head_length)
            self.observe(Exchange(client.peer, event, response.status, sent, began, time.monotonic() - start))

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        """The first SIGINT or SIGTERM begins the stop; a second one, or the end of the grace, ends it (hazard F2)."""
        if self.stopping:
            raise SystemExit(0)
        self.stopping = True
        signal.setitimer(signal.ITIMER_REAL, max(self.setup.options.grace, 0.001))
        for client in list(self.open):
            client.stop()

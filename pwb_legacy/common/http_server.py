"""What the designs share: the conversation with one client, and what to answer. A design adds how it waits, in the
book's two verbs:

    serve_forever()          take clients from clients() and see that each has its handlerequest()
    handlerequest(client)    talk with one client from its first request to its last

The conversation here is the blocking one: single, threads, processes and greenlets use it as it is; epoll tells the
same story event by event. What to answer is not decided here: Connection, Site and Disk do that for all servers.
"""

import logging
import resource
import signal
import socket
import time
from collections.abc import Iterator
from types import FrameType
from typing import ClassVar, Final, Protocol

from pwb_async.core.events import CLOSED, NEED_DATA, BadRequest, ConnectionState
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.site.lookup import StorageError
from pwb_async.network.listeners import client_prefix
from pwb_async.runtime.context import ServerContext
from pwb_async.runtime.signals import end_signals

from .acceptor import Acceptor
from .client import RECEIVE, Client, ResponseSender, TruncatedError

logger: Final = logging.getLogger("pwb")
NO_BOUND: Final = 1_000_000
"""A capacity: as many clients as there are descriptors."""


class Guest(Protocol):
    """Whoever takes up one of the server's places: a Client, or the process that talks with one."""

    peer: str

    @property
    def idle_since(self) -> float | None: ...
    def stop(self) -> None: ...


class HTTPServer:
    """A design. capacity: clients at once, where --max-connections does not say. doors: what its door is. open: who is
    being served."""

    capacity: ClassVar[int] = 1000
    doors: ClassVar[type[Acceptor]] = Acceptor

    def __init__(self, context: ServerContext) -> None:
        self.context = context
        self.most = context.options.max_connections or min(self.capacity, _as_many_as_descriptors_allow())
        self.open: set[Guest] = set()
        self.stopping = False
        self.wake, self.waker = socket.socketpair()
        self.waker.setblocking(False)
        self.door = self.doors(context, self.wake)
        signal.set_wakeup_fd(self.waker.fileno(), warn_on_full_buffer=False)
        for number in (*end_signals(), signal.SIGALRM):
            signal.signal(number, self.signalled)
        signal.signal(signal.SIGUSR1, self.log_moved)

    def serve_forever(self) -> None:
        """Serves until the server is told to stop."""
        raise NotImplementedError

    def handlerequest(self, client: Client) -> None:
        """Talks with one client, blocking, from its first request to its last."""
        try:
            while not client.leaving and (event := client.connection.next_event()) is not CLOSED:
                if event is NEED_DATA:
                    self._receive(client)
                elif isinstance(event, Request | BadRequest):
                    self._respond(client, event)
        except Exception as error:  # in the book it ended the thread, or the whole server (L3, L4, L9)
            self.give_up(client, error)
        finally:
            self.finish(client)
            self.leave(client)

    def leave(self, client: Client) -> None:
        """The conversation is over. The client counts no more before it can know that, since it may come again at once;
        a server that stops waits for it only until then."""
        self.open.discard(client)
        if not client.leaving:
            client.close()

    def answer(self, event: Request | BadRequest) -> Response:
        """What all servers answer, in three steps; only the middle one touches the disk."""
        if isinstance(event, BadRequest):
            return self.context.site.refuse(event)
        lookup = self.context.site.locate(event)
        if isinstance(lookup, Response):
            return lookup
        finding = self.context.disk.find(lookup)
        if isinstance(finding, StorageError):
            logger.error("%r: %s", lookup.path, finding.detail)
        return self.context.site.reply(lookup, finding)

    def begin(self, client: Client, event: Request | BadRequest) -> None:
        """Makes the answer; from here on it is the client's `outgoing`, until finish()."""
        client.deadline.disarm()
        began = time.time()
        client.outgoing = ResponseSender(event, self.answer(event), began)
        client.outgoing.put(client.connection.respond(event, client.outgoing.response, began))

    def push(self, client: Client, outgoing: ResponseSender) -> None:
        """Hands over what the client takes. Raises OSError, TimeoutError for one who takes too little (hazard A5)."""
        outgoing.push(client.socket)
        rate = self.context.options.min_send_rate
        if rate and outgoing.crawls(rate, self.context.timeouts.send):
            raise TimeoutError("the client is too slow")

    def finish(self, client: Client) -> None:
        """The answer under way, if any, is out, or will never be."""
        outgoing, client.outgoing = client.outgoing, None
        if outgoing is None:
            return
        outgoing.response.close()
        sent = max(0, outgoing.sent - client.connection.head_length)
        if self.context.log is not None:
            self.context.log.record(client.peer, outgoing.event, outgoing.response.status, sent, outgoing.began)
        self.write_log()

    def give_up(self, client: Client, error: Exception) -> None:
        """Ends a conversation that cannot go on, and says so where it is worth a word."""
        if isinstance(error, TruncatedError):
            logger.error("content cut short: %s", error)
        elif isinstance(error, OSError):
            logger.debug("%s: %s", client.peer, error)
        else:
            logger.error("a fault of this server", exc_info=error)
        self.finish(client)
        client.close(forget=isinstance(error, TimeoutError))

    def clients(self) -> Iterator[Client]:
        """Every client that comes in, until a signal; then waits until the last one has gone."""
        try:
            while not self.stopping:
                for client in self.door.wait():
                    if self.make_room(client):
                        self.open.add(client)
                        yield client
                    else:
                        self.reject(client)
                    if self.stopping:
                        break
                self.tidy()
                self.write_log()
        finally:
            self.door.close()
        while self.open:
            time.sleep(0.02)
            self.tidy()
        self.stopped()

    def make_room(self, client: Client) -> bool:
        """Whether one more may come in, if need be for the one that has been idle longest (hazards A9, A10)."""
        if not self._has_share(client):
            return False
        if len(self.open) < self.most:
            return True
        idle = [(since, guest) for guest in list(self.open) if (since := guest.idle_since) is not None]
        if idle:
            min(idle, key=lambda pair: pair[0])[1].stop()
        return bool(idle)

    def _has_share(self, client: Client) -> bool:
        most, address = self.context.options.max_connections_per_ip, client_prefix(client.peer)
        return not (most and address) or sum(client_prefix(guest.peer) == address for guest in list(self.open)) < most

    def reject(self, client: Client) -> None:
        """503, for a client that there is no room or no thread or process for (hazards A9, E4). The few bytes do not
        block: nothing has been sent to this client before."""
        self.open.discard(client)
        try:
            self._respond(client, client.connection.reject())
            self.door.see_off(client)
        except Exception as error:
            self.give_up(client, error)

    def write_log(self) -> None:
        """Writes what has been noted, to a new file if the old one was moved."""
        if self.context.log is not None:
            self.context.log.flush()

    def breathe(self) -> None:
        """Called after each piece; where all clients share one thread, this one lets the others go first (A15)."""

    def tidy(self) -> None:
        """Called whenever the door has been woken and all who came in are being served."""

    def part(self, client: Client) -> None:
        """An answer is out. If it was the last, the client must have read it before we close (RFC 9112 9.6)."""
        if client.connection.state is ConnectionState.LINGER:
            client.socket.shutdown(socket.SHUT_WR)

    def _receive(self, client: Client) -> None:
        """Waits for the client's next bytes, until a deadline that a drip of bytes cannot move (hazard A2)."""
        now = time.monotonic()
        client.deadline.arm(client.connection.state, now)
        if client.connection.close_after_response:
            client.stop()
        client.socket.settimeout(max(client.deadline.at - now, 0.001))
        try:
            self.hear(client)
        except TimeoutError:
            event = client.connection.expire()
            if isinstance(event, BadRequest):
                self._respond(client, event)

    def hear(self, client: Client) -> None:
        """Takes in what the client says. Raises TimeoutError if it says nothing."""
        client.connection.receive_data(client.socket.recv(RECEIVE))

    def _respond(self, client: Client, event: Request | BadRequest) -> None:
        client.socket.settimeout(self.context.timeouts.send)
        self.begin(client, event)
        while (outgoing := client.outgoing) is not None:
            self.push(client, outgoing)
            if not outgoing.left:
                self.finish(client)
            elif not outgoing.piece:
                outgoing.load()
            self.breathe()
        self.part(client)

    def signalled(self, number: int, frame: FrameType | None) -> None:
        """The first SIGINT or SIGTERM begins the stop; a second one, or the end of the grace, ends it (hazard F2)."""
        if self.stopping:
            raise SystemExit(0)
        self.stopping = True
        signal.setitimer(signal.ITIMER_REAL, max(self.context.options.grace_period, 0.001))
        for guest in list(self.open):
            guest.stop()

    def log_moved(self, number: int, frame: FrameType | None) -> None:
        """SIGUSR1: the log was renamed, and what is noted from now on goes to a new file (hazard E8)."""
        if self.context.log is not None:
            self.context.log.reopen_requested = True

    def stopped(self) -> None:
        """Everybody has gone within the grace."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    def close(self) -> None:
        """Nothing wakes it any more, and no signal changes how it ends."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1):
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(-1)
        self.wake.close()
        self.waker.close()


def _as_many_as_descriptors_allow() -> int:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    # Each client may need a file beside its socket; some descriptors stay for the log and the door.
    return NO_BOUND if most == resource.RLIM_INFINITY else max(16, (most - 64) // 2)

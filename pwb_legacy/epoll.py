"""PWB6, one thread for all clients: it waits for nobody, the kernel says who is ready.

The plan, round by round:
  1. epoll says on which sockets something has happened; those that have more to do join them
  2. each has its turn: handlerequest() goes on where it stopped, until "would block" or the end of the turn
  3. ten times a second a look at all deadlines: who is overdue has a turn, too
Edge-triggered, as in the book, the kernel speaks once of each change: whoever ends a turn before "would block" must be
remembered (_ready), or nobody speaks of it again. With --trigger level the kernel repeats itself, when asked.
Costs: some 0.5 kB a client, the least of all; one processor; a read from the disk stops everybody; what a thread keeps
on its stack is kept by hand (Client.outgoing, Connection.waiting). The whole idea is the loop of _serve.
"""

import select
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import ClassVar, Final

from pwb_async.core.deadlines import NEVER
from pwb_async.core.events import CLOSED, BadRequest
from pwb_async.core.semantics.messages import Request
from pwb_async.runtime.context import ServerContext
from pwb_legacy.common.client import RECEIVE, Client
from pwb_legacy.common.http_server import NO_BOUND, HTTPServer

_TURN: Final = 8
"""Steps in a turn: receive, answer, send a piece, or accept (hazard A15)."""
_SWEEP: Final = 0.1
"""Seconds between two looks at the deadlines, and without accept() when it has failed (hazard E1)."""


class EpollServer(HTTPServer):
    """One thread, and select.epoll. Listening sockets, clients' and the one that wakes us: all by descriptor."""

    capacity: ClassVar[int] = NO_BOUND

    def __init__(self, context: ServerContext) -> None:
        super().__init__(context)
        self._clients: dict[int, Client] = {}
        self._ready: set[int] = set()
        self._later: set[int] = set()
        self._mode = select.EPOLLET if context.options.trigger == "edge" else select.EPOLLONESHOT
        self._epoll = select.epoll()
        self._events = context.traced_wait(self._epoll.poll)
        for fd in (self.wake.fileno(), *self.door.listeners):
            self._epoll.register(fd, select.EPOLLIN | self._mode)

    def serve_forever(self) -> None:
        try:
            self._serve()
        finally:  # a second signal, or the end of the grace, may have come
            for client in list(self._clients.values()):
                self.drop(client, OSError("the server ends"))

    def _serve(self) -> None:
        sweep = 0.0
        while self.open or not self.stopping:
            self._ready.update(fd for fd, _ in self._events(self._timeout()))
            if self.stopping:
                self.door.shut()
            ready, self._ready = self._ready, set()
            for fd in ready:
                if fd in self._clients:
                    self.handlerequest(self._clients[fd])
                elif fd in self.door.listeners:
                    self._accept(fd)
                elif fd == self.wake.fileno():
                    self.woken()
            if (now := time.monotonic()) >= sweep:
                sweep = now + _SWEEP
                self._sweep(now)
        self.stopped()

    def _timeout(self) -> float | None:
        """Seconds to wait for the kernel's word; None: for ever."""
        if self._ready:
            return 0
        return _SWEEP if self._clients or self._later else None

    def _sweep(self, now: float) -> None:
        """Who has taken nothing for too long is dropped; who has said nothing finds that out in its turn."""
        for fd, client in [pair for pair in self._clients.items() if pair[1].deadline.at <= now]:
            if client.outgoing is not None:
                self.drop(client, TimeoutError("takes nothing"))
            else:
                self._ready.add(fd)
        self._ready |= self._later
        self._later.clear()

    def woken(self) -> None:
        """A signal has come."""
        with suppress(BlockingIOError):
            self.wake.recv(RECEIVE)
        self._ask(self.wake.fileno(), select.EPOLLIN)
        self.write_log()

    def _ask(self, fd: int, events: int) -> None:
        """Says what the kernel is to speak of next. On the edge it speaks of everything, unasked."""
        if self._mode == select.EPOLLONESHOT:
            self._epoll.modify(fd, events | self._mode)

    def _accept(self, fd: int) -> None:
        for _ in range(_TURN):
            client = self.door.accept(self.door.listeners[fd])
            if client is not None:
                self._let_in(client)
            elif not self.door.failed:
                self._ask(fd, select.EPOLLIN)
                return
            elif (leaving := next((one for one in self._clients.values() if one not in self.open), None)) is not None:
                self.drop(leaving, OSError("makes way"))
            else:
                self._later.add(fd)
                return
        self._ready.add(fd)  # the book accepted one: the others in the queue waited for the next to come (L13)

    def _let_in(self, client: Client) -> None:
        fd = client.socket.fileno()
        try:
            client.socket.setblocking(False)  # accept() does not: a slow reader would stop the loop (L14)
            self._epoll.register(fd, select.EPOLLIN | select.EPOLLOUT | self._mode)
            self._clients[fd] = client
            if self.make_room(client):
                self.open.add(client)
            else:
                self.begin(client, client.connection.reject())
        except Exception as error:
            self.drop(client, error)

    def handlerequest(self, client: Client) -> None:
        """One turn of one client."""
        try:
            for _ in range(_TURN):
                if not self._step(client):
                    return
            self._ready.add(client.socket.fileno())
        except Exception as error:
            self.drop(client, error)

    def _step(self, client: Client) -> bool:
        """Whatever comes next; False: nothing, for the moment or for ever."""
        outgoing = client.outgoing
        try:
            if outgoing is not None:
                if not outgoing.piece:
                    return self.work(client, outgoing.load)
                self.push(client, outgoing)
                client.deadline.disarm()
                if not outgoing.left:
                    self.finish(client)
                    self.part(client)
                return True
            event = client.connection.next_event()
            if isinstance(event, Request | BadRequest):
                return self.work(client, partial(self.begin, client, event))
            if event is CLOSED:
                self._remove(client)
                client.close()
                return False
            # What happened is for recv() to find out, data, an end or a reset: the book took only the first (L15).
            client.connection.receive_data(client.socket.recv(RECEIVE))
            return True
        except BlockingIOError:
            return self._wait(client)

    def work(self, client: Client, job: Callable[[], None]) -> bool:
        """Does what may have to wait for the disk; True: it is done."""
        job()
        return True

    def _wait(self, client: Client) -> bool:
        """Puts the deadline on what the client must do; True: it is overdue, and there is an answer to that."""
        now = time.monotonic()
        if client.outgoing is not None:
            if client.deadline.at == NEVER:
                client.deadline.at = now + self.context.timeouts.send
            self._ask(client.socket.fileno(), select.EPOLLOUT)
            return False
        overdue = client.deadline.at <= now
        if not client.deadline.arm(client.connection.state, now) and overdue:
            event = client.connection.expire()
            if isinstance(event, BadRequest):
                self.begin(client, event)
            return True
        if client.connection.close_after_response:
            client.stop()
        self._ask(client.socket.fileno(), select.EPOLLIN)  # an end of what it sends is no end: no EPOLLRDHUP (A8)
        return False

    def _remove(self, client: Client) -> None:
        """It is none of ours any more; epoll forgets a socket when it is closed."""
        self._clients.pop(client.socket.fileno(), None)
        self.open.discard(client)

    def drop(self, client: Client, error: Exception) -> None:
        """Ends a conversation that cannot go on."""
        self._remove(client)
        self.give_up(client, error)

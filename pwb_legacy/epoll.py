"""PWB6, one thread for all clients: it never waits for a single one; the kernel reports which sockets are ready.

The plan, round by round:
  1. epoll reports the sockets whose state has changed; sockets with work left from the last round join them
  2. each gets a turn: handlerequest() continues where it stopped, until a call would block or the turn is over
  3. ten times a second all deadlines are checked; a client past its deadline gets a turn, too
--trigger chooses when the kernel reports a socket: TRIGGERS has the three ways, and _watch() is all that differs. In
all of them a socket whose turn ends before a call would block is kept in _ready: edge-triggered, as in the book, it is
not reported again, and of a request that has been read already the kernel has no more to report.
Costs: some 0.5 kB a client, the least of all; one processor; a read from the disk stops all clients; what a thread
keeps on its stack is kept by hand (Client.outgoing, Connection.state). The whole idea is the loop of _serve.
The book (9.4, net09_web_PWB6.py) accepted one client a report, left accepted sockets blocking, and took EPOLLIN for the
only event (L13 to L15; docs/book.md).
"""

import select
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from pwb_async.core.deadlines import NEVER
from pwb_async.core.events import CLOSED, BadRequest
from pwb_async.core.semantics.messages import Request
from pwb_async.network.accept import ACCEPT_PAUSE
from pwb_async.runtime.context import ServerContext
from pwb_legacy.common.client import RECEIVE_SIZE, Client
from pwb_legacy.common.http_server import HTTPServer

TRIGGERS: Final = {"edge": select.EPOLLET, "level": 0, "oneshot": select.EPOLLONESHOT}
"""The flag of each --trigger. A socket is reported
  edge     once for each change; it is registered once, for reading and writing
  level    in every round in which it is ready; it is registered for reading, or for writing while a response is stuck,
           and anew only when that changes
  oneshot  once, when it is ready; it is registered anew before each wait"""
STEPS_PER_TURN: Final = 8
"""Steps in a turn; a step receives data, makes a response, sends a buffer or accepts a client (A15)."""
SWEEP_INTERVAL: Final = ACCEPT_PAUSE
"""Seconds between two checks of the deadlines, and from a failed accept() to the next one (E1)."""


class EpollServer(HTTPServer):
    """One thread, and one epoll for the listening sockets, the clients, and the socket that a signal writes to."""

    def __init__(self, context: ServerContext) -> None:
        super().__init__(context)
        self._clients: dict[int, Client] = {}  # by descriptor
        self._ready: set[int] = set()  # descriptors that get a turn in the next round
        self._failed_listeners: set[int] = set()  # accept() has failed, and is called again by the next sweep
        self._watched: dict[int, int] = {}  # by descriptor: the events that _watch() has asked for
        self._trigger = TRIGGERS[context.options.trigger]
        self._epoll = select.epoll()
        self._poll = context.traced_wait(self._epoll.poll)
        for fd in (self.wakeup_reader.fileno(), *self.acceptor.listeners):
            self._watch(fd, select.EPOLLIN)

    def serve_forever(self) -> None:
        try:
            self._serve()
        finally:  # also after a second signal, and at the end of the grace period
            for client in list(self._clients.values()):
                self.fail(client, OSError("the server has stopped"))

    def _serve(self) -> None:
        next_sweep = 0.0
        while self._clients or not self.stopping:
            self._ready.update(fd for fd, _ in self._poll(self._poll_timeout()))
            if self.stopping:
                self.acceptor.close_listeners()
            ready, self._ready = self._ready, set()
            for fd in ready:
                if fd in self._clients:
                    self.handlerequest(self._clients[fd])
                elif fd in self.acceptor.listeners:
                    self._accept(fd)
                elif fd == self.wakeup_reader.fileno():
                    self.on_wakeup()
            if (now := time.monotonic()) >= next_sweep:
                next_sweep = now + SWEEP_INTERVAL
                self._sweep(now)
        self.cancel_grace_period()

    def _poll_timeout(self) -> float | None:
        """Seconds to wait for epoll; None: until something happens."""
        if self._ready:
            return 0
        return SWEEP_INTERVAL if self._clients or self._failed_listeners or self.log_is_pending else None

    def _sweep(self, now: float) -> None:
        """Close the clients that have taken nothing for too long; one that has sent nothing gets a turn, and a 408."""
        for fd, client in [pair for pair in self._clients.items() if pair[1].deadline.at <= now]:
            if client.outgoing is None:
                self._ready.add(fd)
                continue
            try:
                client.deadline.at = client.outgoing.check_progress(client.sock, *self.send_limits)
            except TimeoutError as error:
                self.fail(client, error)
        self._ready, self._failed_listeners = self._ready | self._failed_listeners, set()
        self.flush_log()

    def on_wakeup(self) -> None:
        with suppress(BlockingIOError):
            self.wakeup_reader.recv(RECEIVE_SIZE)
        self._watch(self.wakeup_reader.fileno(), select.EPOLLIN)
        self.flush_log()

    def _watch(self, fd: int, events: int) -> None:
        """Ask for a report of the descriptor when one of `events` is possible. Call it when a call would block."""
        if fd not in self._watched:
            everything = select.EPOLLIN | select.EPOLLOUT | select.EPOLLET
            self._epoll.register(fd, everything if self._trigger == select.EPOLLET else events | self._trigger)
        elif self._trigger == select.EPOLLONESHOT or (not self._trigger and events != self._watched[fd]):
            self._epoll.modify(fd, events | self._trigger)
        self._watched[fd] = events

    def _accept(self, fd: int) -> None:
        for _ in range(STEPS_PER_TURN):
            client = self.acceptor.accept(self.acceptor.listeners[fd])
            if client is not None:
                self._add_client(client)
            elif self.acceptor.failed:
                self._failed_listeners.add(fd)
                self._watch(fd, 0)  # level-triggered, it would be reported without end
                return
            else:
                self._watch(fd, select.EPOLLIN)
                return
        self._ready.add(fd)  # the book accepted one client for each report, and left the others in the queue (L13)

    def _add_client(self, client: Client) -> None:
        fd = client.sock.fileno()
        try:
            client.sock.setblocking(False)  # an accepted socket blocks: a slow reader would stop the loop (L14)
            self._watch(fd, select.EPOLLIN)
            self._ready.add(fd)  # its first turn sets its deadline, even if it never sends a byte (A1)
            self._clients[fd] = client
            if not self.admit(client):
                self.start_response(client, client.connection.reject())
                self.handlerequest(client)  # at once: of many rejected clients the oldest are closed
        except Exception as error:
            self.fail(client, error)

    def handlerequest(self, client: Client) -> None:
        """Give one client a turn."""
        try:
            for _ in range(STEPS_PER_TURN):
                if not self._step(client):
                    return
            self._ready.add(client.sock.fileno())
        except Exception as error:
            self.fail(client, error)

    def _step(self, client: Client) -> bool:
        """Take the next step. Return whether another may follow, because no call would block, no thread has the job and
        the client is not closed."""
        outgoing = client.outgoing
        try:
            if outgoing is not None:
                if not outgoing.buffer:
                    return self.offload(client, outgoing.read_next)
                self.send_some(client, outgoing)
                client.deadline.disarm()
                if not outgoing.remaining:
                    self.close_response(client)
                    self.end_response(client)
                return True
            event = client.connection.next_event()
            if isinstance(event, Request | BadRequest):
                return self.offload(client, partial(self.start_response, client, event))
            if event is CLOSED:
                client.close()
                return False
            # recv() tells data, the end and a reset apart. The book expected data alone (L15).
            client.connection.receive_data(client.sock.recv(RECEIVE_SIZE))
            return True
        except BlockingIOError:
            return self._wait(client)

    def offload(self, client: Client, job: Callable[[], None]) -> bool:
        """Do a job that may read from the disk. Return whether it is done; in epoll_threads a thread does it later."""
        job()
        return True

    def _wait(self, client: Client) -> bool:
        """Set the deadline for what the client must do. Return whether it has passed already, so that 408 follows."""
        now = time.monotonic()
        if client.outgoing is not None:
            if client.deadline.at == NEVER:
                client.deadline.at = client.outgoing.check_progress(client.sock, *self.send_limits)
            self._watch(client.sock.fileno(), select.EPOLLOUT)
            return False
        overdue = client.deadline.at <= now
        if not client.deadline.arm(client.connection.state, now) and overdue:
            event = client.connection.expire()
            if isinstance(event, BadRequest):
                self.start_response(client, event)
            return True
        if client.connection.close_after_response:
            client.stop()
        # No EPOLLRDHUP: a client that has shut down its sending side may still be waiting for the response (A8).
        self._watch(client.sock.fileno(), select.EPOLLIN)
        return False

    def on_close(self, client: Client) -> None:
        super().on_close(client)
        fd = client.sock.fileno()  # epoll forgets it by itself when it is closed, and the next client may have it
        self._clients.pop(fd, None)
        self._watched.pop(fd, None)

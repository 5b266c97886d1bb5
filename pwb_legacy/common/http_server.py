"""HTTPServer: what all designs share, in the book's two verbs.

    serve_forever()          takes clients from clients() and calls handlerequest() for each
    handlerequest(client)    serves one client, from its first request to its last response

A design is a way to wait. The conversation here is the blocking one, which single, threads, processes and greenlets use
as it is; epoll does the same event by event. Connection, Site and Disk decide what the response is, for all servers
alike, and SharedAdmissionControl which clients are served.

What a design may override, and which one does (`tracing` adds the timeline of --trace to any of them):

    capacity            the most clients, if --max-connections is not given     threads, processes
    serve_forever       take clients and serve them: the design itself          all but fixed_page and epoll_threads
    handlerequest       serve one client                                        epoll, epoll_threads
    make_response       make the response to what the guard has not refused     fixed_page
    start_response      ask the guard, make the response, prepare to send it    tracing
    receive             receive what the client sends                           processes, tracing
    send_some           send what the client takes now                          tracing
    yield_control       after a buffer: let other clients run                   greenlets
    end_response        the response has been sent                              single
    on_close            a client's socket is about to be closed                 epoll
    on_signal           SIGINT or SIGTERM has arrived                           single
    on_wakeup           the wait for clients has ended                          processes, epoll, epoll_threads
    flush_log           write the access log                                    processes
    acceptor_class      the class of the acceptor                               tracing
"""

import logging
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType
from typing import ClassVar, Final

from pwb_async.core.events import CLOSED, NEED_DATA, BadRequest, ConnectionState
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.site.access import Check
from pwb_async.network.admission import UNLIMITED, AdmittedConnection, SharedAdmissionControl
from pwb_async.network.send_timeout import check_interval
from pwb_async.observability.exchange import make_exchange
from pwb_async.observability.storage_log import StorageLog
from pwb_async.runtime.context import ServerContext
from pwb_async.runtime.signals import end_signals
from pwb_async.storage.errors import TruncatedError

from .acceptor import Acceptor
from .client import RECEIVE_SIZE, Client
from .outgoing import ResponseSender

logger: Final = logging.getLogger("pwb")
STOP_CHECK: Final = 0.02
"""Seconds between two looks at whether the last client has left, once the server stops."""


class HTTPServer:
    """The base class of all designs. It runs in the main thread, as it handles signals."""

    capacity: ClassVar[int] = UNLIMITED
    """The most clients at once, if --max-connections is not given and there are descriptors for them."""
    acceptor_class: ClassVar[type[Acceptor]] = Acceptor
    admission: SharedAdmissionControl[AdmittedConnection]
    """The clients that are connected, and the limits on their number."""
    logs_rules: bool = True
    """Whether this process logs that rules have changed, or that there is a mistake in them."""
    send_limits: tuple[float, int]
    """Seconds in which a client must take some bytes, and the bytes a second that it must take on average."""
    stopping: bool
    """A signal has stopped the server: it accepts no more clients."""

    def __init__(self, context: ServerContext) -> None:
        self.context = context
        options = context.options
        self.admission = SharedAdmissionControl(
            options.max_connections, options.max_connections_per_ip, capacity=self.capacity
        )
        self.send_limits = (context.timeouts.send, options.min_send_rate)
        self._access_check, self._observers = context.access_check, context.all_observers
        self._storage_log = StorageLog()
        self.stopping = False
        # A signal writes a byte to one end (set_wakeup_fd), so that a wait for the other end returns.
        self.wakeup_reader, self.wakeup_writer = socket.socketpair()
        self.wakeup_writer.setblocking(False)
        self.acceptor = self.acceptor_class(context, self.wakeup_reader, self.on_close)
        signal.set_wakeup_fd(self.wakeup_writer.fileno(), warn_on_full_buffer=False)
        for number in (*end_signals(), signal.SIGALRM):
            signal.signal(number, self.on_signal)
        signal.signal(signal.SIGUSR1, self.on_log_rotated)

    def serve_forever(self) -> None:
        """Serve until a signal stops the server, and all clients have left."""
        raise NotImplementedError

    def handlerequest(self, client: Client) -> None:
        """Serve one client, blocking, from its first request to its last response. The name is the book's."""
        try:
            while not client.lingering and (event := client.connection.next_event()) is not CLOSED:
                if event is NEED_DATA:
                    self._wait_for_data(client)
                elif isinstance(event, Request | BadRequest):
                    self._respond(client, event)
        except Exception as error:  # in the book it ended the thread, or the whole server (L3, L4, L9)
            self.fail(client, error)
        finally:
            self.close_response(client)
            if not client.lingering:
                client.close()

    def on_close(self, client: Client) -> None:
        """Free the client's place; called before its socket is closed. A server that stops waits only until here."""
        self.admission.forget(client)

    def make_response(self, event: Request | BadRequest, address: str) -> Response:
        """Make the response to an event. start_response() has asked the guard, which has not refused it.

        A request that needs a file takes three steps: locate, find and reply. Only find reads the disk.
        address: that of the client.
        """
        if isinstance(event, BadRequest):
            return self.context.site.refuse(event)
        site = self.context.site  # for all steps, even if another thread reloads the rules meanwhile
        lookup = site.locate(event, address)
        if isinstance(lookup, Response):
            return lookup
        finding = self.context.storage.find(lookup)
        self._storage_log.report(lookup, finding)
        return site.reply(lookup, finding)

    def reload_rules(self) -> None:
        """Use the rules as they are by now, if it is time to read them again and they have changed."""
        now = time.monotonic()
        if not self.context.rules_are_due(now):
            return
        context = self.context.reload_rules(now, log=self.logs_rules)
        if context is not None:
            self.context, self._access_check = context, context.access_check

    def start_response(self, client: Client, event: Request | BadRequest) -> None:
        """Ask the guard and make the response. It is the client's `outgoing` from here until close_response().

        Before a request, once a second, the files of rules and of users are read again. Like find, and a check of a
        password, this may take some time.
        """
        client.deadline.disarm()
        now = time.time()
        if isinstance(event, Request):
            self.reload_rules()
        check_access = self._access_check
        address, response = (client.address, None) if check_access is None else check_access(client.address, event)
        if isinstance(response, Check):
            response = response.run()
        if response is None:
            response = self.make_response(event, address)
        parts = client.connection.respond(event, response, now)
        client.outgoing = ResponseSender(event, address, response, now)
        client.outgoing.set_parts(parts)

    def send_some(self, client: Client, outgoing: ResponseSender) -> None:
        """Send what the client takes now. Raises OSError, and TimeoutError if it takes too little (A4, A5)."""
        try:
            outgoing.send(client.sock)
        except TimeoutError:  # the kernel has taken nothing since the last check
            outgoing.check_progress(client.sock, *self.send_limits)
        else:
            outgoing.check_rate(client.sock, *self.send_limits)

    def close_response(self, client: Client) -> None:
        """Close the current response, if any, and report it to the observers; it has been sent, or cannot be."""
        outgoing, client.outgoing = client.outgoing, None
        if outgoing is None:
            return
        outgoing.response.close()
        sent = max(0, outgoing.sent - client.connection.head_length)
        if self._observers:
            response, began = outgoing.response, outgoing.started_at
            exchange = make_exchange(outgoing.client, outgoing.event, response.status, sent, began, response)
            for observe in self._observers:
                observe(exchange)
        self.flush_log()
        if self.log_is_pending:
            self.wake_up()

    def end_response(self, client: Client) -> None:
        """Called when a response has been sent. After the last one, begin the lingering close (see acceptor)."""
        if client.connection.state is ConnectionState.LINGER:
            client.sock.shutdown(socket.SHUT_WR)

    def fail(self, client: Client, error: Exception) -> None:
        """Close a client because of an error. A client that leaves is normal, and logged for debugging only."""
        if isinstance(error, TruncatedError):
            logger.error("content cut short: %s", error)
        elif isinstance(error, OSError):
            logger.debug("%s: %s", client.peer, error)
        else:
            logger.error("a fault of this server", exc_info=error)
        self.close_response(client)
        client.close(reset=isinstance(error, TimeoutError))

    def clients(self) -> Iterator[Client]:
        """Yield every client that is admitted, until a signal stops the server; then wait until all have left."""
        try:
            while not self.stopping:
                for client in self.acceptor.wait():
                    if self.admit(client):
                        yield client
                    else:
                        self._send_503(client)
                    if self.stopping:
                        break
                self.on_wakeup()
                self.flush_log()
        finally:
            self.acceptor.close()
        # The end of a thread or of a greenlet wakes nothing, so the server looks again and again.
        while self.admission.connections:
            time.sleep(STOP_CHECK)
            self.on_wakeup()
        self.cancel_grace_period()

    def admit(self, client: Client) -> bool:
        """Count a new client, and return whether it is served; one that a signal has overtaken is stopped at once."""
        self.admission.read_descriptor_limit()
        admitted = self.admission.admit(client, time.monotonic())
        if admitted and self.stopping:  # on_signal() was called before the client was among the connections (F2)
            client.stop()
        return admitted

    def reject(self, client: Client) -> None:
        """Answer a client that was admitted with 503: no thread or process can be started for it (E4)."""
        self.admission.refuse(client)
        self._send_503(client)

    def _send_503(self, client: Client) -> None:
        """Answer 503, and leave the rest to the acceptor (A9).

        The few bytes do not block, as nothing has been sent to this client before.
        """
        try:
            self._respond(client, client.connection.reject())
            self.acceptor.start_lingering_close(client)
        except Exception as error:
            self.fail(client, error)

    def flush_log(self) -> None:
        """Write the pending lines of the access log; to a new file if the old one was renamed."""
        if self.context.log is not None:
            self.context.log.flush()

    @property
    def log_is_pending(self) -> bool:
        """Whether lines of the access log wait for a pipe that is full (E8)."""
        return self.context.log is not None and self.context.log.pending

    def wake_up(self) -> None:
        """End the wait for clients, so that on_wakeup() is called. Any thread may call this."""
        with suppress(OSError):  # full, so the wait ends in any case; or no memory; or the server has ended
            self.wakeup_writer.send(b"\0")

    def yield_control(self) -> None:
        """Called after each buffer that was sent; where clients share one thread, the others run now (A15)."""

    def on_wakeup(self) -> None:
        """Called after each wait that a client, a signal, the end of a child process or wake_up() has ended."""

    def _wait_for_data(self, client: Client) -> None:
        """Receive, until a deadline that a client cannot put off by sending byte after byte (A2)."""
        now = time.monotonic()
        client.deadline.arm(client.connection.state, now)
        if client.connection.close_after_response:
            client.stop()
        client.sock.settimeout(max(client.deadline.at - now, 0.001))
        try:
            self.receive(client)
        except TimeoutError:
            event = client.connection.expire()
            if isinstance(event, BadRequest):
                self._respond(client, event)

    def receive(self, client: Client) -> None:
        """Receive what the client sends. Raises TimeoutError if it sends nothing in time."""
        client.connection.receive_data(client.sock.recv(RECEIVE_SIZE))

    def _respond(self, client: Client, event: Request | BadRequest) -> None:
        client.sock.settimeout(check_interval(self.context.timeouts.send))
        self.start_response(client, event)
        while (outgoing := client.outgoing) is not None:
            self.send_some(client, outgoing)
            if not outgoing.remaining:
                self.close_response(client)
            elif not outgoing.buffer:
                outgoing.read_next()
            self.yield_control()
        self.end_response(client)

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Stop gracefully on SIGINT or SIGTERM; exit on a second one, or on SIGALRM, after --grace-period (F2)."""
        if self.stopping:
            raise SystemExit(0)
        self.stopping = True
        signal.setitimer(signal.ITIMER_REAL, max(self.context.options.grace_period, 0.001))
        for connection in list(self.admission.connections):
            connection.stop()

    def on_log_rotated(self, number: int, frame: FrameType | None) -> None:
        """Make the next flush open the log anew, since the file was renamed before SIGUSR1 (E8)."""
        if self.context.log is not None:
            self.context.log.reopen_requested = True

    def cancel_grace_period(self) -> None:
        """Called when all clients have left within the grace period."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    def close(self) -> None:
        """Ignore signals from now on, so that a late one cannot change the exit status."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1):
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(-1)
        self.wakeup_reader.close()
        self.wakeup_writer.close()

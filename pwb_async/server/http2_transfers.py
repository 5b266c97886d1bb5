"""The responses of an HTTP/2 connection that could not be sent at once.

What a client makes the server keep is bounded, whatever its windows are:
    lookups     32 at a time (http2_lookups.py)
    places      2: a large file needs one while it is open, and while a piece of it is kept
    memory      1 MiB of content that is not in files; further responses wait, unless they fit the windows

A transfer that waits for a place gets one that is free, or that of a response which cannot use it or comes later in the
order (RFC 9218). That one is parked: its file is closed, and opened again when it has a place again.
"""

import logging
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from pwb_async.core.events import BadRequest
from pwb_async.core.http2.connection import HTTP2Connection
from pwb_async.core.http2.errors import ErrorCode
from pwb_async.core.http2.streams import Stream
from pwb_async.core.semantics.messages import FileSlice, Request, Response, StreamingResponse

from .http2_transfer import Owner, Phase, Transfer
from .state import ServerState

if TYPE_CHECKING:
    from .http2_pacing import HTTP2Paces

logger: Final = logging.getLogger("pwb")
_MAX_PLACES: Final = 2
"""Large files of one connection that are open at a time."""
_MAX_MEMORY: Final = 1024 * 1024
"""Bytes of content in memory that wait for the client's windows."""
_CLIENT_CLOSED_REQUEST: Final = 499
"""The status in the log of a request that was reset before its response; that of nginx."""


class Transfers:
    """The transfers of one connection, and what they may use."""

    def __init__(self, owner: Owner, state: ServerState, connection: HTTP2Connection) -> None:
        self.owner = owner
        self.state = state
        self.connection = connection
        self.active: dict[bytes, Transfer] = {}
        """Those that have not ended, by their streams."""
        self.waiting: list[Transfer] = []
        """Those of `active` that wait."""
        self.out: list[bytes | memoryview] = []
        """Frames to write at the end of the turn."""
        self.full = False
        """Whether so much content waits in memory that a response has to wait unless it can be sent at once."""
        self.paces: HTTP2Paces | None = None
        """How fast responses are sent; None for as fast as the windows allow."""
        if state.send_rates is not None:
            from . import http2_pacing  # few servers have such limits

            self.paces = http2_pacing.HTTP2Paces(owner, connection, state)
        self._placed: list[Transfer] = []  # those that have a place
        self._memory = 0

    @property
    def at_work(self) -> bool:
        """Whether threads work on any of them, or any waits for a send rate."""
        return self.held or any(
            each.phase is Phase.LOOKED_UP or each.phase is Phase.READING for each in self.active.values()
        )

    @property
    def held(self) -> bool:
        """Whether any of them waits for a send rate."""
        return self.paces is not None and self.paces.holding

    @property
    def blocked(self) -> bool:
        """Whether the client's windows are waited for; true only at the end of a turn."""
        if self.held:
            return False
        begun = (Phase.OPEN, Phase.PARKED)
        return any(each.phase in begun and each.stream.unsent for each in self.active.values())

    def add(self, stream: bytes, request: Request | BadRequest, client: str, started_at: float) -> Transfer:
        """Keep a request whose response cannot be sent at once."""
        transfer = Transfer(self.connection.open(stream, request), request, client, started_at, self.state.cache)
        self.active[stream] = transfer
        return transfer

    def wait(self, transfer: Transfer) -> None:
        """Let a transfer wait until take_waiting() returns it."""
        transfer.phase, transfer.stream.working = Phase.WAITING, True
        self.waiting.append(transfer)

    def work(self, transfer: Transfer, phase: Phase) -> None:
        """Note that a thread works on a transfer; its stream counts until the end of that, even if it is reset."""
        transfer.phase, transfer.stream.working = phase, True

    def end_work(self, transfer: Transfer) -> bool:
        """Note the end of that; return whether the response is still wanted."""
        self.connection.end_work(transfer.stream)
        if transfer.phase is Phase.ENDED:
            return False
        transfer.phase = Phase.OPEN
        return not self.owner.writer.closed

    def take_waiting(self) -> Transfer | None:
        """Take the first of those for which there is a place or memory now; None if there is none."""
        places = True
        for transfer in sorted(self.waiting, key=_order):
            if transfer.stream.ended or (transfer.needs_place and not places):
                continue
            if self._reserve(transfer):
                self.waiting.remove(transfer)
                self.end_work(transfer)
                return transfer
            if transfer.needs_place:
                places = False  # nor is there one for those that come later in the order
        return None

    def _reserve(self, transfer: Transfer) -> bool:
        """Reserve what a transfer waits for; return whether there is enough."""
        if transfer.needs_place:
            return self._place(transfer)
        return not self.full or self._fits(transfer.stream, transfer.size)

    def _fits(self, stream: Stream, size: int) -> bool:
        """Whether so much content would be sent at once."""
        return size <= min(stream.window, self.connection.window) and not self.owner.writer.paused

    def begin(self, transfer: Transfer, response: Response) -> None:
        """Begin a response, or continue it; one that there is no place or no memory for waits."""
        if transfer.response is not None:
            self._continue_parked(transfer, transfer.response, response)
            return
        if isinstance(response, StreamingResponse):
            self._begin_streaming(transfer, response)
            return
        if not self._reserve_for(transfer, response):
            response.close()
            self.wait(transfer)
            return
        self.out += self.connection.respond(transfer.stream.id, transfer.request, response, time.time())
        self.keep(transfer, response)
        if not transfer.stream.unsent:
            self.end(transfer)

    def _begin_streaming(self, transfer: Transfer, response: StreamingResponse) -> None:
        transfer.response = response
        self.out.append(self.connection.begin_streaming(transfer.stream, response, time.time()))
        response.subscribe(partial(self._send_piece, transfer, response))

    def _send_piece(self, transfer: Transfer, response: StreamingResponse, data: bytes) -> bool:
        """Send a piece of content that is made piece by piece; return False if the response has ended."""
        if not transfer.stream.open_ended:
            return False
        response.length += len(data)
        self.connection.add_content(transfer.stream, data)
        self.owner.schedule()
        return True

    def end_streaming(self) -> None:
        """End the responses that would not end by themselves, since the connection is to end."""
        for transfer in [each for each in self.active.values() if each.stream.open_ended]:
            self.connection.end_content(transfer.stream)
            if not transfer.stream.unsent:
                self.end(transfer)

    def keep(self, transfer: Transfer, response: Response) -> None:
        """Keep a response that has been begun."""
        transfer.phase, transfer.response, transfer.placed_at = Phase.OPEN, response, transfer.stream.unsent
        if not response.has_file:
            self._leave_place(transfer)
            transfer.memory = response.length
            self._keep_in_memory(response.length)

    def _keep_in_memory(self, size: int) -> None:
        self._memory += size
        self.full = self._memory >= _MAX_MEMORY

    def _reserve_for(self, transfer: Transfer, response: Response) -> bool:
        """Reserve what a response needs; return whether there is enough."""
        if response.has_file:
            transfer.needs_place = not (transfer in self._placed or self._place(transfer))
            return not transfer.needs_place
        transfer.size = response.length
        return not self.full or self._fits(transfer.stream, response.length)

    def _continue_parked(self, transfer: Transfer, begun: Response, response: Response) -> None:
        """Continue a response that was parked, if it would still be the same."""
        files = [part.file for part in response.parts if isinstance(part, FileSlice)]
        if files and (begun.status, begun.fields) == (response.status, response.fields):
            transfer.response, transfer.phase = response, Phase.OPEN
            transfer.stream.replace_file(files[0])
            self.connection.queue(transfer.stream)
        else:
            response.close()
            self.cut_short(transfer, "the file has changed")

    def want_place(self, transfer: Transfer) -> None:
        """Let a parked response wait for a place."""
        transfer.needs_place = True
        self.wait(transfer)

    def _place(self, transfer: Transfer) -> bool:
        """Give a transfer a place, if there is one; or that of the last in the order that yields to it."""
        if len(self._placed) >= _MAX_PLACES:
            yielding = [each for each in self._placed if each.yields_to(transfer)]
            if not yielding:
                return False
            self._park(max(yielding, key=_order))
        self._placed.append(transfer)
        transfer.needs_place, transfer.placed_at = False, transfer.stream.unsent
        return True

    def _park(self, transfer: Transfer) -> None:
        assert transfer.response is not None
        transfer.phase = Phase.PARKED
        transfer.stream.replace_file(None)
        transfer.response.close()
        transfer.response = replace(transfer.response, parts=(), prepared=None)  # nor does it keep a file of the cache
        self._leave_place(transfer)

    def _leave_place(self, transfer: Transfer) -> None:
        if transfer in self._placed:
            self._placed.remove(transfer)

    def cut_short(self, transfer: Transfer, reason: str) -> None:
        """Reset a stream whose promised length cannot be kept; drop_ended() ends its transfer."""
        request = cast(Request, transfer.request)  # for others there is no file
        logger.error("%r: content cut short: %s", request.cache_key, reason)
        self.connection.cancel(transfer.stream, ErrorCode.INTERNAL_ERROR)

    def drop_ended(self) -> None:
        """End the transfers of streams that were reset."""
        ended, self.connection.ended = self.connection.ended, []
        for stream in ended:
            transfer = self.active.get(stream.id)
            if transfer is not None:
                if transfer.phase is Phase.WAITING:
                    self.waiting.remove(transfer)
                    self.connection.end_work(stream)
                self.end(transfer)

    def end(self, transfer: Transfer) -> None:
        """End a transfer whose response was sent, whole or in part, and report it."""
        del self.active[transfer.stream.id]
        reading, transfer.phase = transfer.phase is Phase.READING, Phase.ENDED
        self._keep_in_memory(-transfer.memory)
        if self.paces is not None:
            self.paces.forget(transfer)
        response = transfer.response
        if not reading:  # otherwise release() is called when the thread has read
            self.release(transfer)
        if response is None:
            self.owner.report(transfer, _CLIENT_CLOSED_REQUEST, 0)
        else:
            sent = response.length - transfer.stream.unsent - transfer.lost
            self.owner.report(transfer, response.status, sent)

    def lose(self, sizes: dict[bytes, int]) -> None:
        """Note how many bytes of each stream's content the transport has lost."""
        for stream, size in sizes.items():
            if stream in self.active:
                self.active[stream].lost = size

    def release(self, transfer: Transfer) -> None:
        """Close the file of a transfer that has ended."""
        if transfer.response is not None:
            transfer.response.close()
        self._leave_place(transfer)


def _order(transfer: Transfer) -> tuple[int, bool, bytes]:
    return *transfer.precedence, transfer.stream.id

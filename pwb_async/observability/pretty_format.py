"""Lines for people at a terminal: time, status, method, size, duration and path, in columns and colours.

The path stands last, so that a long one moves no column, with its percent-encoded letters as they are read. The client
follows it unless it is on this machine. A request that is malformed or refused has the reason in its place.
"""

from functools import lru_cache
from time import localtime, strftime, time
from typing import Final
from urllib.parse import unquote_to_bytes

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request
from pwb_async.output.amounts import duration_text, size_text
from pwb_async.output.colours import CYAN, DIM, GREEN, RED, YELLOW, Style
from pwb_async.output.printing import printable

from .combined_format import MAX_CACHED, request_line
from .exchange import Exchange, Format

_MAX_PATH: Final = 200
"""Characters of a path that are shown."""
_COLOURS: Final = {2: GREEN, 3: CYAN, 4: YELLOW, 5: RED}
"""The colour of a status by its first digit."""
_DURATION: Final = 6
"""Columns of the duration, which is left out if it is shorter than a millisecond."""
_THIS_MACHINE: Final = ("127.", "::1", "-")
"""What the addresses of clients on this machine begin with; "-" is one at a Unix socket."""


def pretty_format(*, colours: bool, encoding: str = "utf-8") -> Format:
    """A format with colours or without them. encoding: that of the terminal."""
    style = Style(colours)

    def encode(text: str) -> bytes:
        return text.encode(encoding, "backslashreplace")

    @lru_cache(16)
    def clock(second: int) -> bytes:
        return encode(style(strftime("%H:%M:%S", localtime(second)), DIM))

    @lru_cache(512)
    def client_of(client: str) -> bytes:
        return encode("" if client.startswith(_THIS_MACHINE) else style(f"  {client}", DIM))

    def columns(request: Request | BadRequest, status: int, sent: int) -> tuple[bytes, bytes]:
        """What stands before the duration, and what follows it."""
        method, _, rest = request_line(request).partition(b" ") if isinstance(request, Request) else (b"", b"", b"")
        shown_status = style(str(status), _COLOURS.get(status // 100, RED))
        shown_method = (method or request.method or b"-").decode("latin-1")
        before = f"{shown_status}  {printable(shown_method):4}  {style(f'{size_text(sent):>9}', DIM)}"
        target = rest.rpartition(b" ")[0]
        path = style(request.detail, RED) if isinstance(request, BadRequest) else readable(target)
        return encode(before), encode(path)

    cached_columns = lru_cache(512)(columns)
    nothing = b" " * _DURATION

    def format_pretty(exchange: Exchange) -> tuple[bytes, bytes]:
        request, started_at = exchange.request, exchange.started_at
        if isinstance(request, Request) and len(request.request_line) + request.fields.size <= MAX_CACHED:
            before, path = cached_columns(request, exchange.status, exchange.sent)
        else:
            before, path = columns(request, exchange.status, exchange.sent)
        seconds = time() - started_at
        shown = nothing if seconds < 0.001 else encode(style(duration_text(seconds).rjust(_DURATION), DIM))
        first = b"%s  %s  %s  " % (clock(int(started_at)), before, shown)
        return first, b"%s%s\n" % (path, client_of(exchange.client))

    return format_pretty


def readable(target: bytes) -> str:
    """A target as people read it: with letters in place of percent-encoded bytes, if all of them can be shown."""
    text = target.decode("latin-1")
    try:
        decoded = unquote_to_bytes(target).decode()
    except UnicodeDecodeError:
        decoded = text
    shown = decoded if decoded.isprintable() and "%" not in decoded else printable(text)
    return shown if len(shown) <= _MAX_PATH else f"{shown[:_MAX_PATH]}..."

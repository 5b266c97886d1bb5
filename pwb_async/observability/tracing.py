"""Traced variants of the parts that every server is made of: they write the steps head, locate, find and read.

open_context() puts them in the place of the plain ones, so a server without --trace runs no code for it.

The flow of a step is found like this: the connection sets it on the track that works for it, the site reads it there,
and the lookup carries it to the thread that finds the file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from pwb_async.core.events import BadRequest, ConnectionState, Event
from pwb_async.core.http1.connection import Connection
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.messages import File, FileSlice, Part, Request, Response
from pwb_async.core.site.findings import Finding, OpenFile
from pwb_async.core.site.lookup import Lookup, Storage
from pwb_async.core.site.site import Site

from .combined_format import request_line
from .trace_events import TraceWriter
from .trace_tracks import Flow


class TracedConnection(Connection):
    """A connection that writes the step `head`: parsing the bytes received, with the request line if it is complete."""

    def __init__(self, parser: RequestParser, server: bytes, trace: TraceWriter) -> None:
        super().__init__(parser, server)
        self.trace = trace
        self.flow = trace.flow()
        self._received = 0

    def receive_data(self, data: bytes) -> None:
        self._received += len(data)
        super().receive_data(data)

    def receive(self, data: bytes) -> Event:
        self.receive_data(data)
        return self.next_event()

    def next_event(self) -> Event:
        began = self.trace.begin()
        event = super().next_event()
        self.trace.track().flow = self.flow
        line = _line(event)
        if line or (self._received and self.state is ConnectionState.HEAD):
            self.trace.end("head", began, self.flow, bytes=self._received, line=line)
        self._received = 0
        return event

    def respond(self, request: Request | BadRequest, response: Response, now: float) -> list[Part]:
        parts = super().respond(request, response, now)
        return [part if isinstance(part, bytes) else self._trace(part) for part in parts]

    def _trace(self, part: FileSlice) -> FileSlice:
        return part._replace(file=TracedFile(part.file, self.trace, self.flow))


@dataclass(slots=True)
class TracedLookup(Lookup):
    """A lookup that carries the flow of its connection."""

    flow: Flow | None = None
    """None outside of a connection."""


class TracedSite(Site):
    """A site that writes the step `locate`. `options` are those of Site."""

    def __init__(self, trace: TraceWriter, **options: Any) -> None:
        super().__init__(**options)
        self._trace = trace

    def locate(self, request: Request, client: str = "") -> Lookup | Response:
        began = self._trace.begin()
        located = super().locate(request, client)
        flow = self._trace.track().flow
        self._trace.end("locate", began, flow, target=request.target.cache_key.decode("latin-1"))
        if isinstance(located, Response):
            return located
        return TracedLookup(**{each.name: getattr(located, each.name) for each in fields(located)}, flow=flow)


class TracedStorage:
    """A Storage that writes the step `find` for the calls to another one."""

    def __init__(self, disk: Storage, trace: TraceWriter) -> None:
        self._disk = disk
        self._trace = trace

    def find(self, lookup: Lookup) -> Finding:
        began = self._trace.begin()
        finding = self._disk.find(lookup)
        flow = lookup.flow if isinstance(lookup, TracedLookup) else None
        found = type(finding).__name__
        self._trace.end("find", began, flow, path=lookup.path.decode("latin-1"), found=found)
        return finding

    def revalidate(self, known: Sequence[tuple[Lookup, OpenFile]]) -> list[bool]:
        began = self._trace.begin()
        same = self._disk.revalidate(known)
        self._trace.end("find", began, None, revalidated=len(same), same=sum(same))
        return same


class TracedFile:
    """A File that writes the step `read` for each part of another one."""

    __slots__ = ("_file", "_flow", "_trace", "close", "device", "fileno", "in_page_cache")

    def __init__(self, file: File, trace: TraceWriter, flow: Flow) -> None:
        self._file, self._trace, self._flow = file, trace, flow
        self.device = file.device
        # These are not traced, so they are the other file's own methods.
        self.fileno, self.close, self.in_page_cache = file.fileno, file.close, file.in_page_cache

    def read_into(self, buffer: bytearray | memoryview, start: int) -> int:
        began = self._trace.begin()
        size = self._file.read_into(buffer, start)
        self._trace.end("read", began, self._flow, start=start, bytes=size)
        return size

    def read_ahead(self, start: int, length: int, ahead: int) -> None:
        began = self._trace.begin()
        self._file.read_ahead(start, length, ahead)
        self._trace.end("read", began, self._flow, start=start, bytes=length)


def _line(event: Event) -> str:
    """The request line, or what was wrong with the request; "" if the event is neither."""
    if isinstance(event, Request):
        return request_line(event).decode("latin-1")
    if isinstance(event, BadRequest):
        return f"{event.status} {event.detail}"
    return ""

"""A small client: asks one request at a time and checks the answer's bytes."""

import gzip
import math
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from types import TracebackType

import brotli

from .works import ExpectedResponse, Plan

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "br": brotli.decompress,
    "gzip": gzip.decompress,
    "zstd": zstd.decompress,
}
TIMEOUT = 30.0  # seconds that one answer may take
CHECKED = 1000  # requests of a plan that are checked at most


class UnableError(Exception):
    """A peer can't do a work; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer as it came: status, entity tag (empty when there is none) and body, without its content coding.

    ``kept``: the connection stays open. ``boundary``: that of a multipart response; empty: it is none. ``coding``: the
    content coding that the body had; empty: none.
    """

    status: int
    tag: bytes
    body: bytes
    kept: bool
    boundary: bytes = b""
    coding: str = ""

    @property
    def parts(self) -> list[bytes]:
        """The contents of the parts of a multipart response; empty when it is none."""
        if not self.boundary:
            return []
        middle = (b"\r\n" + self.body).split(b"\r\n--" + self.boundary)[1:-1]
        return [part.partition(b"\r\n\r\n")[2] for part in middle]


class Client:
    """One connection to a server on loopback, made anew when the server closed the last one."""

    def __init__(self, port: int, tls: bool = False) -> None:
        self.port = port
        self.tls = tls
        self.socket: socket.socket | None = None

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def send_request(self, request: bytes) -> Reply:
        """Send one request head, read its answer; OSError or HTTPException when there is none."""
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), TIMEOUT)
            if self.tls:
                from .tls import client_context

                self.socket = client_context().wrap_socket(self.socket)
        self.socket.sendall(request)
        with HTTPResponse(self.socket) as answer:
            answer.begin()
            coding = answer.getheader("Content-Encoding") or ""
            body = DECODERS[coding](answer.read()) if coding else answer.read()
            tag = (answer.getheader("ETag") or "").encode("latin-1")
            boundary = (answer.headers.get_boundary() or "").encode("latin-1")
            kept = not answer.will_close
        if not kept:
            self.close()
        return Reply(answer.status, tag, body, kept, boundary, coding)


def wait_for_response(port: int, request: bytes, seconds: float, tls: bool = False) -> bool:
    """Ask until an answer comes, whatever it is; False when none came in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with Client(port, tls) as client:
                client.send_request(request)
                return True
        except (OSError, HTTPException):
            time.sleep(0.002)
    return False


def check(port: int, plan: Plan, tls: bool = False) -> list[str]:
    """Ask every request of the plan once, or CHECKED of them; UnableError at the first wrong answer. Gives remarks."""
    closed = 0
    step = math.ceil(len(plan.requests) / CHECKED)
    requests, responses = plan.requests[::step], plan.responses[::step]
    with Client(port, tls) as client:
        for request, wanted in zip(requests, responses, strict=True):
            try:
                reply = client.send_request(request)
            except (OSError, HTTPException) as error:
                raise UnableError(f"no answer: {type(error).__name__} {error}") from error
            compare(reply, wanted)
            closed += not reply.kept and b"Connection: close" not in request
    usual = closed > len(requests) / 2
    return ["closes the connection after an answer"] if usual else []


def compare(reply: Reply, wanted: ExpectedResponse) -> None:
    if reply.status != wanted.status:
        raise UnableError(f"answers {reply.status} instead of {wanted.status}")
    if wanted.coded not in (None, bool(reply.coding)):
        raise UnableError(
            f"sends content with the coding {reply.coding}" if reply.coding else "sends it without a coding"
        )
    if wanted.parts:
        if reply.parts != list(wanted.parts):
            raise UnableError(f"sends {len(reply.parts)} parts, not the {len(wanted.parts)} that were asked for")
    elif reply.body != wanted.body:
        raise UnableError(f"wrong body: {len(reply.body):,} bytes instead of {len(wanted.body):,}")

"""The formats of --log-format beside the combined one: JSON lines, and lines for people."""

import json
import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pwb_async.core.events import BadRequest
from pwb_async.core.http1.connection import Connection
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.observability.exchange import make_exchange
from pwb_async.observability.json_format import format_json
from pwb_async.observability.pretty_format import pretty_format

FIELDS = 'Host: a\r\nReferer: http://b/"\\\r\nUser-Agent: \xe9\u00ff\r\n'


def request(line: str, fields: str = FIELDS) -> Request | BadRequest:
    """The request of these bytes, as a connection reports it."""
    connection = Connection(RequestParser(Limits()), b"PWB")
    connection.receive_data(f"{line}\r\n{fields}\r\n".encode("latin-1"))
    event = connection.next_event()
    assert isinstance(event, Request | BadRequest)
    return event


def json_line(event: Request | BadRequest, status: int = 200, sent: int = 5, ago: float = 0.0) -> dict[str, Any]:
    first, second = format_json(make_exchange("192.0.2.1", event, status, sent, time.time() - ago))
    assert second.endswith(b"\n")
    assert (first + second).isascii()
    assert (first + second).count(b"\n") == 1
    values: dict[str, Any] = json.loads(first + second)
    return values


def test_json() -> None:
    values = json_line(request("GET /%61?b HTTP/1.1"), 200, 5, 2.0)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", values.pop("time"))
    assert 2.0 <= values.pop("duration") < 3.0
    assert re.fullmatch(r"[0-9a-f]{16}", values.pop("request_id"))
    assert values == {
        "client": "192.0.2.1",
        "trace_id": None,
        "parent_id": None,
        "method": "GET",
        "target": "/%61?b",
        "version": "HTTP/1.1",
        "status": 200,
        "sent": 5,
        "referer": 'http://b/"\\',
        "user_agent": r"\xe9\xff",
        "coding": None,
        "cache": "miss",
    }


def test_every_request_has_an_id_of_its_own() -> None:
    event = request("GET / HTTP/1.1")
    assert len({json_line(event)["request_id"] for _ in range(100)}) == 100


TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("fields", "is_valid"),
    [
        (f"traceparent: 00-{TRACE}-{PARENT}-01", True),
        (f"TraceParent: 00-{TRACE}-{PARENT}-00", True),
        (f"traceparent: 01-{TRACE}-{PARENT}-01", True),
        (f"traceparent: cc-{TRACE}-{PARENT}-01-what-comes-later", True),
        (f"traceparent: cc-{TRACE}-{PARENT}-01.what", False),
        (f"traceparent: 00-{TRACE}-{PARENT}-01-more", False),
        (f"traceparent: ff-{TRACE}-{PARENT}-01", False),
        (f"traceparent: 00-{TRACE.upper()}-{PARENT}-01", False),
        (f"traceparent: 00-{'0' * 32}-{PARENT}-01", False),
        (f"traceparent: 00-{TRACE}-{'0' * 16}-01", False),
        (f"traceparent: 00-{TRACE[1:]}-{PARENT}-01", False),
        (f"traceparent: 00-{TRACE}-{PARENT}", False),
        (f"traceparent: 00-{TRACE}-{PARENT}-01\r\ntraceparent: 00-{TRACE}-{PARENT}-01", False),
        ("traceparent:", False),
    ],
)
def test_a_trace(fields: str, is_valid: bool) -> None:
    """W3C Trace Context 3.2.2: what is not valid counts as not sent."""
    values = json_line(request("GET / HTTP/1.1", f"Host: a\r\n{fields}\r\n"))
    assert (values["trace_id"], values["parent_id"]) == ((TRACE, PARENT) if is_valid else (None, None))


def test_coding_and_cache() -> None:
    event = request("GET / HTTP/1.1")

    def values(response: Response) -> dict[str, Any]:
        return json.loads(b"".join(format_json(make_exchange("-", event, 200, 5, time.time(), response))))

    coded = Response(200, ((b"Content-Type", b"text/css"), (b"Content-Encoding", b"br")))
    assert [values(coded)[name] for name in ("client", "coding", "cache")] == [None, "br", "miss"]
    kept = Response(200, (), serialized=b"X: 1\r\n\r\n", serialized_head_length=8)
    assert [values(kept)[name] for name in ("coding", "cache")] == [None, "hit"]


@given(
    target=st.binary(max_size=60).map(lambda value: re.sub(rb"[\x00-\x20\x7f]", b"", value)),
    value=st.binary(max_size=200).map(lambda value: value.translate(None, b"\r\n\0")),
)
@settings(max_examples=300)
def test_any_bytes_make_one_line_of_json(target: bytes, value: bytes) -> None:
    """json_line() fails for what is not JSON, not ASCII or more than one line."""
    text = value.decode("latin-1")
    fields = f"Host: a\r\nReferer: {text}\r\nUser-Agent: {text}\r\ntraceparent: {text}\r\n"
    json_line(request(f"GET /{target.decode('latin-1')} HTTP/1.1", fields))


def test_json_of_what_is_malformed() -> None:
    values = json_line(request("GET /\x1b[31m HTTP/1.1"), 400)
    assert values["target"] == "/\x1b[31m"
    assert values["status"] == 400
    assert values["detail"]
    nothing = json_line(BadRequest(408, "too slow"), 408)
    assert (nothing["method"], nothing["target"], nothing["detail"]) == ("", "", "too slow")


def test_json_of_the_same_request_with_other_responses() -> None:
    event = request("GET / HTTP/1.1")
    assert [json_line(event, status, sent)["status"] for status, sent in ((200, 1), (304, 0), (200, 1))] == [
        200,
        304,
        200,
    ]


def pretty(event: Request | BadRequest, status: int = 200, sent: int = 5, ago: float = 0.0, **style: Any) -> str:
    client = style.pop("client", "127.0.0.1")
    halves = pretty_format(**{"colours": False} | style)(make_exchange(client, event, status, sent, time.time() - ago))
    return b"".join(halves).decode()


@pytest.mark.parametrize(
    ("line", "status", "sent", "ago", "shown"),
    [
        ("GET / HTTP/1.1", 200, 0, 0.0, "200  GET         0 B          /"),
        ("HEAD /a HTTP/1.1", 304, 999, 0.012, "304  HEAD      999 B   12 ms  /a"),
        ("GET /%E4%B8%AD%20x HTTP/1.1", 200, 1234, 2.34, "200  GET     1.2 KiB   2.3 s  /\u4e2d x"),
        ("GET /%FF HTTP/1.1", 404, 10 << 30, 100, "404  GET    10.0 GiB   100 s  /%FF"),
        ("GET /%E2%80%AE%0A HTTP/1.1", 404, 5, 0, "404  GET         5 B          /%E2%80%AE%0A"),
        ("GET /?a=%25 HTTP/1.1", 200, 1023 << 10, 0, "200  GET     1.0 MiB          /?a=%25"),
    ],
)
def test_pretty(line: str, status: int, sent: int, ago: float, shown: str) -> None:
    found = pretty(request(line), status, sent, ago)
    assert re.fullmatch(r"\d\d:\d\d:\d\d  " + re.escape(shown) + r"\n", found), found


def test_pretty_names_a_client_elsewhere_and_shortens_a_path() -> None:
    assert pretty(request("GET / HTTP/1.1"), client="192.0.2.1").endswith("  /  192.0.2.1\n")
    assert pretty(request(f"GET /{'a' * 500} HTTP/1.1")).endswith(f"/{'a' * 199}...\n")


def test_pretty_tells_what_is_malformed() -> None:
    event = request("GET / HTTP/1.1", "")
    assert isinstance(event, BadRequest)
    assert pretty(event, 400).endswith(f"{event.detail}\n")


def test_pretty_in_colours_and_in_ascii() -> None:
    assert "\x1b[32m200\x1b[0m" in pretty(request("GET / HTTP/1.1"), colours=True)
    assert "\x1b[31m500\x1b[0m" in pretty(request("GET / HTTP/1.1"), 500, colours=True)
    assert pretty(request("GET /%E4%B8%AD HTTP/1.1"), encoding="ascii").endswith(r"/\u4e2d" + "\n")

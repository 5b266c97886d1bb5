"""The formats of --log-format beside the combined one: JSON lines, and lines for people."""

import json
import re
import time
from typing import Any

import pytest

from pwb_async.core.events import BadRequest
from pwb_async.core.http1.connection import Connection
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.messages import Request
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
    assert values == {
        "client": "192.0.2.1",
        "method": "GET",
        "target": "/%61?b",
        "version": "HTTP/1.1",
        "status": 200,
        "sent": 5,
        "referer": 'http://b/"\\',
        "user_agent": r"\xe9\xff",
    }


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

"""Every row on every design: the expected responses, the rules for any response, and the bytes of the reference."""

import json
import re
import time
from collections import Counter

import pytest

from pwb_legacy.compare.checks.rows import Row

from .exchange import assert_same, check, exchange
from .rows import ROWS
from .server import Server
from .tree import CANARY
from .wire import Response

_IMF_FIXDATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT"
)
_REASONS = {
    200: "OK",
    204: "No Content",
    206: "Partial Content",
    301: "Moved Permanently",
    302: "Found",
    303: "See Other",
    304: "Not Modified",
    307: "Temporary Redirect",
    308: "Permanent Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    410: "Gone",
    412: "Precondition Failed",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    417: "Expectation Failed",
    421: "Misdirected Request",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}


def check_any(response: Response) -> None:
    """Checks the rules for any response, whatever the request."""
    assert response.reason == _REASONS[response.status]
    assert response["Server"] == "PWB"
    assert _IMF_FIXDATE.fullmatch(response["Date"] or "")
    assert abs(response.date - time.time()) < 3
    assert CANARY not in response.content
    assert response["Transfer-Encoding"] is None
    if response.status in (204, 304):
        assert response["Content-Length"] is None
    else:
        assert (response["Content-Length"] or "").isdecimal()
        assert response["X-Content-Type-Options"] == "nosniff"
    if response["Last-Modified"] is not None:
        assert _IMF_FIXDATE.fullmatch(response["Last-Modified"])
    if response["Content-Type"] == "application/problem+json" and response.content:
        assert json.loads(response.content)["status"] == response.status >= 400
    elif response.status >= 400 and response.content:
        page = response.content.decode()
        assert page.startswith("<!DOCTYPE html>\n")
        assert (
            "404 file not found" in page if response.status == 404 else f"{response.status} {response.reason}" in page
        )
    if location := response["Location"]:
        # https://example.com is where rules of the tests lead to.
        assert re.fullmatch(r"(?:https://example\.com|\.\.?)?/(?![/\\])[!-~]*", location), "C9"


async def check_row(row: Row, server: Server, reference: Server) -> None:
    """Fails unless a server responds as the row has it, twice, and as the reference does."""
    for _ in range(2):  # from the disk, and from the cache where there is one
        responses = await exchange(server, row.requests, len(row.responses), row.ends)
        for response, expected in zip(responses, row.responses, strict=False):
            check(expected, response, server.design.keeps_alive)
            check_any(response)
    assert_same(responses, await exchange(reference, row.requests, len(row.responses), row.ends), server)


def test_ids_name_one_row_each() -> None:
    assert [name for name, count in Counter(row.id for row in ROWS).items() if count > 1] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_row_l7(row: Row, server: Server, reference: Server) -> None:
    responses = await exchange(server, row.requests, len(row.responses), row.ends)
    for response, expected in zip(responses, row.responses, strict=False):
        check(expected, response, server.design.keeps_alive)
        check_any(response)
    if server.design is not reference.design:
        assert_same(responses, await exchange(reference, row.requests, len(row.responses), row.ends), server)

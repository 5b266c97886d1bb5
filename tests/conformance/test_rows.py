"""Every row on every design: what must come back, what holds for any answer, and the reference's very bytes."""

import re
import time
from collections import Counter

import pytest

from tests.conformance.rows.row import Row

from .exchange import same, talk
from .rows import ROWS
from .server import Server
from .tree import CANARY
from .wire import Answer

_IMF_FIXDATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT"
)
_REASONS = {
    200: "OK",
    204: "No Content",
    206: "Partial Content",
    301: "Moved Permanently",
    304: "Not Modified",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    412: "Precondition Failed",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    417: "Expectation Failed",
    431: "Request Header Fields Too Large",
    501: "Not Implemented",
    505: "HTTP Version Not Supported",
}


def check_any(answer: Answer) -> None:
    """What holds for every answer, whatever was asked."""
    assert answer.reason == _REASONS[answer.status]
    assert answer["Server"] == "PWB"
    assert _IMF_FIXDATE.fullmatch(answer["Date"] or "")
    assert abs(answer.date - time.time()) < 3
    assert CANARY not in answer.content
    assert answer["Transfer-Encoding"] is None
    if answer.status in (204, 304):
        assert answer["Content-Length"] is None
    else:
        assert (answer["Content-Length"] or "").isdecimal()
        assert answer["X-Content-Type-Options"] == "nosniff"
    if answer["Last-Modified"] is not None:
        assert _IMF_FIXDATE.fullmatch(answer["Last-Modified"])
    if answer.status >= 400 and answer.content:
        page = answer.content.decode()
        assert page.startswith("<!DOCTYPE html>\n")
        assert "404 file not found" in page if answer.status == 404 else f"{answer.status} {answer.reason}" in page
    if location := answer["Location"]:
        assert re.fullmatch(r"/(?![/\\])[!-~]*", location), "C9"


def test_ids_name_one_row_each() -> None:
    assert [name for name, count in Counter(row.id for row in ROWS).items() if count > 1] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_row_l7(row: Row, server: Server, reference: Server) -> None:
    answers = await talk(server, row.requests, len(row.answers), row.ends)
    for answer, expected in zip(answers, row.answers, strict=False):
        expected.check(answer, server.design.keeps_alive)
        check_any(answer)
    if server.design is not reference.design:
        same(answers, await talk(reference, row.requests, len(row.answers), row.ends), server)

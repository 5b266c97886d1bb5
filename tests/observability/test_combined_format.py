"""The format of the access log: an exchange is one line, whatever the client sends (hazard G1)."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.fields import Fields
from pwb_async.core.semantics.messages import Request
from pwb_async.core.semantics.target import Target, parse_target
from pwb_async.observability import combined_format
from pwb_async.observability.combined_format import escape, format_combined
from pwb_async.observability.exchange import make_exchange
from tests.core.driver import NOW, ask, converse, get, quick

LINE = re.compile(
    rb'\S+ - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] "([ !#-\[\]-~]|\\x[0-9A-F]{2})+" \d{3} \d+ '
    rb'"([ !#-\[\]-~]|\\x[0-9A-F]{2})+" "([ !#-\[\]-~]|\\x[0-9A-F]{2})+"\n'
)
"""Matches every valid line."""


def line(*exchange: Any) -> bytes:
    return b"".join(format_combined(make_exchange(*exchange)))


def line_of(wire: bytes, sent: int = 0) -> bytes:
    answer = ask(wire)
    return line("192.0.2.1", answer.event, answer.status, sent, NOW + 0.9)


def test_combined_log_format() -> None:
    wire = get(b"/a.txt?x", b"Referer: http://h/", b"User-Agent: curl/8")
    assert line_of(wire, 26) == (
        b'192.0.2.1 - - [14/Nov/2023:22:13:20 +0000] "GET /a.txt?x HTTP/1.1" 200 26 "http://h/" "curl/8"\n'
    )


def test_a_repeated_request_has_the_line_of_its_own_response() -> None:
    request = ask(get()).request
    for status, sent, begin in ((200, 26, 0), (304, 0, 0), (200, 26, 1), (200, 7, 1), (304, 7, 2)):
        expected = b'"GET /a.txt HTTP/1.1" %d %d "-" "-"\n' % (status, sent)
        said = line("::1", request, status, sent, NOW + begin)
        assert said == b"::1 - - [14/Nov/2023:22:13:2%d +0000] " % begin + expected


@pytest.mark.parametrize(("length", "cached"), [(900, True), (1100, False)])
def test_only_short_requests_are_cached_a14(length: int, cached: bool) -> None:
    request = ask(get(b"/", b"User-Agent: " + b"x" * length)).request
    first, again = (format_combined(make_exchange("::1", request, 404, 9, NOW))[1] for _ in range(2))
    assert first == again == b'"GET / HTTP/1.1" 404 9 "-" "%s"\n' % (b"x" * length)
    assert (first is again) is cached


def test_the_cache_is_bounded_a14() -> None:
    for number in range(5000):
        request = ask(get(b"/%d" % number)).request
        assert line("::1", request, 404, 9, NOW).endswith(b' "GET /%d HTTP/1.1" 404 9 "-" "-"\n' % number)
    assert len(combined_format._cache) <= 2048


def test_a_request_without_a_request_line_is_written_in_its_form() -> None:
    target = parse_target(b"GET", b"/%7ea?x")
    assert isinstance(target, Target)
    request = Request(b"GET", target, Fields({b"user-agent": [b"h2"]}, 0), (2, 0))
    assert line("::1", request, 200, 26, NOW).endswith(b' "GET /~a?x HTTP/2.0" 200 26 "-" "h2"\n')


def test_a_missing_value_is_a_hyphen() -> None:
    assert line_of(get()).endswith(b'"GET /a.txt HTTP/1.1" 200 0 "-" "-"\n')
    assert (
        line("::1", BadRequest(503, "no room"), 503, 0, 0.0)
        == b'::1 - - [01/Jan/1970:00:00:00 +0000] "-" 503 0 "-" "-"\n'
    )


@pytest.mark.parametrize(
    ("wire", "logged"),
    [
        pytest.param(get(b'/"'), b'"GET /\\x22 HTTP/1.1" 404', id="G1-quote"),
        pytest.param(get(b"/\\x22"), b'"GET /\\x5Cx22 HTTP/1.1" 404', id="G1-backslash-is-no-escape"),
        pytest.param(get(b"/%0a%1b[31m"), b'"GET /%0a%1b[31m HTTP/1.1" 404', id="G1-escaped-stays-escaped"),
        pytest.param(b"GET /\n127.0.0.1 - -", b'"GET /\\x0A127.0.0.1 - -" 400', id="G1-line-feed"),
        pytest.param(b"GET /\x1b[31m", b'"GET /\\x1B[31m" 400', id="G1-escape"),
        pytest.param(b"\xff\0\x7f", b'"\\xFF\\x00\\x7F" 400', id="G1-bytes"),
        pytest.param(get(b"/", b'User-Agent: a"b\\c\td\xe9'), b'"-" "a\\x22b\\x5Cc\\x09d\\xE9"\n', id="G1-user-agent"),
        pytest.param(get(b"/", b'Referer: "'), b'"\\x22" "-"\n', id="G1-referer"),
        pytest.param(get(b"/", b"User-Agent:", b"Referer:"), b'"-" "-"\n', id="G1-empty"),
        pytest.param(get(b"/", b"User-Agent: a", b"User-Agent: b"), b'"a, b"\n', id="9110-5.3-two-lines"),
        pytest.param(
            b"GET / HTTP/1.1\r\nUser-Agent: x\r\n\r\n", b'"GET / HTTP/1.1" 400 0 "-" "x"\n', id="bad-but-known"
        ),
        pytest.param(get(b"/" + b"\xff" * 300), b'"GET /' + b"\\xFF" * 300, id="G1-long"),
    ],
)
def test_g1_nothing_can_be_injected(wire: bytes, logged: bytes) -> None:
    said = line_of(wire)
    assert logged in said
    assert LINE.fullmatch(said)


@given(st.binary(max_size=300))
@quick
def test_escaping_is_safe_and_reversible(value: bytes) -> None:
    escaped = escape(value)
    assert re.fullmatch(rb"([ !#-\[\]-~]|\\x[0-9A-F]{2})*", escaped)
    assert re.sub(rb"\\x(..)", lambda match: bytes.fromhex(match[1].decode()), escaped) == value


@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=40))
@quick
def test_every_exchange_is_one_line(first_line: bytes, referer: bytes, agent: bytes) -> None:
    bad = BadRequest(400, "why", first_line)
    assert LINE.fullmatch(line("h", bad, 400, 0, NOW))
    wire = get(b"/", b"Referer: " + referer, b"User-Agent: " + agent)

    for answer in converse([wire]).answers:
        assert LINE.fullmatch(line("h", answer.event, answer.status, 0, NOW))

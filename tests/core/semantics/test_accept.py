"""Which media types a client prefers (RFC 9110 12.5.1)."""

import time

import pytest

from pwb_async.core.semantics.accept import HTML, accepted
from pwb_async.core.semantics.fields import Fields

BROWSER = b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


def fields_of(*values: bytes) -> Fields:
    return Fields({b"accept": list(values)} if values else {}, 0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"application/json", True),
        (b"application/problem+json", True),
        (b"APPLICATION/JSON", True),
        (b"application/json, text/plain, */*", True),
        (b"application/json;q=0.9, text/html;q=0.8", True),
        (b"text/html;q=0.8, application/json;q=0.9", True),
        (b"application/*", True),
        (b"application/json; charset=utf-8", True),
        (b"application/json ; q=1.000", True),
        (b"application/json, text/html;q=0", True),
        (b"*/*, text/html;q=0.1", True),
        (b"application/json;q=0.001", True),
        (b"*/*", False),
        (b"text/*", False),
        (b"text/html, application/json", False),
        (b"text/html;q=0.9, application/json;q=0.9", False),
        (b"application/json;q=0.5, */*", False),
        (b"application/json;q=0", False),
        (b"application/json;q=1.5", False),
        (b"application/json;q=1e9", False),
        (b"application/json;q=", False),
        (b"application json", False),
        (b"application/json/x", False),
        (b"image/avif,image/webp,*/*;q=0.8", False),
        (b"", False),
        (b",;,/,*", False),
        (BROWSER, False),
    ],
)
def test_whether_json_is_preferred(value: bytes, expected: bool) -> None:
    assert accepted(fields_of(value)).prefers_json is expected


def test_no_field_and_several_lines() -> None:
    assert not accepted(fields_of()).prefers_json
    assert not accepted(fields_of()).names(HTML)
    assert accepted(fields_of(b"*/*;q=0.1", b"application/json")).prefers_json


@pytest.mark.parametrize(
    ("value", "expected"),
    [(BROWSER, True), (b"text/html;q=0.1", True), (b"text/html;q=0", False), (b"*/*", False), (b"text/*", False)],
)
def test_whether_html_is_named(value: bytes, expected: bool) -> None:
    assert accepted(fields_of(value)).names(HTML) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"application/*;q=0.3, text/html;q=0.2, */*;q=0.9", True),
        (b"application/json;q=0.1, application/*;q=0.9, text/html;q=0.5", False),
        (b"text/*;q=0.3, text/html;q=0.7, application/json;q=0.5, text/html;q=0.6", False),
        (b"text/*;q=0.3, application/json;q=0.5, */*;q=0.9", True),
        (b"text/css", False),
    ],
)
def test_the_most_specific_range_decides(value: bytes, expected: bool) -> None:
    assert accepted(fields_of(value)).prefers_json is expected


def test_a_long_field_takes_linear_time() -> None:
    start = time.process_time()
    for piece in (b"a/b;", b"a/b,", b";q=", b"/", b"a/b;q=0.1,", b" \t"):
        accepted(fields_of(piece * (8192 // len(piece))))
    assert time.process_time() - start < 0.2

"""Request targets and Host: RFC 9112 3.2, RFC 9110 4 and 7.2, hazards B7 and B9."""

from pwb_legacy.compare.checks import essential_rows
from pwb_legacy.compare.checks.rows import Expected, Row, expect, get, head, row
from tests.conformance.tree import ALPHABET

_A = expect(200, ALPHABET)
_BAD = expect(400)


def _with_host(line: str, *hosts: str) -> bytes:
    return "\r\n".join([line, *(f"Host: {host}" for host in hosts), "", ""]).encode("latin-1")


def _utf_8(target: str) -> str:
    """For get(), which sends each character as a byte."""
    return target.encode().decode("latin-1")


def _to(location: str) -> Expected:
    return expect(301, location=location, content_type="text/html; charset=utf-8", cache_control="no-cache")


_GET = "GET /a.txt HTTP/1.1"

ROWS: list[Row] = [
    *essential_rows.TARGETS,
    row("3.2.1-query-may-hold-anything", get("/a.txt?/../%zz?x=\\"), _A),
    row("3986-6.2.2.1-escape-in-lower-case", get("/%61%2etxt"), _A),
    row("3986-5.2.4-dot-segments", get("/sub/.././x/../a.txt"), _A),
    row("3986-5.2.4-escaped-dot-segments", get("/sub/%2e%2E/a.txt"), _A),
    row("C1-slashes-are-merged", get("//a.txt"), _A),
    row("C1-slashes-are-merged-inside", get("/sub//deep///x.css"), expect(200, b"p {}")),
    row("3.2.2-absolute-form-without-a-path", get("http://h"), expect(200, b"<h1>front</h1>")),
    row("3.2.2-absolute-form-query-without-a-path", get("http://h?x"), expect(200, b"<h1>front</h1>")),
    row("3.2.2-absolute-form-scheme-in-capitals", get("HTTP://h/a.txt"), _A),
    row("3.2.2-absolute-form-of-another-scheme", get("ftp://h/a.txt"), _BAD, ends=True),
    row("4.2.4-user-information", get("http://u@h/a.txt"), _BAD, ends=True),
    row("3.2.4-asterisk-only-for-options", get("*"), _BAD, ends=True),
    row("B9-authority-form", get("h:80"), _BAD, ends=True),
    row("B9-relative", get("a.txt"), _BAD, ends=True),
    row("B9-fragment", get("/a.txt#x"), _BAD, ends=True),
    row("B9-escape-cut-off", get("/a.txt%6"), _BAD, ends=True),
    row("B9-raw-byte", get("/\xfc"), _BAD, ends=True),
    row("9112-3.2-not-escaped", get(_utf_8("/grüße.txt")), _to("/gr%C3%BC%C3%9Fe.txt")),
    row("9112-3.2-not-escaped-head", head(_utf_8("/grüße.txt")), expect(301, b"", location="/gr%C3%BC%C3%9Fe.txt")),
    row("9112-3.2-not-escaped-in-the-query", get(_utf_8("/a.txt?ü=%FC&ß")), _to("/a.txt?%C3%BC=%FC&%C3%9F")),
    row("9112-3.2-not-escaped-and-missing", get(_utf_8("/ü/")), _to("/%C3%BC/")),
    row("9112-3.2-not-escaped-in-part", get(_utf_8("/gr%C3%BCße.txt")), _to("/gr%C3%BC%C3%9Fe.txt")),
    row("9112-3.2-not-escaped-absolute-form", get(_utf_8("http://evil.com/ü")), _to("/%C3%BC")),
    row("9112-3.2-not-escaped-two-slashes-name-no-host", get(_utf_8("//evil.com/ü")), _to("/evil.com/%C3%BC")),
    row("9112-3.2-not-escaped-backslash-names-no-host", get(_utf_8("/\\evil.com/ü")), _to("/%5Cevil.com/%C3%BC")),
    row(
        "9112-3.2-not-escaped-range-and-condition",
        get(_utf_8("/ü"), "If-None-Match: *", "Range: bytes=0-0"),
        _to("/%C3%BC"),
    ),
    row(
        "9112-3.2-not-escaped-then-escaped",
        (get(_utf_8("/grüße.txt")), get("/gr%C3%BC%C3%9Fe.txt"), get(_utf_8("/grüße.txt"))),
        _to("/gr%C3%BC%C3%9Fe.txt"),
        expect(200, b"UTF-8 in the name"),
        _to("/gr%C3%BC%C3%9Fe.txt"),
    ),
    row("9112-3.2-not-escaped-host", get(_utf_8("http://ü/")), _BAD, ends=True),
    row("9112-3.2-not-escaped-and-a-control", get(_utf_8("/ü\x85")), _BAD, ends=True),
    row("9112-3.2-not-escaped-and-no-utf-8", get(_utf_8("/ü") + "\xfc"), _BAD, ends=True),
    row("9112-3.2-not-escaped-and-a-bad-escape", get(_utf_8("/ü%zz")), _BAD, ends=True),
    row("9112-3.2-not-escaped-and-leaves-the-site", get(_utf_8("/ü/../..")), _BAD, ends=True),
    *(
        row(f"9112-3.2-not-escaped-{method.lower()}", get(_utf_8("/ü"), method=method), _BAD, ends=True)
        for method in ("POST", "OPTIONS", "BREW")
    ),
    row("B9-control", get("/\x01"), _BAD, ends=True),
    row("B9-space-in-the-target", get("/a b"), _BAD, ends=True),
    row("B9-two-spaces", _with_host("GET  /a.txt HTTP/1.1", "h"), _BAD, ends=True),
    row("B9-tab-for-a-space", _with_host("GET\t/a.txt HTTP/1.1", "h"), _BAD, ends=True),
    row("B7-host-with-user-information", _with_host(_GET, "u@h"), _BAD, ends=True),
    row("B7-host-with-a-path", _with_host(_GET, "h/x"), _BAD, ends=True),
    row("B7-host-with-a-long-port", _with_host(_GET, "h:65536"), _BAD, ends=True),
    row("B7-host-ipv6", _with_host(_GET, "[::1]:80"), _A),
    row("B7-host-in-http-1.0-is-checked", b"GET /a.txt HTTP/1.0\r\nHost: a@b\r\n\r\n", _BAD, ends=True),
]

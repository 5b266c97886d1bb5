"""Several sites on one server, by the host of a request (docs/sites.md; RFC 9110 7.2, RFC 9112 3.2)."""

from typing import Final

from pwb_legacy.compare.checks.rows import Row, expect, get, head, row

from .site import RowSite

_CONFIG: Final = b"""
max_age = 5
header = ["X-All: 1"]

[[redirects]]
from = "/old"
to = "/default"
status = 301

[[sites]]
hosts = ["a.example", "WWW.A.example.", "[0:0::1]", "b\xc3\xbccher.example"]
root = "a"
max_age = 60
mount = ["/docs/=docs"]

[[sites.redirects]]
from = "/old"
to = "/of-a"
status = 302

[[sites.headers]]
for = "/*"
set = { X-Site = "a" }

[[sites]]
hosts = ["*.b.example", "x.a.example"]
root = "b"
prefix = "/app/"
dotfiles = true

[[sites]]
hosts = ["*.deep.b.example"]
root = "deep"
"""
_FILES: Final = {"marker": b"MARKER", "f": b"default", "_redirects": b"/file-rule /default 301\n"}
_BESIDE: Final = {
    "pwb.toml": _CONFIG,
    "a/f": b"a",
    "a/_redirects": b"/file-rule /of-a 301\n",
    "a/.env": b"CANARY",
    "docs/f": b"docs of a",
    "b/f": b"b",
    "b/.env": b"env",
    "deep/f": b"deep",
}


def _to(host: str, target: str = "/f", *fields: str, version: str = "HTTP/1.1") -> bytes:
    return get(target, *fields, version=version).replace(b"Host: h\r\n", f"Host: {host}\r\n".encode("latin-1"))


def _without_host(target: str = "/f", version: str = "HTTP/1.0") -> bytes:
    return get(target, version=version).replace(b"Host: h\r\n", b"")


_A: Final = expect(200, b"a", cache_control="max-age=60", x_site="a", x_all="1")
_DEFAULT: Final = expect(200, b"default", cache_control="max-age=5", x_site=None, x_all="1")

ROWS: Final[list[Row]] = [
    row("9110-7-2-a-host", _to("a.example"), _A),
    row("9110-7-2-head", _to("a.example").replace(b"GET", b"HEAD"), expect(200, b"", x_site="a", content_length="1")),
    row("9110-7-2-any-case", _to("A.eXample"), _A),
    row("9110-7-2-a-port", (_to("a.example:8080"), _to("a.example:")), _A, _A),
    row("9110-7-2-a-dot-at-the-end", (_to("a.example."), _to("www.a.example.:80")), _A, _A),
    row("9110-7-2-ipv6", (_to("[::1]"), _to("[::1]:80"), _to("[0:0:0::0001]")), _A, _A, _A),
    row("9110-7-2-another-ipv6", _to("[::2]"), _DEFAULT),
    row("9110-7-2-a-name-in-unicode", _to("xn--bcher-kva.example"), _A),
    row("9110-7-2-an-unknown-host", _to("other.example"), _DEFAULT),
    row("9110-7-2-below-a-host", _to("sub.a.example"), _DEFAULT),
    row("9112-3-2-http-1-0-without-host", _without_host(), _DEFAULT, ends=True),
    row("9112-3-2-http-1-0-with-host", _to("a.example", version="HTTP/1.0"), _A, ends=True),
    row(
        "9112-3-2-2-the-target-replaces-host",
        (_to("h", "http://a.example/f"), _to("a.example", "http://h/f")),
        _A,
        _DEFAULT,
    ),
    row("9112-3-2-2-the-target-with-a-port", _to("x.b.example", "http://A.example:81/f"), _A),
    row("hosts-in-turn", (_to("a.example"), get("/f"), _to("a.example"), get("/f")), _A, _DEFAULT, _A, _DEFAULT),
    row("hosts-a-wildcard", _to("www.b.example", "/app/f"), expect(200, b"b", x_site=None, cache_control="max-age=5")),
    row("hosts-a-wildcard-takes-several-names", _to("x.y.b.example", "/app/f"), expect(200, b"b")),
    row("hosts-a-wildcard-takes-one-name-at-least", _to("b.example"), _DEFAULT),
    row("hosts-a-longer-wildcard-is-first", _to("x.deep.b.example"), expect(200, b"deep")),
    row("hosts-a-longer-wildcard-takes-no-less", _to("deep.b.example", "/app/f"), expect(200, b"b")),
    row("hosts-a-second-name", _to("x.a.example", "/app/f"), expect(200, b"b")),
    row(
        "hosts-options-of-a-site",
        (_to("x.b.example", "/app/.env"), _to("a.example", "/.env")),
        expect(200, b"env"),
        expect(404),
    ),
    row("hosts-a-prefix-of-a-site", _to("x.b.example", "/f"), expect(404)),
    row(
        "hosts-a-mount-of-a-site", (_to("a.example", "/docs/f"), get("/docs/f")), expect(200, b"docs of a"), expect(404)
    ),
    row(
        "hosts-rules-of-a-site",
        (_to("a.example", "/old"), get("/old")),
        expect(302, location="/of-a"),
        expect(301, location="/default"),
    ),
    row("hosts-no-rules-of-another-site", _to("x.deep.b.example", "/old"), expect(404)),
    row(
        "hosts-rules-in-the-root-of-a-site",
        (_to("a.example", "/file-rule"), get("/file-rule")),
        expect(301, location="/of-a"),
        expect(301, location="/default"),
    ),
    row("hosts-an-error-of-a-site", _to("a.example", "/f", "Expect: x"), expect(417, x_site="a")),
    row("hosts-304", _to("a.example", "/f", "If-None-Match: *"), expect(304, x_site="a")),
    row("hosts-options", _to("a.example", "*").replace(b"GET", b"OPTIONS"), expect(204, b"", x_site="a")),
    row("hosts-a-request-that-is-invalid", _to("a.example", "/f", "Content-Length: x"), expect(400), ends=True),
]
_MISDIRECTED: Final = expect(421, content_type="text/html; charset=utf-8", cache_control=..., x_all="1")
STRICT: Final[list[Row]] = [
    row("9110-15-5-20-a-host", _to("a.example"), _A),
    row("9110-15-5-20-an-unknown-host", _to("other.example"), _MISDIRECTED),
    row("9110-15-5-20-head", head("/f").replace(b"Host: h\r\n", b"Host: other\r\n"), expect(421, b"")),
    row("9110-15-5-20-a-file-that-is-missing", _to("other.example", "/none"), _MISDIRECTED),
    row("9110-15-5-20-in-the-target", _to("a.example", "http://other.example/f"), _MISDIRECTED),
    row("9110-15-5-20-http-1-0-without-host", _without_host(), _DEFAULT, ends=True),
    row("9110-15-5-20-in-turn", (_to("a.example"), _to("other"), _to("a.example")), _A, _MISDIRECTED, _A),
]
SITES: Final = {
    "hosts": RowSite(_FILES, ROWS, beside=_BESIDE),
    "strict-hosts": RowSite(
        _FILES,
        STRICT,
        ("--strict-hosts",),
        beside={**_BESIDE, "pwb.toml": _CONFIG.replace(b'"a.example",', b'"a.example", "h",'), "a/marker": b"MARKER"},
    ),
}

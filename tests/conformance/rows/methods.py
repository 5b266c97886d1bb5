"""Methods: RFC 9110 9, 15.5.6, 15.6.2."""

from pwb_legacy.compare.checks import essential_rows
from pwb_legacy.compare.checks.rows import expect, get, head, row
from tests.conformance.tree import ALPHABET

_ALLOW = "GET, HEAD, OPTIONS"

ROWS = [
    *essential_rows.METHODS,
    row("9110-9.3.2-head-has-the-fields-of-get", head("/a.txt"), expect(200, b"", content_length="26", etag=...)),
    row("9110-9.3.2-head-of-a-large-file", head("/30m.bin"), expect(200, b"", content_length="30000000")),
    row("9110-9.3.2-head-of-nothing", head("/missing"), expect(404, b"", content_length=..., content_type=...)),
    row("9110-9.3.2-head-of-a-folder", head("/sub"), expect(301, b"", location="/sub/")),
    row("9110-9.3.2-head-of-what-is-no-target", head("/../x"), expect(400, b"", content_length=...), ends=True),
    row("9110-9.3.7-options", get("/a.txt", method="OPTIONS"), expect(204, b"", allow=_ALLOW, content_length=None)),
    row("9110-9.3.7-options-asterisk", get("*", method="OPTIONS"), expect(204, b"", allow=_ALLOW)),
    row("9110-9.3.7-options-of-nothing", get("/missing", method="OPTIONS"), expect(204, b"", allow=_ALLOW)),
    row("9110-15.5.6-post", get("/a.txt", "Content-Length: 0", method="POST"), expect(405, allow=_ALLOW)),
    row("9110-15.5.6-put", get("/new", "Content-Length: 0", method="PUT"), expect(405, allow=_ALLOW)),
    row("9110-15.5.6-delete", get("/a.txt", method="DELETE"), expect(405, allow=_ALLOW)),
    row("9110-15.5.6-patch", get("/a.txt", method="PATCH"), expect(405, allow=_ALLOW)),
    row("9110-9.3.8-trace-echoes-nothing", get("/a.txt", "X: echo-me", method="TRACE"), expect(405, allow=_ALLOW)),
    row("9110-9.3.6-connect", get("h:80", method="CONNECT"), expect(400), ends=True),
    row("9110-15.6.2-webdav", get("/", method="PROPFIND"), expect(501)),
    row("B9-http-0.9", b"GET /a.txt\r\n\r\n", expect(400), ends=True),
    row("B9-http-3.0", get(version="HTTP/3.0"), expect(505), ends=True),
    row("B9-http-1.2-is-read-as-1.1", get(version="HTTP/1.2"), expect(200, ALPHABET)),
    row("B9-http-lower-case", get(version="http/1.1"), expect(400), ends=True),
    row("B9-h2-preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", expect(505), ends=True),
]

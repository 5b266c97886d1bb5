"""Access by password and by address, on a site of its own (docs/access.md; RFC 9110 11, RFC 7617)."""

from base64 import b64encode
from typing import Final

from pwb_legacy.compare.checks.rows import Expected, Row, expect, get, head, row

_PAGE: Final = b"<!DOCTYPE html>\n<title>private</title>\n"
USERS: Final = """\
# bob: secret, anna: p:ss wörd
bob:$apr1$PwbPwbPw$rjpPRznd/rS1As3qMVjdz0

anna:$apr1$anna$d09stEtUS63ZEubG1uEc./:a comment
"""
CONFIG: Final = """
[[access]]
for = "/private"
htpasswd = "users"

[[access]]
for = "/*.secret"
htpasswd = "users"

[[access]]
for = "/page.html"
htpasswd = "users"

[[access]]
for = "/elsewhere/*"
allow = ["192.0.2.0/24", "2001:db8::/32"]

[[access]]
for = "/here/*"
allow = ["127.0.0.0/8"]

[[access]]
for = "/not-here/*"
allow = ["127.0.0.0/8"]
deny = ["127.0.0.1"]

[[redirects]]
from = "/private/old"
to = "/new"
status = 301
force = true

[[rewrites]]
from = "/show/*"
to = "/private/:splat"

[[rewrites]]
from = "/show-elsewhere/*"
to = "/elsewhere/:splat"

[[rewrites]]
from = "/show-here/*"
to = "/here/:splat"

[[rewrites]]
from = "/page"
to = "/page.html"
"""
"""The rules; the file of users is in the current folder."""
FILES: Final[dict[str, bytes]] = {
    "a.txt": b"open",
    "private/index.html": _PAGE,
    "private/a.txt": b"private",
    "private/app-BhRYpqRf.js": b"app",
    "public.txt": b"public",
    "private/a.txt.gz": b"coded",
    "private/deep/b.txt": b"deep",
    "private.txt": b"not beneath",
    "x.secret": b"secret",
    "x.secret.br": b"coded",
    "page.html": _PAGE,
    "elsewhere/a.txt": b"elsewhere",
    "here/a.txt": b"here",
    "not-here/a.txt": b"not here",
    "marker": b"MARKER",
}
"""The files of the site."""


def authorization(user: str, password: str) -> str:
    """The field with these credentials."""
    return "Authorization: Basic " + b64encode(f"{user}:{password}".encode()).decode()


BOB: Final = authorization("bob", "secret")
_CHALLENGE: Final = 'Basic realm="/private", charset="UTF-8"'
_UNAUTHORIZED: Final = expect(401, www_authenticate=_CHALLENGE, content_type="text/html; charset=utf-8", etag=None)
_FORBIDDEN: Final = expect(403, www_authenticate=None)


def _ok(content: bytes) -> Expected:
    return expect(200, content, www_authenticate=None)


WRONG: Final = (
    authorization("bob", "secre"),
    authorization("eve", "secret"),
    authorization("", ""),
    authorization("bob", "secret\0"),
    authorization("bob", "x" * 4000),
)
"""Credentials that are wrong. Rows have none, as all their requests are of one client."""
ROWS: Final[list[Row]] = [
    row("access-open", get(), _ok(b"open")),
    row("access-open-with-credentials", get("/a.txt", authorization("x", "y")), _ok(b"open")),
    row("RFC9110-11.6.1-no-credentials", get("/private/a.txt"), _UNAUTHORIZED),
    row(
        "RFC9110-11.6.1-the-same-for-file-directory-and-nothing",
        (get("/private/"), get("/private"), get("/private/nothing"), get("/private/.env"), get("/private/deep")),
        *[_UNAUTHORIZED] * 5,
    ),
    row("RFC9110-11.6.1-head", head("/private/a.txt"), expect(401, b"", www_authenticate=_CHALLENGE)),
    row(
        "RFC9110-11.6.1-any-method",
        (get("/private/a.txt", method="OPTIONS"), get("/private/a.txt", method="POST")),
        *[_UNAUTHORIZED] * 2,
    ),
    row("access-before-a-redirect", get("/private/old"), _UNAUTHORIZED),
    row("access-then-the-redirect", get("/private/old", BOB), expect(301, location="/new")),
    row("access-known", get("/private/a.txt", BOB), _ok(b"private")),
    row("access-index", get("/private/", BOB), _ok(_PAGE)),
    row("access-directory", get("/private", BOB), expect(301, location="/private/")),
    row("access-beneath", get("/private/deep/b.txt", BOB), _ok(b"deep")),
    row("access-not-beneath", get("/private.txt"), _ok(b"not beneath")),
    row(
        "access-password-with-colon-and-umlaut",
        get("/private/a.txt", authorization("anna", "p:ss wörd")),
        _ok(b"private"),
    ),
    row(
        "access-is-asked-before-the-cache",
        (get("/private/a.txt", BOB), get("/private/a.txt"), get("/private/a.txt", BOB)),
        _ok(b"private"),
        _UNAUTHORIZED,
        _ok(b"private"),
    ),
    row(
        "RFC9110-11.1-scheme-in-any-case",
        get("/private/a.txt", BOB.replace("Basic ", "bASIC  ").rstrip("=")),
        _ok(b"private"),
    ),
    row(
        "RFC7617-2-no-credentials-of-basic",
        tuple(
            get("/private/a.txt", f"Authorization: {value}")
            for value in (
                "Basic",
                "Basic ",
                "Basic !!!!",
                "Basic Ym9i",
                "Bearer Ym9iOnNlY3JldA==",
                "Basic Ym9iOnNlY3JldA== x",
            )
        ),
        *[_UNAUTHORIZED] * 6,
    ),
    row(
        "C7-access-by-other-spellings",
        (
            get("/./private/a.txt"),
            get("//private//a.txt"),
            get("/x/../private/a.txt"),
            get("/%70rivate/a.txt"),
            get("/private/%61.txt"),
            get("/private%2Fa.txt"),
            get("/PRIVATE/a.txt"),
            get("http://h/private/a.txt"),
        ),
        *[_UNAUTHORIZED] * 8,
    ),
    row("access-neighbour", (get("/private/a.txt.gz"), get("/x.secret.br")), *[expect(401)] * 2),
    row(
        "access-by-name",
        (get("/x.secret"), get("/x.secret", BOB)),
        expect(401, www_authenticate='Basic realm="/*.secret", charset="UTF-8"'),
        _ok(b"secret"),
    ),
    row(
        "access-judged-by-what-is-served",
        (get("/show/a.txt"), get("/show/a.txt", BOB), get("/show/a.txt")),
        _UNAUTHORIZED,
        _ok(b"private"),
        _UNAUTHORIZED,
    ),
    row(
        "access-judged-by-what-is-not-there",
        (
            *(get("/show/" + name) for name in ("nothing", "", "deep", "deep/", "nothing/")),
            get("/show/nothing", BOB),
            get("/show/deep/", BOB),
            get("/show-elsewhere/nothing"),
            get("/show-here/nothing"),
        ),
        *[_UNAUTHORIZED] * 5,
        *[expect(404, www_authenticate=None)] * 2,
        _FORBIDDEN,
        expect(404),
    ),
    row(
        "access-judged-by-what-is-served-again",
        (get("/page", BOB), get("/page"), head("/page")),
        _ok(_PAGE),
        *[expect(401, www_authenticate='Basic realm="/page.html", charset="UTF-8"')] * 2,
    ),
    row("access-range", get("/private/a.txt", BOB, "Range: bytes=0-0"), expect(206, b"p")),
    row("access-condition", get("/private/a.txt", "If-None-Match: *"), _UNAUTHORIZED),
    row(
        "access-by-address",
        (get("/elsewhere/a.txt"), get("/here/a.txt"), get("/not-here/a.txt"), get("/not-here/nothing")),
        _FORBIDDEN,
        _ok(b"here"),
        _FORBIDDEN,
        _FORBIDDEN,
    ),
    row(
        "RFC9111-5.2.2.7-access-is-private",
        (
            *(get("/private/" + name, BOB) for name in ("a.txt", "a.txt", "nothing", "old", "app-BhRYpqRf.js")),
            get("/private/a.txt", BOB, "If-None-Match: *"),
            get("/private/a.txt", BOB, "Range: bytes=0-0"),
            get("/here/a.txt"),
            get("/page", BOB),
            get("/public.txt", BOB),
        ),
        *[expect(status, cache_control="private, no-cache") for status in (200, 200, 404, 301)],
        expect(200, cache_control="private, max-age=31536000, immutable"),
        *[expect(status, cache_control="private, no-cache") for status in (304, 206, 200, 200)],
        expect(200, cache_control="no-cache"),
    ),
    row("access-invalid-request", b"?\r\n\r\n", expect(400), ends=True),
]
"""The rows; those of other modules are for a site without access rules."""

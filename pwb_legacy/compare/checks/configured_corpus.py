"""What `diff` sends to a site that is made for it: requests that meet rules, access rules, and a site of a host."""

from pathlib import Path
from typing import Final, NamedTuple

from .request_corpus import Case, case, request

_RULES: Final = {
    "_redirects": b"/rules/old/* /rules/new/:splat 301\n/rules/here / 302!\n/rules/q id=:id /rules/:id 308\n"
    b"/rules/page/* / 200\n/rules/gone/* / 410\n/rules/out/* /:splat 302\nhttp://i/* https://j/:splat 307!\n",
    "_headers": b"/*\nX-All: 1\nCache-Control: max-age=9\n/rules/*\nX-Splat: :splat\n! X-All\nhttp://i/*\nX-Host: i\n",
}
"""Files of rules in the root."""
_RULED: Final = (
    *(b"/rules/old", b"/rules/old/a%20b/?x=1", b"/rules/here", b"/rules/q?id=1&o=2", b"/rules/q", b"/rules/page/x"),
    *(b"/rules/gone/x", b"/rules/none", b"/rules/out//evil.example", b"/rules/out/%5cevil", b"/rules/out/%0d%0aX:y"),
    *(b"http://i/x?y", b"/_headers", b"/_redirects", b"/"),
)
"""Targets of requests that meet them."""
_CONFIGURATION: Final = """
trusted_proxy = ["127.0.0.1"]
cors = ["https://a.example"]

[[access]]
for = "/guarded/*"
htpasswd = "{beside}/users"

[[access]]
for = "/local/*"
allow = ["127.0.0.0/8"]

[[rewrites]]
from = "/shown/*"
to = "/guarded/:splat"

[[sites]]
hosts = ["a.example", "*.b.example"]
root = "{beside}/other"
mount = ["/docs/={beside}/docs"]
clean_urls = true

[[sites.access]]
for = "/docs/*"
deny = ["192.0.2.0/24"]

[[sites.headers]]
for = "/*"
set = {{ X-Site = "a" }}
"""
_USERS: Final = "bob:$apr1$PwbPwbPw$rjpPRznd/rS1As3qMVjdz0\n"
"""The password is "secret"."""
_FILES: Final = {"guarded/index.html": b"guarded", "guarded/a.txt": b"secret", "local/a.txt": b"local"}
"""Files in the root."""
_BESIDE: Final = {
    "other/index.html": b"other",
    "other/about.html": b"about",
    "other/404.html": b"<!DOCTYPE html>\n<title>not here</title>\n",
    "docs/a.txt": b"docs",
}
"""Files of the site of a host."""
_BOB: Final = b"Authorization: Basic Ym9iOnNlY3JldA=="
_WRONG: Final = b"Authorization: Basic Ym9iOndyb25n"
"""Sent twice only: after ten a client gets 429, and --mode process counts for each connection anew."""
_REMOTE: Final = b"X-Forwarded-For: 192.0.2.7"
_GUARDED: Final = (b"/guarded/", b"/guarded/a.txt", b"/guarded", b"/guarded/none", b"/shown/a.txt", b"/local/a.txt")
_HOSTS: Final = (b"a.example", b"A.Example:80", b"x.b.example", b"b.example", b"c.example", b"")
_TARGETS: Final = (b"/", b"/about", b"/about.html", b"/docs/a.txt", b"/docs", b"/none", b"http://a.example/about")


class Configured(NamedTuple):
    """A configuration, and requests that meet it."""

    options: tuple[str, ...]
    """The options of every server."""
    cases: tuple[Case, ...]


def configure(root: Path, beside: Path) -> Configured:
    """Write the configuration into the root of a site that was made for this, and into an empty folder beside it."""
    for folder, files in ((root, {**_RULES, **_FILES}), (beside, _BESIDE)):
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    (beside / "users").write_text(_USERS)
    (beside / "pwb.toml").write_text(_CONFIGURATION.format(beside=beside))
    wires = [*_ruled(), *_access(), *_sites()]
    return Configured(("--config", str(beside / "pwb.toml")), tuple(map(case, wires)))


def _ruled() -> list[bytes]:
    lines = [b"GET %s HTTP/1.1" % target for target in _RULED]
    wires = [*map(request, lines), *(request(b"HEAD" + line[3:]) for line in lines)]
    return wires + [request(line, b"Origin: https://a.example", b"Range: bytes=0-1") for line in lines]


def _access() -> list[bytes]:
    lines = [b"GET %s HTTP/1.1" % target for target in _GUARDED]
    wires = [request(line, *fields) for line in lines for fields in ((), (_BOB,), (_REMOTE,), (_BOB, _REMOTE))]
    wires += [request(lines[0], _WRONG), request(b"HEAD" + lines[0][3:], _WRONG)]
    preflight = (b"Origin: https://a.example", b"Access-Control-Request-Method: GET")
    wires += [request(b"OPTIONS /guarded/ HTTP/1.1", *fields) for fields in ((), (_BOB,), preflight)]
    forwarded = (b'Forwarded: for="[2001:db8::1]:80"', b"Forwarded: for=127.0.0.9;proto=https", b"Forwarded: ?")
    wires += [request(lines[-1], field) for field in (*forwarded, b"X-Forwarded-For: x, 127.0.0.1")]
    conditions = (b"If-None-Match: *", b"Range: bytes=0-0", b"Accept: application/json")
    wires += [request(lines[1], *fields) for field in conditions for fields in ((field,), (_BOB, field))]
    return [*wires, request(lines[1], _BOB) + request(lines[1]) + request(lines[1], _BOB)]


def _sites() -> list[bytes]:
    wires = [request(b"GET %s HTTP/1.1" % target) for target in _TARGETS]
    found = [wire.replace(b"Host: h\r\n", b"Host: %s\r\n" % host) for host in _HOSTS for wire in wires]
    remote = [request(b"GET http://a.example%s HTTP/1.1" % target, _REMOTE) for target in (b"/docs/a.txt", b"/about")]
    return [*found, *remote, b"GET /about HTTP/1.0\r\n\r\n", b"".join(found[:3])]

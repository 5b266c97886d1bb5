"""The WSGI application alone, called as a server calls it, with the checks of wsgiref.validate."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest

from pwb_async import ConfigError, StartupError
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.observability.exchange import Exchange
from pwb_async.storage.errors import TruncatedError
from pwb_async.wsgi import StaticSite
from tests.asgi.sample_site import BIG, make_site


class Result(NamedTuple):
    """A response, as the server got it."""

    status: int
    fields: dict[str, str]
    content: bytes


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_site(tmp_path / "root")


def environ_of(target: str = "/", method: str = "GET", mount: str = "", **more: Any) -> dict[str, Any]:
    """The environ of a request, as wsgiref makes it. more: further variables; those with None are left out."""
    path, _, query = target.partition("?")
    decoded = unquote_to_bytes(path).decode("latin-1")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": mount,
        "PATH_INFO": decoded.removeprefix(mount),
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.1",
    }
    setup_testing_defaults(environ)
    return {name: value for name, value in {**environ, **more}.items() if value is not None}


def ask(site: StaticSite, target: str = "/", method: str = "GET", mount: str = "", **more: Any) -> Result:
    """The response to one request; arguments as for environ_of()."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: object = None
    ) -> Callable[[bytes], object]:
        started.append((status, headers))
        return io.BytesIO().write

    body = validator(site)(environ_of(target, method, mount, **more), start_response)
    try:
        content = b"".join(body)
    finally:
        body.close()
    [(status, headers)] = started
    assert len(dict(headers)) == len(headers)
    return Result(int(status[:3]), {name.lower(): value for name, value in headers}, content)


def test_files(root: Path) -> None:
    site = StaticSite(root)
    found = ask(site, "/a.txt")
    assert (found.status, found.content, found.fields["content-type"]) == (200, b"abc", "text/plain; charset=utf-8")
    assert ask(site, "/").content == b"home"
    assert ask(site, "/a%20b.txt").content == b"space"
    head = ask(site, "/a.txt", "HEAD")
    assert (head.status, head.fields["content-length"], head.content) == (200, "3", b"")
    assert ask(site, "/a.txt", HTTP_IF_NONE_MATCH=found.fields["etag"]).status == 304
    assert ask(site, "/a.txt", HTTP_RANGE="bytes=1-1").content == b"b"
    assert ask(site, "/none").status == 404
    assert ask(site, "/a.txt", "DELETE").status == 405


@pytest.mark.parametrize("more", [{}, {"wsgi.file_wrapper": FileWrapper}], ids=["read", "wrapped"])
@pytest.mark.parametrize("sendfile", [True, False])
def test_a_large_file(root: Path, more: dict[str, Any], sendfile: bool) -> None:
    content, before = (root / "big.bin").read_bytes(), len(os.listdir("/proc/self/fd"))
    site = StaticSite(root, sendfile=sendfile)
    assert ask(site, "/big.bin", **more).content == content
    assert ask(site, "/big.bin", HTTP_RANGE="bytes=1000-1999999", **more).content == content[1000:2000000]
    assert content[300000:900001] in ask(site, "/big.bin", HTTP_RANGE="bytes=0-9,300000-900000", **more).content
    assert len(os.listdir("/proc/self/fd")) == before


def test_mounts(root: Path) -> None:
    site = StaticSite(root)
    assert ask(site, "/static/a.txt", mount="/static").content == b"abc"
    for target in ("/static/sub", "/static/sub?x", "/static", "/static?x"):
        path, mark, query = target.partition("?")
        found = ask(site, target, mount="/static")
        assert (found.status, found.fields["location"]) == (301, path + "/" + mark + query)
    assert ask(site, "/static", "POST", mount="/static").status == 405
    assert ask(StaticSite(root, prefix="/static/"), "/static/a.txt").content == b"abc"


@pytest.mark.parametrize("name", ["RAW_URI", "REQUEST_URI"])
def test_the_target_as_it_was_received(name: str, root: Path) -> None:
    site = StaticSite(root)
    (root / "sub" / "x").write_bytes(b"x")
    assert ask(site, "/sub%2Fx").content == b"x", "a slash, as far as WSGI can tell"
    more = {name: "/sub%2Fx?q"}
    assert ask(site, "/sub%2Fx?q", **more).status == 404
    assert ask(site, "/sub?", **{name: "/sub?"}).fields["location"] == "/sub/?", "an empty query"
    assert ask(site, "/static/sub%2Fx", mount="/static", **{name: "/static/sub%2Fx"}).status == 404
    assert ask(site, "/a.txt", **{name: "/rewritten"}).content == b"abc", "another path is not believed"


def test_what_a_careless_server_lets_through(root: Path) -> None:
    site = StaticSite(root)
    assert ask(site, "/a.txt", HTTP_HOST=None).status == 400
    assert ask(site, "/a.txt", HTTP_HOST="a b").status == 400
    assert ask(site, "/a.txt", HTTP_X="1\r\nrange: bytes=0-0").status == 400
    assert ask(site, "/" + "a" * 9000).status == 414
    assert ask(site, "/a.txt", HTTP_X="v" * 9000).status == 431
    assert ask(site, "/a.txt", "POST", CONTENT_LENGTH="3").status == 405


def test_the_scheme_is_that_of_the_request(root: Path) -> None:
    site = StaticSite(root, security_headers="strict")
    assert "strict-transport-security" not in ask(site, "/a.txt").fields
    assert "strict-transport-security" in ask(site, "/a.txt", **{"wsgi.url_scheme": "https"}).fields


def test_a_guard_and_observers(root: Path, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []

    def guard(client: str, request: Request) -> Response | None:
        fields = ((b"Location", b"/login"), (b"Content-Type", b"text/plain"))
        return Response(303, fields) if request.target.segments == (b"a.txt",) else None

    def observe(exchange: Exchange) -> None:
        seen.append((exchange.client, exchange.status, exchange.sent))

    site = StaticSite(root, guard=guard, observers=[observe])
    assert ask(site, "/static/a.txt", mount="/static").fields["location"] == "/static/login"
    ask(site, "/", REMOTE_ADDR="")
    ask(site, "/big.bin")
    ask(site, "/big.bin", **{"wsgi.file_wrapper": FileWrapper})
    assert seen == [("192.0.2.1", 303, 0), ("-", 200, 4), ("192.0.2.1", 200, BIG), ("192.0.2.1", 200, BIG)]
    users = tmp_path / "users"
    users.write_text("bob:$apr1$PwbPwbPw$rjpPRznd/rS1As3qMVjdz0\n")  # secret
    site = StaticSite(root, htpasswd=users)
    assert ask(site, "/a.txt").status == 401
    assert ask(site, "/a.txt", HTTP_AUTHORIZATION="Basic Ym9iOnNlY3JldA==").content == b"abc"


def test_rules_are_read_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = StaticSite(root)
    assert ask(site, "/old").status == 404
    (root / "_redirects").write_text("/old /sub/ 302\n")
    monkeypatch.setattr("pwb_async.wsgi.static_site.time.monotonic", lambda: 1e9)
    assert ask(site, "/static/old", mount="/static").fields["location"] == "/static/sub/"


@pytest.mark.parametrize("more", [{}, {"wsgi.file_wrapper": FileWrapper}], ids=["read", "wrapped"])
def test_a_file_that_becomes_shorter_d1(root: Path, more: dict[str, Any]) -> None:
    site = StaticSite(root)
    body = site(environ_of("/big.bin", **more), lambda status, headers: None)
    taken = [next(iter(body))]
    os.truncate(root / "big.bin", 1 << 20)
    with pytest.raises(TruncatedError):
        taken += body
    assert sum(map(len, taken)) < BIG
    close = getattr(body, "close")  # noqa: B009  # what a server does
    if more:
        with pytest.raises(TruncatedError):
            close()
    else:
        close()


def test_a_server_that_sends_from_the_kernel(root: Path) -> None:
    """As gunicorn does: from the position of the descriptor, as many bytes as Content-Length has."""
    wrapped: list[Any] = []

    def wrapper(file: Any, size: int) -> Any:
        wrapped.append(file)
        return file

    site = StaticSite(root)
    environ = environ_of("/big.bin", HTTP_RANGE="bytes=1000-", **{"wsgi.file_wrapper": wrapper})
    site(environ, lambda status, headers: None)
    [file] = wrapped
    assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == file.tell() == 1000
    assert os.read(file.fileno(), 10) == (root / "big.bin").read_bytes()[1000:1010]
    file.seek(2000)  # as socket.sendfile() does at its end
    assert file.tell() == 2000
    os.truncate(root / "big.bin", 5000)
    with pytest.raises(TruncatedError):
        file.close()


def test_wrong_options(root: Path, tmp_path: Path) -> None:
    with pytest.raises(StartupError):
        StaticSite(tmp_path / "none")
    with pytest.raises(ConfigError, match="argument port: it is left to the server"):
        StaticSite(root, port=80)
    with pytest.raises(ConfigError, match="argument cache: it has no meaning here"):
        StaticSite(root, cache="1M")

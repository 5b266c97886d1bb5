"""The ASGI application alone, called as a server calls it."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pwb_async import ConfigError, StartupError
from pwb_async.application.options import OF_THE_SERVER
from pwb_async.asgi import StaticSite
from pwb_async.asgi.types import Message, Scope
from pwb_async.config.options import DECLARATIONS
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.observability.exchange import Exchange as Observed
from pwb_async.storage.errors import TruncatedError
from tests.conformance.server import eventually

from .driver import HOST, Exchange, ask, scope_of, started
from .sample_site import BIG, make_site


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_site(tmp_path / "root")


@pytest.fixture(autouse=True)
def no_threads_are_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("pwb-")]
    for thread in left:
        thread.join(1)
    assert not any(thread.is_alive() for thread in left), left


async def test_files(root: Path) -> None:
    async with StaticSite(root) as site:
        for _ in range(3):  # from the disk, then from the cache
            found = await ask(site, "/a.txt")
            assert (found.status, found.content) == (200, b"abc")
            assert found.fields["content-type"] == "text/plain; charset=utf-8"
            assert found.fields["content-length"] == "3"
        assert (await ask(site, "/")).content == b"home"
        assert (await ask(site, "/a%20b.txt")).content == b"space"
        head = await ask(site, "/a.txt", method="HEAD")
        assert (head.status, head.fields["content-length"], head.content) == (200, "3", b"")
        tag = found.fields["etag"].encode()
        unchanged = await ask(site, "/a.txt", (b"if-none-match", tag))
        assert (unchanged.status, unchanged.content) == (304, b"")
        part = await ask(site, "/a.txt", (b"range", b"bytes=1-1"))
        assert (part.status, part.content) == (206, b"b")
        assert (await ask(site, "/none")).status == 404
        assert (await ask(site, "/a.txt", method="DELETE")).fields["allow"] == "GET, HEAD, OPTIONS"


async def test_a_large_file_is_sent_in_pieces(root: Path) -> None:
    content = (root / "big.bin").read_bytes()
    async with StaticSite(root) as site:
        exchange = Exchange()
        await site(scope_of("/big.bin"), exchange.receive, exchange.send)
        assert exchange.result().content == content
        assert max(map(len, exchange.bodies)) <= 256 * 1024
        ranges = await ask(site, "/big.bin", (b"range", b"bytes=0-9, 300000-900000"))
        assert ranges.status == 206
        assert content[:10] in ranges.content
        assert content[300000:900001] in ranges.content
        assert int(ranges.fields["content-length"]) == len(ranges.content)


MOUNTED = {
    "/static/a.txt": (200, None),
    "/static/": (200, None),
    "/static": (301, "/static/"),
    "/static?x=1": (301, "/static/?x=1"),
    "/static/sub": (301, "/static/sub/"),
    "/static/sub?x": (301, "/static/sub/?x"),
    "/st%61tic/sub": (301, "/static/sub/"),
    "/static/../a.txt": (400, None),
    "/static/%2e%2e/a.txt": (400, None),
    "/static/none": (404, None),
    "/statically": (404, None),
    # A proxy, or its server, has removed the path of the mount.
    "/a.txt": (200, None),
    "/sub": (301, "/static/sub/"),
}


@pytest.mark.parametrize("target", MOUNTED)
async def test_mounts(target: str, root: Path) -> None:
    async with StaticSite(root) as site:
        found = await ask(site, target, root_path="/static")
        assert (found.status, found.fields.get("location")) == MOUNTED[target]


async def test_further_mounts(root: Path) -> None:
    async with StaticSite(root) as site:
        assert (await ask(site, "/static", root_path="/static", method="POST")).status == 405
        assert (await ask(site, "/static", root_path="/static", method="OPTIONS")).status == 204
        deep = await ask(site, "/a%20b/c/sub", root_path="/a b/c")
        assert deep.fields["location"] == "/a%20b/c/sub/"
        assert (await ask(site, "/sub", root_path="/")).fields["location"] == "/sub/"
        assert (await ask(site, "/a.txt", raw_path=None)).content == b"abc"
        assert (await ask(site, "/a%20b.txt", raw_path=None)).content == b"space"
        assert (await ask(site, "/static/a%20b.txt", raw_path=None, root_path="/static")).content == b"space"
    async with StaticSite(root, relative_redirects=True) as site:
        assert (await ask(site, "/static/sub", root_path="/static")).fields["location"] == "./sub/"
        assert (await ask(site, "/a/static?x", root_path="/a/static")).fields["location"] == "./static/?x"
    async with StaticSite(root, prefix="/static/") as site:  # for frameworks that do not set root_path
        assert (await ask(site, "/static/a.txt")).content == b"abc"
        assert (await ask(site, "/static/sub")).fields["location"] == "/static/sub/"


async def test_what_a_careless_server_lets_through(root: Path) -> None:
    async with StaticSite(root) as site:
        assert (await ask(site, "/a%2Ftxt")).status == 404, "it is no slash"
        assert (await ask(site, "/a.txt", host=())).status == 400
        assert (await ask(site, "/a.txt", host=(HOST, HOST))).status == 400
        assert (await ask(site, "/a.txt", host=(), http_version="1.0")).status == 200
        assert (await ask(site, "/a.txt", host=(), http_version="1")).status == 200
        assert (await ask(site, "/a.txt", http_version="2")).status == 200
        assert (await ask(site, "/a.txt", (b"x", b"1\r\nrange: bytes=0-0"))).status == 400
        assert (await ask(site, "/a%zz")).status == 400
        assert (await ask(site, "/" + "a" * 9000)).status == 414
        assert (await ask(site, "/a.txt", (b"x", b"v" * 9000))).status == 431
        assert (await ask(site, "/a.txt", (b"content-length", b"1"), (b"transfer-encoding", b"chunked"))).status == 400
        assert (await ask(site, "/a.txt", method="Ü")).status == 400
        assert (await ask(site, "/a.txt", headers=[[b"host", b"h"]])).status == 200, "lists instead of tuples"
        assert (await ask(site, "/a.txt", method="POST")).status == 405, "it is still there"


async def test_the_scheme_is_that_of_the_request(root: Path) -> None:
    async with StaticSite(root, security_headers="strict") as site:
        for _ in range(2):
            assert "strict-transport-security" not in (await ask(site, "/a.txt")).fields
            assert "strict-transport-security" in (await ask(site, "/a.txt", scheme="https")).fields


async def test_headers_belong_to_the_receiver(root: Path) -> None:
    """Middleware of Starlette changes the list of a message."""
    async with StaticSite(root) as site:
        for _ in range(3):
            exchange = Exchange()
            await site(scope_of("/a.txt"), exchange.receive, exchange.send)
            headers = exchange.sent[0]["headers"]
            assert (b"x-added", b"1") not in headers
            headers.append((b"x-added", b"1"))
            exchange.sent[1]["body"] = b""


async def test_a_guard_and_observers(root: Path) -> None:
    seen: list[tuple[str, int, int]] = []

    leads_to = {(b"a.txt",): b"/login", (b"b",): b"//other/", (b"c",): b"https://other/"}

    def guard(client: str, request: Request) -> Response | None:
        location = leads_to.get(request.target.segments)
        return None if location is None else Response(303, ((b"location", location),))

    def observe(exchange: Observed) -> None:
        seen.append((exchange.client, exchange.status, exchange.sent))

    async with StaticSite(root, guard=guard, observers=[observe]) as site:
        found = await ask(site, "/static/a.txt", root_path="/static")
        assert (found.status, found.fields["location"]) == (303, "/static/login")
        for target, location in (("/b", "//other/"), ("/c", "https://other/")):
            assert (await ask(site, target, root_path="/static")).fields["location"] == location
        del seen[1:]
        await ask(site, "/", client=None)
        await ask(site, "/", client=["192.0.2.9", 1])
        await ask(site, "/big.bin")
        await ask(site, "/", host=())
    assert seen == [
        ("192.0.2.1", 303, 0),
        ("-", 200, 4),
        ("192.0.2.9", 200, 4),
        ("192.0.2.1", 200, BIG),
        ("192.0.2.1", 400, seen[-1][2]),
    ]


async def test_passwords_are_checked_in_a_thread(root: Path, tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("bob:$apr1$PwbPwbPw$rjpPRznd/rS1As3qMVjdz0\n")  # secret
    async with StaticSite(root, htpasswd=users) as site:
        refused = await ask(site, "/a.txt")
        assert (refused.status, "www-authenticate" in refused.fields) == (401, True)
        for _ in range(2):
            assert (await ask(site, "/a.txt", (b"authorization", b"Basic Ym9iOnNlY3JldA=="))).content == b"abc"


async def test_rules_are_read_again(root: Path) -> None:
    async with StaticSite(root, cache_ttl="50ms") as site:
        assert (await ask(site, "/old")).status == 404
        (root / "_redirects").write_text("/old /sub/ 302\n")
        found = []

        async def redirected() -> None:
            while not found:
                answer = await ask(site, "/static/old", root_path="/static")
                if answer.status == 302:
                    found.append(answer.fields["location"])
                await asyncio.sleep(0.01)

        await asyncio.wait_for(redirected(), 10)
        assert found == ["/static/sub/"]


async def test_files_are_revalidated(root: Path) -> None:
    async with StaticSite(root, cache_ttl="50ms") as site:
        assert (await ask(site, "/a.txt")).content == b"abc"
        (root / "new").write_bytes(b"changed")
        (root / "new").rename(root / "a.txt")
        async with asyncio.timeout(10):
            while (await ask(site, "/a.txt")).content != b"changed":
                await asyncio.sleep(0.01)


class Slow(Exchange):
    """A client that reads nothing until `room` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.room.clear()


async def test_a_slow_client_holds_one_piece(root: Path) -> None:
    async with StaticSite(root) as site:
        exchange = Slow()
        task = asyncio.create_task(site(scope_of("/big.bin"), exchange.receive, exchange.send))
        await eventually(lambda: len(exchange.sent) == 1, 5)
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(exchange.sent) == 1, "it waits for send()"
        exchange.room.set()
        await task
        assert len(exchange.result().content) == BIG


async def test_nothing_more_is_read_when_the_client_has_left(root: Path) -> None:
    seen: list[Observed] = []
    before = len(os.listdir("/proc/self/fd"))
    async with StaticSite(root, cache="off", observers=[seen.append]) as site:
        exchange = Exchange()

        async def send(message: Message) -> None:
            await exchange.send(message)
            exchange.left.set()

        await site(scope_of("/big.bin"), exchange.receive, send)
        sent = sum(map(len, exchange.bodies))
        assert not exchange.is_complete
        assert sent < BIG
        assert [each.sent for each in seen] == [sent]
    assert len(os.listdir("/proc/self/fd")) == before


async def test_a_server_that_reports_a_lost_client_by_an_error(root: Path) -> None:
    async with StaticSite(root) as site:
        for target, whole in (("/a.txt", 2), ("/big.bin", 3)):
            sent = []

            async def send(message: Message, sent: list[Message] = sent, whole: int = whole) -> None:
                sent.append(message)
                if len(sent) == whole:
                    raise OSError("the client has left")

            await site(scope_of(target), Exchange().receive, send)
            assert len(sent) == whole


async def test_a_server_that_fails_while_it_is_asked(root: Path) -> None:
    async def receive() -> Message:
        raise RuntimeError("the server ends")

    async with StaticSite(root) as site:
        exchange = Exchange()
        await site(scope_of("/big.bin"), receive, exchange.send)
        assert not exchange.is_complete


async def test_a_file_that_becomes_shorter_d1(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with StaticSite(root) as site:
        exchange = Exchange()

        async def send(message: Message) -> None:
            await exchange.send(message)
            if len(exchange.bodies) == 1:
                os.truncate(root / "big.bin", 300 * 1024)

        with pytest.raises(TruncatedError):
            await site(scope_of("/big.bin"), exchange.receive, send)
        assert not exchange.is_complete
        assert sum(map(len, exchange.bodies)) <= 300 * 1024
        assert "content cut short" in caplog.text
        assert (await ask(site, "/a.txt")).content == b"abc"


async def test_a_request_that_is_cancelled_disturbs_no_other(root: Path) -> None:
    async with StaticSite(root, delay_disk=["100ms"]) as site:
        first, second = Exchange(), Exchange()
        tasks = [asyncio.create_task(site(scope_of("/a.txt"), each.receive, each.send)) for each in (first, second)]
        await asyncio.sleep(0.02)  # the disk is asked, for both together
        tasks[0].cancel()
        with suppress(asyncio.CancelledError):
            await tasks[0]
        await tasks[1]
        assert first.sent == []
        assert second.result().content == b"abc"


async def test_lifespan(root: Path) -> None:
    site = StaticSite(root)
    tasks = asyncio.all_tasks()
    for _ in range(2):
        async with started(site):
            assert (await ask(site, "/a.txt")).content == b"abc"
        assert not any(thread.name.startswith("pwb-") for thread in threading.enumerate())
        assert asyncio.all_tasks() == tasks
        assert (await ask(site, "/a.txt")).content == b"abc", "a request may come without it"
        await site.close()
    async with site.lifespan(None) as state:
        assert state is None
        assert (await ask(site, "/a.txt")).content == b"abc"
    assert asyncio.all_tasks() == tasks


async def test_a_start_that_fails(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    site = StaticSite(root)
    monkeypatch.setattr(threading.Thread, "start", fail)
    exchange = Exchange()
    await site({"type": "lifespan"}, exchange.receive, exchange.send)
    message = "cannot start a thread: can't start new thread"
    assert exchange.sent == [{"type": "lifespan.startup.failed", "message": message}]


async def test_a_limit_on_requests(root: Path) -> None:
    async with StaticSite(root, max_request_rate="2/h") as site:
        found = [await ask(site, "/a.txt") for _ in range(3)]
        assert [each.status for each in found] == [200, 200, 429]
        assert found[2].fields["retry-after"] == "1800"


async def test_what_is_no_request(root: Path) -> None:
    async with StaticSite(root) as site:
        exchange = Exchange()
        await site({"type": "websocket", "path": "/"}, exchange.receive, exchange.send)
        assert exchange.sent == [{"type": "websocket.close"}]
        with pytest.raises(ValueError, match="carrier-pigeon"):
            await site({"type": "carrier-pigeon"}, exchange.receive, exchange.send)


def test_several_loops(root: Path) -> None:
    """One after another, as in the tests of an application, and two at once, as with servers in threads."""
    site = StaticSite(root)

    async def run(close: bool) -> bytes:
        content = (await ask(site, "/a.txt")).content
        if close:
            await site.close()
        return content

    for _ in range(3):
        assert asyncio.run(run(False)) == b"abc"
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(asyncio.run(run(True)))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [b"abc", b"abc"]
    assert asyncio.run(run(True)) == b"abc"


def test_a_directory_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="cannot serve"):
        StaticSite(tmp_path / "none")


@pytest.mark.parametrize("name", sorted(OF_THE_SERVER))
def test_options_of_the_server(name: str, root: Path) -> None:
    options: dict[str, Any] = {name: "1"}
    with pytest.raises(ConfigError, match=f"argument {name}: it is left to the server"):
        StaticSite(root, **options)


OF_THE_SITE = {
    "root", "prefix", "mount", "strict_hosts", "index", "dotfiles", "error_pages", "spa", "clean_urls", "etag", "max_age",
    "immutable", "relative_redirects", "type", "charset", "serve_encoded", "precompressed", "compress", "browse",
    "listing_template", "zip_downloads", "site_rules", "header", "cors", "security_headers", "cross_origin_isolated",
    "explain_fields", "htpasswd", "allow", "deny", "allowed_host", "maintenance", "trusted_proxy", "cache", "cache_ttl",
    "sendfile", "disk_timeout", "store_ttl", "stale_if_error", "store_cache", "store_cache_size", "max_request_line", "max_field", "max_fields", "max_head", "max_ranges", "mode", "trigger",
    "delay_disk", "max_request_rate", "request_burst", "limit_exempt", "limit_dry_run", "limit_ipv6_prefix",
}  # fmt: skip
"""The options that an application may have; a new option belongs here or to those of the server."""


def test_every_option_is_of_the_site_or_of_the_server() -> None:
    assert DECLARATIONS.keys() - OF_THE_SERVER == OF_THE_SITE


def test_wrong_options(root: Path) -> None:
    wrong: dict[str, Any] = {"max_ages": 1}
    with pytest.raises(TypeError, match="max_age"):
        StaticSite(root, **wrong)
    with pytest.raises(ConfigError, match="argument sendfile: it has no meaning here"):
        StaticSite(root, sendfile=False)
    with pytest.raises(ConfigError, match="argument max_age"):
        StaticSite(root, max_age="soon")


async def test_a_file_of_options_that_the_command_has_too(root: Path, tmp_path: Path) -> None:
    config = tmp_path / "pwb.toml"
    config.write_text(
        'port = 1\nworkers = 4\nuser = "nobody"\naccess-log = "/none/log"\ntls-self-signed = true\nmax-age = 5\n'
    )
    async with StaticSite(root, config=config, security_headers="strict") as site:
        found = await ask(site, "/a.txt")
        assert found.fields["cache-control"] == "max-age=5"
        assert "strict-transport-security" not in found.fields


PROBE = """
import sys
import pwb_async.{kind}
print(*(name for name in sys.modules if name in {names}))
"""
NOT_NEEDED = {
    "asgi": (
        "uvloop", "pwb_async.server.server", "pwb_async.server.http_protocol", "pwb_async.server.state",
        "pwb_async.network.admission", "pwb_async.core.http2", "pwb_async.workers", "pwb_async.embedding.server", "starlette",
    ),
    "wsgi": ("asyncio", "ssl", "uvloop", "aiofiles", "pwb_async.server", "pwb_async.workers", "pwb_async.asgi"),
}  # fmt: skip


@pytest.mark.parametrize("kind", NOT_NEEDED)
def test_it_imports_no_server(kind: str) -> None:
    code = PROBE.format(kind=kind, names=NOT_NEEDED[kind])
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20)
    assert found.stdout.split() == []


async def test_a_scope_is_not_changed(root: Path) -> None:
    async with StaticSite(root) as site:
        scope: Scope = scope_of("/static/a.txt", root_path="/static")
        before = {**scope, "headers": [*scope["headers"]]}
        exchange = Exchange()
        await site(scope, exchange.receive, exchange.send)
        assert scope == before

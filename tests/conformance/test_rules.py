"""Rules on every design: redirects, rewrites and fields, their options, and what happens when their files change."""

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pwb_legacy.compare.checks.rows import Row

from .designs import REFERENCE, Design
from .peer import TIMEOUT, Peer, send_request
from .rows import rules
from .server import Server, Start, command, environment, eventually, running
from .test_rows import check_row
from .wire import get

WARNINGS = r"_redirects line \d+: |_headers line \d+: "


def build(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
        os.utime(root / name, (1_600_000_000, 1_600_000_000))
    return root


@pytest.fixture(scope="session")
def ruled_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("ruled"), rules.FILES)


@pytest.fixture(scope="session")
async def ruled_server(
    design: Design, ruled_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    log_dir = tmp_path_factory.mktemp("ruled-" + design.name)
    async with running(design, ruled_root, log_dir=log_dir, allowed_errors=WARNINGS) as server:
        yield server


@pytest.fixture(scope="session")
async def ruled_reference(ruled_root: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    log_dir = tmp_path_factory.mktemp("ruled-reference")
    async with running(REFERENCE, ruled_root, log_dir=log_dir, allowed_errors=WARNINGS) as server:
        yield server


@pytest.mark.parametrize("row", rules.ROWS, ids=lambda row: row.id)
async def test_rule(row: Row, ruled_server: Server, ruled_reference: Server) -> None:
    await check_row(row, ruled_server, ruled_reference)


async def test_each_cookie_is_a_field_line_of_its_own(ruled_server: Server) -> None:
    async with Peer(ruled_server.address) as peer:
        await peer.send(get("/cookies", "Connection: close"))
        head = (await peer.read_to_end()).partition(b"\r\n\r\n")[0]
    assert re.findall(rb"(?m)^Set-Cookie: (.*)\r$", head + b"\r") == [b"a=1", b"b=2"]


async def test_options_for_all_responses(start: Start, ruled_root: Path) -> None:
    options = (
        *("--no-site-rules", "--header", "X-A: 1", "--header", "Cache-Control: no-store", "--header", "Vary: Accept"),
        *("--cors", "https://A.example:443", "--cors", "http://b.example:81", "--security-headers", "strict"),
    )
    async with start(*options, root=ruled_root) as server:
        for origin, allowed in (
            ("https://a.example", "https://a.example"),
            ("http://b.example:81", "http://b.example:81"),
            ("https://c.example", None),
            ("null", None),
        ):
            for target, status in (("/a.txt", 200), ("/a.txt", 200), ("/folder", 301), ("/old", 404)):
                response = await send_request(server.address, get(target, f"Origin: {origin}"))
                assert (response.status, response["Access-Control-Allow-Origin"]) == (status, allowed)
                assert response["X-A"] == "1"
                assert (response["Vary"] or "").removeprefix("Accept-Encoding, ") == (
                    "Accept, Origin" if status == 404 else "Origin, Accept"
                )
                assert (response["Cache-Control"] == "no-store") is (status < 400)
        page = await send_request(server.address, get("/folder/"))
        assert (page["Content-Security-Policy"] or "").startswith("default-src 'self'")
        assert page["Strict-Transport-Security"] is None
        error = await send_request(server.address, get("/nope"))
        assert "style-src 'unsafe-inline'" in (error["Content-Security-Policy"] or "")
        assert (await send_request(server.address, b"?\r\n\r\n"))["X-A"] == "1"
        for target in ("/_headers", "/_redirects"):
            assert (await send_request(server.address, get(target))).status == 404, "not even then"


async def test_preflight_and_isolation(start: Start, ruled_root: Path) -> None:
    preflight = ("Origin: https://x", "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: range")
    async with start("--cors", "*", "--cross-origin-isolated", root=ruled_root, allowed_errors=WARNINGS) as server:
        response = await send_request(server.address, get("/any", *preflight, method="OPTIONS"))
        assert (response.status, response["Access-Control-Allow-Origin"], response["Vary"]) == (204, "*", None)
        assert response["Access-Control-Allow-Methods"] == "GET, HEAD"
        assert response["Access-Control-Allow-Headers"] == "range"
        assert response["Access-Control-Max-Age"] == "86400"
        response = await send_request(server.address, get("/any", "Origin: https://x", method="OPTIONS"))
        assert response["Access-Control-Allow-Methods"] is None
        page = await send_request(server.address, get("/app/x"))
        assert page["Cross-Origin-Opener-Policy"] == "same-origin"
        assert page["Cross-Origin-Embedder-Policy"] == "require-corp"
        assert page["Cross-Origin-Resource-Policy"] == "cross-origin"


async def test_tables_in_toml_come_before_the_files(start: Start, tmp_path: Path) -> None:
    (tmp_path / "pwb.toml").write_text(
        """
        header = ["X-All: option", "X-Option: 1"]
        [[redirects]]
        from = "/old"
        to = "/by-toml"
        status = 308
        [[rewrites]]
        from = "/old/*"
        to = "/a.txt"
        [[headers]]
        for = "/*"
        set = { X-All = "toml", X-Toml = "1" }
        """
    )
    files = {"_redirects": b"/old /by-file 301\n", "_headers": b"/x/*\nX-All: file\n", "a.txt": b"a", "x/a": b"a"}
    root = build(tmp_path / "root", files)
    async with start(root=root, allowed_errors="_redirects line 1: it is never reached, see pwb.toml line 3") as server:
        response = await send_request(server.address, get("/old"))
        assert (response.status, response["Location"], response["X-All"]) == (308, "/by-toml", "toml")
        assert (await send_request(server.address, get("/old/x"))).content == b"a"
        response = await send_request(server.address, get("/x/a"))
        assert [response[name] for name in ("X-All", "X-Toml", "X-Option")] == ["file", "1", "1"]


async def test_a_change_is_seen_without_a_signal_and_a_mistake_keeps_the_rules(start: Start, tmp_path: Path) -> None:
    root = build(tmp_path / "root", {"_redirects": b"/a /1 302!\n", "a": b"a", "b": b"b"})
    errors = r"rules read again|the rules stay as they were: .*_redirects line 1: "
    async with start(root=root, allowed_errors=errors) as server:

        async def leads(target: str) -> str | None:
            return (await send_request(server.address, get(target, "Connection: close")))["Location"]

        async def until(target: str, location: str | None) -> None:
            async with asyncio.timeout(10):
                while await leads(target) != location:
                    await asyncio.sleep(0.05)

        assert (await leads("/a"), await leads("/b")) == ("/1", None)
        (root / "_redirects").write_bytes(b"/b /2 302!\n")  # of the same length
        await until("/b", "/2")
        assert await leads("/a") is None
        (root / "_redirects").write_bytes(b"/b 2 302!\n")

        def mistakes() -> int:
            return server.error_output().count("the rules stay as they were")

        async with asyncio.timeout(10):
            while not mistakes():
                assert await leads("/b") == "/2"
                await asyncio.sleep(0.05)
        for _ in range(10):
            assert await leads("/b") == "/2"
            await asyncio.sleep(0.02)
        assert mistakes() == 1, "once for each version"
        (root / "_redirects").unlink()
        await until("/b", None)
        (root / "_headers").write_bytes(b"/b\nX-A: 1\n")
        async with asyncio.timeout(10):
            while (await send_request(server.address, get("/b")))["X-A"] != "1":
                await asyncio.sleep(0.05)


async def test_the_connections_of_before_get_the_new_rules(start: Start, tmp_path: Path) -> None:
    """Also if responses now depend on the host, which is part of the keys of the cache."""
    root = build(tmp_path / "root", {"a": b"a"})
    async with start(root=root, allowed_errors="rules read again") as server:
        if not server.design.keeps_alive:
            return
        async with Peer(server.address) as peer:

            async def ask(host: str) -> str | None:
                await peer.send(get("/a").replace(b"Host: h", b"Host: " + host.encode()))
                response = await peer.read_response()
                assert (response.status, response.content) == (200, b"a")
                return response["X-Host"]

            assert (await ask("one"), await ask("two")) == (None, None)
            (root / "_headers").write_bytes(b"http://one/*\nX-Host: one\nhttp://two/*\nX-Host: two\n")
            async with asyncio.timeout(10):
                while await ask("one") is None:
                    await asyncio.sleep(0.05)
            for _ in range(2):
                assert [await ask(host) for host in ("one", "two", "three")] == ["one", "two", None]


@pytest.mark.parametrize(
    ("rule", "hosts", "target"),
    [
        pytest.param(b"/* https://www.example/:splat 301!", ("www.example", "example"), "/a", id="host"),
        pytest.param(b"/* https://www.example:81/:splat 301!", ("www.example:81", "www.example"), "/a", id="port"),
        pytest.param(b"/* https://www.example/:splat 301", ("www.example", "example"), "/none", id="not-forced"),
    ],
)
async def test_a_response_at_the_destination_is_not_that_of_another_host(
    start: Start, tmp_path: Path, rule: bytes, hosts: tuple[str, str], target: str
) -> None:
    """The destination's host gets the file, whatever was requested before, and every other host the redirect."""
    root = build(tmp_path / "root", {"_redirects": rule, "a": b"a", "404.html": b"none"})
    async with start(root=root, allowed_errors=WARNINGS) as server:
        for host in hosts * 2:
            request = get(target).replace(b"Host: h", b"Host: " + host.encode())
            response = await send_request(server.address, request)
            redirected = host == hosts[1]
            assert (response.status == 301) is redirected, (host, response.status)


async def test_a_response_at_the_destination_is_not_that_of_another_query(start: Start, tmp_path: Path) -> None:
    root = build(tmp_path / "root", {"_redirects": b"/* /a?x=1 302!", "a": b"a"})
    async with start(root=root, allowed_errors=WARNINGS) as server:
        for target, status in (("/a?x=1", 200), ("/a", 302)) * 2:
            assert (await send_request(server.address, get(target))).status == status, target


async def test_the_connections_of_before_get_the_keys_of_listings(start: Start, tmp_path: Path) -> None:
    """Also if a reload has switched on --browse, with which responses depend on the query."""
    root = build(tmp_path / "root", {"a": b"a"})
    (tmp_path / "pwb.toml").write_text("")
    async with start(root=root, allowed_errors="reloaded") as server:
        if server.design.program != "pwb" or server.design.name.endswith("fixed"):
            return
        async with Peer(server.address) as peer:
            await peer.send(get("/a"))
            assert (await peer.read_response()).content == b"a"
            (tmp_path / "pwb.toml").write_text("browse = true\n")
            server.signal(signal.SIGHUP)
            await eventually(lambda: "pwb: reloaded" in server.error_output(), TIMEOUT)
            for target, kind in (("/?format=json", "application/json"), ("/", "text/html; charset=utf-8")) * 2:
                await peer.send(get(target))
                assert (await peer.read_response())["Content-Type"] == kind, target


MISTAKES = {
    "_redirects": (b"/a /b\n\n/old\n", "_redirects line 3: it has no destination."),
    "_headers": (b"X-A: 1\n", "_headers line 1: there is no path before it."),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_ends_the_start_with_one_line_and_status_2(design: Design, tmp_path: Path, name: str) -> None:
    content, line = MISTAKES[name]
    root = build(tmp_path / "root", {name: content})
    for more in ((), ("--no-site-rules", "--header", "Date: x")):
        done = subprocess.run(
            command(design, root, "--port", "0", *more),
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            timeout=20,
            check=False,
        )
        found = done.stderr.decode().splitlines()
        expected = line if not more else "--header: Date cannot be set: PWB sets it itself."
        assert (done.returncode, len(found), done.stdout) == (2, 1, b"")
        assert found[0].startswith(f"{design.program}: ")
        assert found[0].endswith(expected)

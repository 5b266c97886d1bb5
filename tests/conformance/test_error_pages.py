"""Error pages of a site that changes, and of files that must not be read, on every design."""

import asyncio
import os
from pathlib import Path

from .peer import Peer, send_request
from .rows.access import USERS, authorization
from .server import Start
from .test_files import UNPRIVILEGED
from .wire import get

PAGES = (
    "<!DOCTYPE html>\n<title>404 file not found: one</title>\n",
    "<!DOCTYPE html>\n<title>404 file not found</title>\n2\n",
)
TITLES = {401: "Unauthorized", 403: "Forbidden"}


async def test_a_page_and_what_it_stands_for_are_seen_when_they_change(start: Start, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    async with start(root=root) as server:

        async def until(target: str, status: int, content: str | None) -> None:
            async with asyncio.timeout(10):
                while True:
                    response = await send_request(server.address, get(target, "Connection: close"))
                    if (response.status, content) in ((status, None), (status, response.content.decode())):
                        return
                    await asyncio.sleep(0.02)

        await until("/sub/x", 404, None)
        (root / "404.html").write_text(PAGES[0])
        await until("/sub/x", 404, PAGES[0])
        (root / "sub/404.html").write_text(PAGES[1])
        await until("/sub/x", 404, PAGES[1])
        await until("/x", 404, PAGES[0])
        (root / "404.html").write_text(PAGES[1])
        await until("/x", 404, PAGES[1])
        (root / "x").write_text("a file now")
        await until("/x", 200, "a file now")
        (root / "sub/x").mkdir()
        await until("/sub/x", 301, None)
        (root / "sub/404.html").unlink()
        await until("/sub/x/", 404, PAGES[1])
        (root / "404.html").unlink()
        (root / "x").unlink()
        for target in ("/x", "/sub/x/", "/.env"):
            async with asyncio.timeout(10):
                while b"<main>" not in (await send_request(server.address, get(target))).content:
                    await asyncio.sleep(0.02)


async def test_a_page_is_sent_to_many_at_once(start: Start, tmp_path: Path) -> None:
    """A large page of which several responses have a part, for a missing name and as it was asked for."""
    root = tmp_path / "root"
    root.mkdir()
    content = PAGES[0].encode() + bytes(300_000)
    (root / "404.html").write_bytes(content)
    async with start(root=root) as server:

        async def ask(target: str, status: int) -> None:
            async with Peer(server.address) as peer:
                await peer.send(get(target, "Connection: close"))
                response = await peer.read_response()
                assert (response.status, response.content) == (status, content)

        async with asyncio.TaskGroup() as group:
            for number in range(30):
                group.create_task(ask(f"/nope/{number % 3}", 404) if number % 2 else ask("/404.html", 200))


async def test_403_page_c6(start: Start, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    for name, content in (("403.html", PAGES[0]), ("sub/x", "secret"), ("404.html", PAGES[1])):
        (root / name).write_text(content)
    (root / "sub/x").chmod(0)
    async with start(root=root, wrapper=UNPRIVILEGED if os.geteuid() == 0 else ()) as server:
        for fields in ((), (), ("If-None-Match: *",), ("Range: bytes=0-0",)):
            response = await send_request(server.address, get("/sub/x", *fields))
            assert (response.status, response.content.decode()) == (403, PAGES[0])
            assert (response["ETag"], response["Cache-Control"], response["Vary"]) == (None, "no-cache", "Accept")
        response = await send_request(server.address, get("/sub/x", "Accept: application/json"))
        assert (response.status, response["Content-Type"]) == (403, "application/problem+json")
        (root / "404.html").chmod(0)
        assert b"<main>" in (await send_request(server.address, get("/sub/y"))).content, "a page that cannot be read"


async def test_a_page_behind_an_access_rule_is_not_sent_elsewhere(start: Start, tmp_path: Path) -> None:
    """A rule for a page itself, not for the directory whose errors it is for; so with the page of --spa."""
    root = tmp_path / "root"
    (root / "open").mkdir(parents=True)
    for name in ("404.html", "open/404.html", "index.html", "secret.html", "free.html"):
        (root / name).write_text(PAGES[0] + name)
    (tmp_path / "pwb.toml").write_text(
        '[[access]]\nfor = "/open/404.html"\ndeny = ["0.0.0.0/0"]\n'
        '[[access]]\nfor = "/index.html"\ndeny = ["0.0.0.0/0"]\n'
        '[[access]]\nfor = "/secret.html"\ndeny = ["0.0.0.0/0"]\n'
    )
    async with start("--spa", "--clean-urls", root=root) as server:
        for _ in range(2):
            for target, fields, status in (
                ("/open/x", (), 404),
                ("/x", (), 404),
                ("/open/404.html", (), 403),
                ("/x", ("Accept: text/html",), 403),
                ("/", (), 403),
                ("/secret", (), 403),
                ("/secret/", (), 403),
                ("/secret.html", (), 403),
                ("/free", (), 200),
                ("/free/", (), 301),
            ):
                response = await send_request(server.address, get(target, *fields))
                assert response.status == status, target
                page = "404.html" if target == "/x" and status == 404 else "free.html" if status == 200 else None
                assert response.content.decode().endswith(page or "</html>\n"), target


async def test_pages_of_what_access_refuses(start: Start, tmp_path: Path) -> None:
    """401.html and 403.html of the root, the same for a file, a directory and nothing, also behind a rewrite."""
    pages = {status: f"<!DOCTYPE html>\n<title>{status} {words}</title>\n" for status, words in TITLES.items()}
    root = tmp_path / "root"
    (root / "shut/deep").mkdir(parents=True)
    (root / "staff").mkdir()
    for name, content in (
        ("401.html", pages[401]),
        ("403.html", pages[403]),
        ("shut/a", "a"),
        ("shut/deep/403.html", PAGES[0]),
        ("staff/401.html", PAGES[0]),
    ):
        (root / name).write_text(content)
    (tmp_path / "users").write_text(USERS)
    (tmp_path / "pwb.toml").write_text(
        'allowed-host = ["h"]\n'
        '[[access]]\nfor = "/shut"\ndeny = ["0.0.0.0/0"]\n'
        '[[access]]\nfor = "/staff"\nhtpasswd = "users"\n'
        '[[rewrites]]\nfrom = "/way/*"\nto = "/shut/:splat"\n'
    )
    async with start(root=root) as server:
        for target, status in (
            *((target, 403) for target in ("/shut/a", "/shut/nope", "/shut/", "/shut/deep/", "/way/a", "/way/nope")),
            *((target, 401) for target in ("/staff/x", "/staff/", "/staff/401.html")),
        ):
            response = await send_request(server.address, get(target))
            assert (response.status, response.content.decode()) == (status, pages[status]), target
            assert (response["Cache-Control"], response["Vary"]) == (
                "no-cache" if status == 403 else "private, no-cache",
                "Accept",
            )
            assert response["Content-Type"] == "text/html; charset=utf-8"
            assert (response["WWW-Authenticate"] is None) is (status == 403)
        head = await send_request(server.address, get("/shut/a", method="HEAD"))
        assert (head.status, head.content, head["Content-Length"]) == (403, b"", str(len(pages[403])))
        wrong = await send_request(server.address, get("/staff/x", authorization("bob", "wrong")))
        assert (wrong.status, wrong.content.decode()) == (401, pages[401])
        json = await send_request(server.address, get("/shut/a", "Accept: application/json"))
        assert (json.status, json["Content-Type"]) == (403, "application/problem+json")
        strange = await send_request(server.address, get("/shut/a").replace(b"Host: h", b"Host: evil.example"))
        assert strange.status == 403
        assert b"<main>" in strange.content, "a page of a stranger gets none of the site"
        (root / "403.html").unlink()
        async with asyncio.timeout(10):
            while b"<main>" not in (await send_request(server.address, get("/shut/a"))).content:
                await asyncio.sleep(0.05)


async def test_a_page_of_access_that_is_not_for_everyone(start: Start, tmp_path: Path) -> None:
    """A page that a rule of its own protects is not sent; nor is one with --no-error-pages."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "403.html").write_text(PAGES[0])
    (tmp_path / "pwb.toml").write_text(
        '[[access]]\nfor = "/shut"\ndeny = ["0.0.0.0/0"]\n[[access]]\nfor = "/403.html"\ndeny = ["0.0.0.0/0"]\n'
    )
    async with start(root=root) as server:
        for target in ("/shut/a", "/403.html"):
            response = await send_request(server.address, get(target))
            assert (response.status, b"<main>" in response.content) == (403, target == "/shut/a")
    (tmp_path / "pwb.toml").write_text('error-pages = false\n[[access]]\nfor = "/shut"\ndeny = ["0.0.0.0/0"]\n')
    async with start(root=root) as server:
        assert b"<main>" in (await send_request(server.address, get("/shut/a"))).content

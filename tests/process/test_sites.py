"""Several roots and sites in a process with fewer rights, after a reload, and while their rules and releases change."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.conformance.designs import Design
from tests.conformance.peer import TIMEOUT, send_request
from tests.conformance.rows import access
from tests.conformance.rows.access import BOB
from tests.conformance.server import Server, Start, running
from tests.conformance.wire import Response, get

from .command import launched
from .helpers import fetch_fresh
from .test_privileges import as_root, needs_landlock
from .test_reload import RELOAD_MESSAGES, Write, process_models, reload, write

__all__ = ["write"]  # a fixture
CONFIG = """
mount = ["/docs/=docs"]
[[sites]]
hosts = ["a.example"]
root = "a"
mount = ["/deep/er/=deeper"]
"""


def build(folder: Path) -> Path:
    for name in ("root", "docs", "a", "deeper"):
        (folder / name).mkdir()
        (folder / name / "f").write_text(name)
    (folder / "pwb.toml").write_text(CONFIG)
    return folder / "root"


async def ask(server: Server, target: str, host: str = "h", *fields: str) -> Response:
    request = get(target, "Connection: close", *fields).replace(b"Host: h\r\n", f"Host: {host}\r\n".encode())
    return await send_request(server.address, request)


async def all_roots(server: Server) -> list[bytes]:
    asked = [("/f", "h"), ("/docs/f", "h"), ("/f", "a.example"), ("/deep/er/f", "a.example")]
    return [(await ask(server, target, host)).content for target, host in asked]


EXPECTED = [b"root", b"docs", b"a", b"deeper"]


@needs_landlock
async def test_the_sandbox_lets_every_root_be_read(design: Design, tmp_path: Path) -> None:
    root = build(tmp_path)
    (tmp_path / "log").mkdir()
    async with running(
        design, root, "--sandbox", log_dir=tmp_path / "log", folder=tmp_path, allowed_errors="rules read again"
    ) as server:
        assert await all_roots(server) == EXPECTED
        digest = await ask(server, "/docs/f", "h", "Want-Repr-Digest: sha-256=1")
        assert (digest["Repr-Digest"] or "").startswith("sha-256=:")
        assert (await ask(server, "/f", "[0::1]")).content == b"root"
        for folder in ("docs", "deeper"):
            (tmp_path / folder / "_headers").write_text("/*\nX-A: 1\n")
        async with asyncio.timeout(TIMEOUT):
            while (await ask(server, "/docs/f"))["X-A"] is None:
                await asyncio.sleep(0.05)
            while (await ask(server, "/deep/er/f", "a.example"))["X-A"] is None:
                await asyncio.sleep(0.05)
        assert (await ask(server, "/f"))["X-A"] is None


@as_root
@pytest.mark.parametrize("name", ["root", "docs", "a", "deeper"])
async def test_a_root_that_the_user_may_not_enter_ends_the_start(name: str, tmp_path: Path) -> None:
    build(tmp_path)
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if folder.stat().st_uid == os.getuid() and str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    (tmp_path / name).chmod(0o700)
    async with launched("root", "--port", "0", "--user", "nobody", folder=tmp_path, status=1) as server:
        assert await server.exited() == 1
    lines = server.error_output().splitlines()
    assert f"pwb: cannot serve {name} with fewer rights: Permission denied" in lines, lines


async def test_releases_are_switched_by_renaming_in_every_root(design: Design, tmp_path: Path) -> None:
    root = build(tmp_path)
    (tmp_path / "log").mkdir()
    options = ("--cache-ttl", "0.05") if design.program == "pwb" else ()
    async with running(design, root, *options, log_dir=tmp_path / "log", folder=tmp_path) as server:
        assert await all_roots(server) == EXPECTED
        for name in ("root", "docs", "a", "deeper"):
            (tmp_path / f"{name}.new").mkdir()
            (tmp_path / f"{name}.new" / "f").write_text(f"{name} 2")
            (tmp_path / name).rename(tmp_path / f"{name}.old")
            (tmp_path / f"{name}.new").rename(tmp_path / name)
        async with asyncio.timeout(TIMEOUT):
            while await all_roots(server) != [content + b" 2" for content in EXPECTED]:
                await asyncio.sleep(0.05)


@process_models
async def test_sites_change_by_a_reload(
    process_options: tuple[str, ...], run: Start, write: Write, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(name)

    def site(root: str, more: str = "") -> str:
        return f'{more}\n[[sites]]\nhosts = ["127.0.0.1"]\nroot = "{root}"\nheader = ["X-Site: {root}"]\n'

    write("")
    async with run(*process_options, allowed_errors=RELOAD_MESSAGES) as server:
        write(site("one"))
        await reload(server)
        await wait_for_site(server, "one")
        write(site("two"))
        await reload(server)
        await wait_for_site(server, "two")
        for mistake, why in (
            (site("nowhere"), "cannot serve nowhere: No such file or directory"),
            (site("one", 'mount = ["/x/=nowhere"]'), "cannot serve nowhere: No such file or directory"),
            (site("one") + "max_age = -1", "pwb.toml: sites 1: max_age: "),
            (site("one") + site("two"), "127.0.0.1 is a host of pwb.toml: sites 1 already."),
        ):
            write(mistake)
            await reload(server)
            assert why in server.error_output().splitlines()[-1]
            await wait_for_site(server, "two")
        write(site("one", "strict_hosts = true"))
        await reload(server)
        await wait_for_site(server, "one")
        assert (await ask(server, "/a.txt", "other")).status == 421


async def wait_for_site(server: Server, name: str) -> None:
    host = "127.0.0.1"
    async with asyncio.timeout(TIMEOUT):
        while (response := await ask(server, "/a.txt", host))["X-Site"] != name:
            await asyncio.sleep(0.05)
    assert response.content == name.encode()


async def test_the_same_path_of_two_sites_is_cached_apart(design: Design, tmp_path: Path) -> None:
    root = build(tmp_path)
    (tmp_path / "log").mkdir()
    async with running(design, root, log_dir=tmp_path / "log", folder=tmp_path) as server:
        for _ in range(20):
            assert await all_roots(server) == EXPECTED


async def test_access_is_that_of_the_site(design: Design, tmp_path: Path) -> None:
    root = build(tmp_path)
    (tmp_path / "log").mkdir()
    (tmp_path / "users").write_text(access.USERS)
    (tmp_path / "pwb.toml").write_text(
        CONFIG + 'htpasswd = "users"\n[[sites]]\nhosts = ["b.example"]\nroot = "a"\n'
        '[[sites.access]]\nfor = "/f"\nhtpasswd = "users"\n'
    )
    async with running(design, root, log_dir=tmp_path / "log", folder=tmp_path) as server:
        for _ in range(2):
            assert (await ask(server, "/f")).status == 200
            for host, target in (
                ("a.example", "/f"),
                ("a.example", "/x"),
                ("b.example", "/f"),
                ("A.example.:80", "/f"),
            ):
                assert (await ask(server, target, host)).status == 401
                assert (await ask(server, "http://" + host + target)).status == 401
                assert (await ask(server, target, host, BOB)).status == (404 if target == "/x" else 200)
            assert (await ask(server, "/x", "b.example")).status == 404
            assert (await ask(server, "http://h/f", "a.example")).content == b"root"


async def test_users_in_a_root_of_another_site_are_refused(tmp_path: Path) -> None:
    build(tmp_path)
    (tmp_path / "deeper" / "users").write_text(access.USERS)
    async with launched("root", "--port", "0", "--htpasswd", "deeper/users", folder=tmp_path, status=2) as server:
        assert await server.exited() == 2
    assert server.error_output().splitlines() == [
        "pwb: htpasswd: deeper/users: it is in deeper, which is served, so any client could read it."
    ]


async def test_the_line_at_the_start(tmp_path: Path) -> None:
    build(tmp_path)
    async with launched("root", "--port", "0", "--prefix", "/my%20site", folder=tmp_path) as server:
        assert (await fetch_fresh(server, "/my%20site/f")).content == b"root"
        host, port = server.address
    line = (tmp_path / "output").read_text().splitlines()[0]
    assert line == f"PWB serves 'root' and 3 more, listening on http://{host}:{port}/my%20site/ (Ctrl-C stops it)"

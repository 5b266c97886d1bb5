"""Access on every design: passwords, addresses, hosts, and what happens when a file of users changes."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from pwb_legacy.compare.checks.rows import Row

from .designs import CONCURRENT, REFERENCE, Design
from .peer import Peer, send_request
from .rows import access
from .rows.access import BOB, authorization
from .server import Server, Start, command, environment, running
from .test_rows import check_row
from .test_rules import build
from .wire import Response, get

ARGON_TAG = "OkAFo6QTB+nBYgd3bAtQmw"


@pytest.fixture(scope="session")
def guarded_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("guarded"), access.FILES)


def configured(folder: Path) -> Path:
    """A folder with the configuration of the rows."""
    (folder / "pwb.toml").write_text(access.CONFIG)
    (folder / "users").write_text(access.USERS)
    return folder


@pytest.fixture(scope="session")
async def guarded_server(
    design: Design, guarded_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    folder = configured(tmp_path_factory.mktemp("guarded-" + design.name))
    async with running(design, guarded_root, log_dir=folder) as server:
        yield server


@pytest.fixture(scope="session")
async def guarded_reference(guarded_root: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    folder = configured(tmp_path_factory.mktemp("guarded-reference"))
    async with running(REFERENCE, guarded_root, log_dir=folder) as server:
        yield server


@pytest.mark.parametrize("row", access.ROWS, ids=lambda row: row.id)
async def test_access(row: Row, guarded_server: Server, guarded_reference: Server) -> None:
    await check_row(row, guarded_server, guarded_reference)


async def test_a_rule_for_an_address_protects_all_its_files(start: Start, tmp_path: Path) -> None:
    """With --clean-urls: the page that the address stands for, its coded neighbours, and its place in an archive."""
    names = ("g/about.html", "g/about.html.gz", "g/about.html.br", "g/about.html.zst", "pub/index.html", "g/a.txt")
    root = build(tmp_path / "root", dict.fromkeys(names, b"<!DOCTYPE html>\n"))
    (tmp_path / "users").write_text(access.USERS)
    (tmp_path / "pwb.toml").write_text(
        "browse = true\nzip-downloads = true\nclean-urls = true\n"
        '[[access]]\nfor = "/g/about"\nhtpasswd = "users"\n[[access]]\nfor = "/pub/index"\nhtpasswd = "users"\n'
        '[[rewrites]]\nfrom = "/way"\nto = "/g/about.html"\n'
    )
    async with start(root=root) as server:
        for target in ("/g/about", "/g/about/", "/way", "/pub/", "/pub/index", *("/" + name for name in names[:-1])):
            assert (await send_request(server.address, get(target))).status == 401, target
        assert (await send_request(server.address, get("/g/about", BOB))).status == 200
        for target, expected in (("/?download=zip", ["g/a.txt"]), ("/g/?download=zip", ["a.txt"])):
            content = (await send_request(server.address, get(target))).content
            with ZipFile(BytesIO(content)) as archive:
                found = [name for name in archive.namelist() if not name.endswith("/")]
            assert [name.partition("/")[2] for name in found] == expected


async def test_a_401_tells_nothing(start: Start, guarded_root: Path, tmp_path: Path) -> None:
    """It is the same for a file, a directory and nothing, and for wrong credentials of every kind."""
    configured(tmp_path)
    requests = [get("/private/" + name) for name in ("a.txt", "", "deep", "nothing", ".env", "old")]
    requests += [get("/private/a.txt", wrong) for wrong in access.WRONG]
    async with start(root=guarded_root) as server:
        responses = [await send_request(server.address, request) for request in requests]
        assert {response.status for response in responses} == {401}
        assert len({response.without_date for response in responses}) == 1
        assert (await send_request(server.address, get("/private/a.txt", BOB))).status == 200


async def test_a_site_behind_a_password(start: Start, guarded_root: Path, tmp_path: Path) -> None:
    users = tmp_path / "users.htpasswd"
    for name, password, flag in (("b", "five", "-B"), ("m", "md", "-m"), ("s", "sha", "-5"), ("t", "sha", "-2")):
        subprocess.run(
            ["htpasswd", "-b", flag, *([] if users.exists() else ["-c"]), str(users), name, password],
            check=True,
            capture_output=True,
        )
    with users.open("a") as file:  # the password "argon", with the least memory
        file.write("a:$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$" + ARGON_TAG + "\n")
    async with start("--htpasswd", str(users), root=guarded_root) as server:
        for target in ("/a.txt", "/", "/nothing", "/private"):
            assert (await send_request(server.address, get(target))).status == 401
        for user, password in (("b", "five"), ("m", "md"), ("s", "sha"), ("t", "sha"), ("a", "argon")):
            for _ in range(2):
                response = await send_request(server.address, get("/a.txt", authorization(user, password)))
                assert (response.status, response.content) == (200, b"open"), user
        for user, password in (("b", "md"), ("m", "five"), ("s", "five"), ("a", "md")):
            assert (await send_request(server.address, get("/a.txt", authorization(user, password)))).status == 401


async def test_a_site_for_some_addresses(start: Start, guarded_root: Path) -> None:
    async with start("--allow", "192.0.2.0/24", "--allow", "::1", root=guarded_root) as server:
        assert (await send_request(server.address, get())).status == 403
        assert (await send_request(server.address, get("/nothing"))).status == 403
    async with start("--allow", "127.0.0.0/8", "--deny", "192.0.2.0/24", root=guarded_root) as server:
        assert (await send_request(server.address, get())).status == 200
    async with start("--deny", "127.0.0.1", root=guarded_root) as server:
        assert (await send_request(server.address, get())).status == 403


async def test_only_the_named_hosts(start: Start, guarded_root: Path) -> None:
    async with start("--allowed-host", "H", "--allowed-host", "[::1]", root=guarded_root) as server:
        for host, status in (("h", 200), ("H:8888", 200), ("[::1]:1", 200), ("evil.example", 403), ("h.evil", 403)):
            request = b"GET /a.txt HTTP/1.1\r\nHost: %s\r\n\r\n" % host.encode()
            assert (await send_request(server.address, request)).status == status, host
        assert (await send_request(server.address, get("http://evil.example/a.txt"))).status == 403
        assert (await send_request(server.address, b"GET /a.txt HTTP/1.0\r\n\r\n")).status == 403


async def test_too_many_wrong_passwords(design: Design, start: Start, guarded_root: Path, tmp_path: Path) -> None:
    """429 with Retry-After; credentials that are known still pass, and so does what needs none."""
    configured(tmp_path)
    async with start(root=guarded_root) as server:
        if not counts_across_connections(design):
            return
        assert (await send_request(server.address, get("/private/a.txt", BOB))).status == 200
        wrong = [get("/private/a.txt", authorization("bob", str(number))) for number in range(12)]
        statuses = [(await send_request(server.address, request)).status for request in wrong]
        assert statuses == [401] * 10 + [429] * 2
        response = await send_request(server.address, get("/private/a.txt", authorization("anna", "p:ss wörd")))
        assert response.status == 429, "it would show that the password is right"
        assert 1 <= int(response["Retry-After"] or "") <= 10
        assert (await send_request(server.address, get("/private/a.txt", BOB))).status == 200
        assert (await send_request(server.address, get("/private/a.txt"))).status == 401
        assert (await send_request(server.address, get())).status == 200


def counts_across_connections(design: Design) -> bool:
    """Whether the wrong passwords of all connections are counted together; each process counts its own."""
    return design.name != "process"


@pytest.mark.parametrize("design", CONCURRENT, ids=lambda design: design.name, indirect=True, scope="session")
async def test_wrong_passwords_of_one_connection(start: Start, guarded_root: Path, tmp_path: Path) -> None:
    """Pipelined, so that the next request arrives while a password is checked."""
    configured(tmp_path)
    async with start(root=guarded_root) as server, Peer(server.address) as peer:
        await peer.send(b"".join(get("/private/a.txt", authorization("bob", str(number))) for number in range(12)))
        assert [(await peer.read_response()).status for _ in range(12)] == [401] * 10 + [429] * 2
        await peer.send(get("/a.txt"))
        assert (await peer.read_response()).content == b"open"


async def test_a_changed_file_of_users(start: Start, guarded_root: Path, tmp_path: Path) -> None:
    """It is read again within seconds; one with a mistake is logged once, and the users stay as they were."""
    configured(tmp_path)
    users = tmp_path / "users"
    get_private = get("/private/a.txt", BOB)

    async def until(request: bytes, status: int) -> Response:
        async with asyncio.timeout(10):
            while (response := await send_request(server.address, request)).status != status:
                await asyncio.sleep(0.05)
        return response

    async with start(root=guarded_root, allowed_errors="the users stay as they were: |users read again") as server:
        await until(get_private, 200)
        users.write_text(access.USERS.replace("bob:", "rob:"))
        await until(get_private, 401)
        await until(get("/private/a.txt", authorization("rob", "secret")), 200)
        users.write_text("rob:plain\n")
        async with asyncio.timeout(10):
            while "stay as they were" not in server.error_output():
                await send_request(server.address, get())
                await asyncio.sleep(0.05)
        await until(get("/private/a.txt", authorization("rob", "secret")), 200)
        (tmp_path / "new").write_text(access.USERS)
        os.replace(tmp_path / "new", users)
        await until(get_private, 200)
        errors = server.error_output()
    assert errors.count("stay as they were") == 1
    assert "users line 1: the hash of user 'rob' is plain text or DES; htpasswd -B makes one of bcrypt." in errors


def test_wrong_configuration(design: Design, guarded_root: Path, tmp_path: Path) -> None:
    """One line, and exit status 2."""
    (tmp_path / "des").write_text("bob:secret\n")
    (guarded_root / "visible").write_text(access.USERS)
    (tmp_path / "rule.toml").write_text('\n[[access]]\nfor = "/a"\nhtpasswd = "missing"\n')
    for options, line in (
        (("--htpasswd", "missing"), ": htpasswd: missing: cannot be read: No such file or directory."),
        (
            ("--htpasswd", "des"),
            ": htpasswd: des line 1: the hash of user 'bob' is plain text or DES; htpasswd -B makes one of bcrypt.",
        ),
        (
            ("--config", "rule.toml"),
            ": rule.toml line 2: missing: cannot be read: No such file or directory.",
        ),
        (("--htpasswd", str(guarded_root / "visible")), "which is served, so any client could read it."),
        (("--allow", "10.0.0.1/8"), "has bits set behind its prefix; the network is 10.0.0.0/8."),
    ):
        process = subprocess.run(
            command(design, guarded_root, *options),
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment(),
            timeout=20,
        )
        assert process.returncode == 2, process
        assert line in process.stderr
        assert process.stderr.count("\n") == 1 or options[0] == "--allow", process.stderr
    (guarded_root / "visible").unlink()


async def test_the_client_behind_a_proxy(start: Start, guarded_root: Path, tmp_path: Path) -> None:
    """Log, rules and the count of wrong passwords are about the client; a peer that is not trusted names none."""
    configured(tmp_path)
    forwarded = "X-Forwarded-For: 5.6.7.8, 192.0.2.7, 10.0.0.1"
    async with start("--trusted-proxy", "127.0.0.0/8", "--trusted-proxy", "10.0.0.0/8", root=guarded_root) as server:
        for fields, status in (
            ((forwarded,), 200),
            (("Forwarded: for=192.0.2.7",), 200),
            (("Forwarded: for=5.6.7.8", "X-Forwarded-For: 192.0.2.7"), 200),
            ((), 403),
        ):
            assert (await send_request(server.address, get("/elsewhere/a.txt", *fields))).status == status
        for number in range(22):
            client, password = f"X-Forwarded-For: 198.51.100.{number % 2}", authorization("bob", str(number))
            response = await send_request(server.address, get("/private/a.txt", client, password))
            assert response.status == (401 if number < 20 or server.design.name == "process" else 429)
        assert (await send_request(server.address, b"?\r\n\r\n")).status == 400
    clients = [line.split()[0] for line in server.log.read_text().splitlines()]
    assert sorted(set(clients)) == ["127.0.0.1", "192.0.2.7", "198.51.100.0", "198.51.100.1"]
    async with start("--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "unix", root=guarded_root) as server:
        assert (await send_request(server.address, get("/elsewhere/a.txt", forwarded))).status == 403


async def test_the_client_behind_a_proxy_on_a_unix_socket(design: Design, guarded_root: Path, tmp_path: Path) -> None:
    """curl is the proxy. Without --trusted-proxy unix the client has no address, and is in no network."""
    configured(tmp_path)
    for options, status in (("--trusted-proxy", "unix"), "200"), ((), "403"):
        path = tmp_path / "socket"
        with subprocess.Popen(
            command(design, guarded_root, "--unix", str(path), "--access-log", "off", *options),
            cwd=tmp_path, env=environment(), stdout=subprocess.PIPE,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            process.stdout.readline()
            curl = subprocess.run(
                ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket", str(path), "-H",
                 "X-Forwarded-For: 192.0.2.7", "http://h/elsewhere/a.txt"], capture_output=True, text=True, timeout=20,
            )  # fmt: skip
            process.terminate()
            assert process.wait(20) == 0
        assert curl.stdout == status


async def test_maintenance(start: Start, tmp_path: Path) -> None:
    """503 in response to everything, with the page of the site, or one of PWB's own."""
    root = build(tmp_path / "root", {"index.html": b"open", "a.txt": b"open"})
    users = tmp_path / "users"
    users.write_text(access.USERS)
    requests = (
        get("/"),
        get("/a.txt"),
        get("/nothing"),
        get("/.env"),
        get("/a.txt", method="POST"),
        get("*", method="OPTIONS"),
    )
    for page in (None, b"<!DOCTYPE html>\n<title>back soon</title>\n", b"x" * 300_000):
        if page is not None:
            (root / "503.html").write_bytes(page)
        async with start("--maintenance", root=root) as server:
            for request in (*requests, *requests):
                response = await send_request(server.address, request)
                assert response.status == 503
                assert (response["Retry-After"], response["Cache-Control"]) == ("60", "no-store")
                assert response["Content-Type"] == "text/html; charset=utf-8"
                assert (response.content == page) is (page is not None)
            head = await send_request(server.address, get("/a.txt", method="HEAD"))
            assert (head.status, head.content, head["Content-Length"]) == (503, b"", response["Content-Length"])
            assert (await send_request(server.address, b"?\r\n\r\n")).status == 400
    async with start("--maintenance", "--htpasswd", str(users), root=root) as server:
        assert (await send_request(server.address, get())).status == 401
        assert (await send_request(server.address, get("/a.txt", BOB))).status == 503


async def test_https_in_front(start: Start, guarded_root: Path) -> None:
    """Strict-Transport-Security is sent if the proxy reports https, cached or not."""
    options = ("--security-headers", "basic", "--header", "Strict-Transport-Security: max-age=1")
    secure, name = "X-Forwarded-Proto: https", "Strict-Transport-Security"
    async with start("--trusted-proxy", "127.0.0.1", *options, root=guarded_root) as server:
        for fields, value in ((), None), ((secure,), "max-age=1"), ((secure.replace("https", "http"),), None):
            for target in ("/a.txt", "/a.txt", "/nothing"):
                assert (await send_request(server.address, get(target, *fields)))[name] == value
        assert (await send_request(server.address, get("/a.txt", "Forwarded: proto=https")))[name] == "max-age=1"
    async with start(*options, root=guarded_root) as server:
        assert (await send_request(server.address, get("/a.txt", secure)))[name] is None

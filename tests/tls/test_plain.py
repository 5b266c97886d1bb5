"""Requests without TLS: on the port with TLS, and on that of --redirect-https."""

import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.conformance.designs import COLUMNS, Design
from tests.conformance.peer import Peer, send_request
from tests.conformance.server import Server, running
from tests.conformance.wire import get

TOKEN: Final = b"token.thumbprint"
STRICT: Final = ("--security-headers", "strict")


@pytest.fixture(params=COLUMNS, ids=lambda design: design.name)
def tls_design(request: pytest.FixtureRequest) -> Design:
    return request.param  # type: ignore[no-any-return]


@asynccontextmanager
async def redirecting(
    design: Design, folder: Path, *options: str, allowed_errors: str = ""
) -> AsyncIterator[tuple[Server, tuple[str, int]]]:
    """A server with a challenge of ACME, and the address of its port without TLS."""
    root = folder / "root"
    challenges = root / ".well-known" / "acme-challenge"
    challenges.mkdir(parents=True)
    (challenges / "token").write_bytes(TOKEN)
    (root / "a.txt").write_bytes(b"abc")
    options = ("--redirect-https", "0", *STRICT, *options)
    async with running(design, root, *options, log_dir=folder, allowed_errors=allowed_errors) as server:
        ports = {int(port) for port in listening(server)} - {server.address[1]}
        yield server, ("127.0.0.1", ports.pop())


def listening(server: Server) -> list[str]:
    """The ports on which a server listens, as ss(8) shows them."""
    found = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    ids = [f"pid={pid}," for pid in server.process_ids()]
    lines = [line for line in found.splitlines() if any(each in line for each in ids)]
    return [re.split(r"\s+", line)[3].rpartition(":")[2] for line in lines]


async def test_the_port_of_redirect_https_redirects_all_but_the_challenges(tls_design: Design, tmp_path: Path) -> None:
    async with redirecting(tls_design, tmp_path) as (server, plain):
        host = f"Host: site.example:{plain[1]}"
        async with Peer(plain) as peer:
            for method in ("GET", "HEAD"):
                await peer.send(get("/a.txt?q", host, method=method).replace(b"Host: h\r\n", b""))
                response = await peer.read_response(method)
                location = f"https://site.example:{server.address[1]}/a.txt?q"
                assert (response.status, response["Location"]) == (301, location)
                assert response["Strict-Transport-Security"] is None
            await peer.send(get("/.well-known/acme-challenge/token"))
            challenge = await peer.read_response()
            assert (challenge.status, challenge.content) == (200, TOKEN)
            assert challenge["Strict-Transport-Security"] is None
        assert (await send_request(plain, get("/a.txt", method="POST"))).status == 400
        assert (await send_request(plain, b"GET /a.txt HTTP/1.0\r\n\r\n")).status == 400
        over_tls = await send_request(server.address, get("/.well-known/acme-challenge/token"))
        assert (over_tls.status, over_tls.content) == (200, TOKEN)
        assert over_tls["Strict-Transport-Security"] == "max-age=31536000"
        assert (await send_request(plain, get("/.well-known/acme-challenge/token")))[
            "Strict-Transport-Security"
        ] is None
    assert b'"GET /a.txt?q HTTP/1.1" 301' in server.log.read_bytes()


async def test_a_password_is_never_asked_for_without_tls(tls_design: Design, tmp_path: Path) -> None:
    async with redirecting(tls_design, tmp_path, "--htpasswd", users(tmp_path)) as (server, plain):
        for target in ("/a.txt", "/.well-known/other"):
            for fields in ((), ("Authorization: Basic Ym9iOnNlY3JldA==",)):
                assert (await send_request(plain, get(target, *fields))).status == 301
        assert (await send_request(server.address, get("/a.txt"))).status == 401


def users(folder: Path) -> str:
    path = folder / "users"
    path.write_text("bob:$2y$05$uA8PyBJlwvCfBLWeNmzWEOBcJnFNg3NwmYwOFDUCzmWFNE5DCwZdC\n")
    path.chmod(0o600)
    return str(path)


RULES: Final = """
htpasswd = "users"
deny = ["127.0.0.0/8"]
allowed-host = ["other"]
maintenance = true
[[redirects]]
from = "/*"
to = "/a.txt"
status = 301
force = true
"""
PREFIX: Final = """
prefix = "/p/"
[[access]]
for = "/*"
htpasswd = "users"
"""
MOUNT: Final = """
strict-hosts = true
[[sites]]
hosts = ["h"]
root = "root"
prefix = "/p/"
mount = ["/.well-known/=mounted/.well-known"]
htpasswd = "users"
"""


@pytest.mark.parametrize("config", [RULES, PREFIX, MOUNT], ids=["rules", "prefix", "mount"])
async def test_no_rule_keeps_an_authority_from_a_challenge(config: str, tls_design: Design, tmp_path: Path) -> None:
    users(tmp_path)
    mounted = tmp_path / "mounted" / ".well-known" / "acme-challenge"
    mounted.mkdir(parents=True)
    (mounted / "mounted").write_bytes(TOKEN)
    (tmp_path / "pwb.toml").write_text(config)
    async with redirecting(tls_design, tmp_path, "--config", "pwb.toml", allowed_errors="outside") as (server, plain):
        token = "mounted" if config == MOUNT else "token"
        challenge = await send_request(plain, get(f"/.well-known/acme-challenge/{token}"))
        assert (challenge.status, challenge.content) == (200, TOKEN)
        assert (await send_request(plain, get("/.well-known/acme-challenge/missing"))).status == 404
        for target in ("/a.txt", "/p/a.txt", "/.well-known/", "/.well-known/acme-challenge/"):
            assert (await send_request(plain, get(target))).status in (301, 403)
        over_tls = await send_request(server.address, get(f"/.well-known/acme-challenge/{token}"))
        assert over_tls.status in (401, 403, 404)


async def test_a_request_to_the_port_with_tls(tls_design: Design, tmp_path: Path) -> None:
    async with redirecting(tls_design, tmp_path) as (server, _):
        address = tuple(server.address)
        for request, status in (
            (get("/a.txt?q"), 301),
            (get("/.well-known/acme-challenge/token"), 301),
            (get("/a.txt", method="POST"), 400),
            (b"GET /a.txt HTTP/1.0\r\n\r\n", 400),
            (b"SSH-2.0-OpenSSH_9.2\r\n", 400),
        ):
            async with Peer(address) as peer:
                await peer.send(request)
                response = await peer.read_response()
                assert (response.status, response["Connection"]) == (status, "close")
                assert await peer.read_to_end() == b""
            if status == 301:
                assert response["Location"] == f"https://h{request.split()[1].decode()}"
            assert response["Strict-Transport-Security"] is None


@pytest.mark.parametrize(
    "data", [b"\r\n\r\n\r\n", bytes(100), b"\x15\x03\x01\x00\x02\x02\x0a", b"\x16\x03\x01\xff\xff" + bytes(100)]
)
async def test_anything_else_gets_an_alert(data: bytes, tls_design: Design, tmp_path: Path) -> None:
    async with running(tls_design, tmp_path, log_dir=tmp_path) as server, Peer(tuple(server.address)) as peer:
        await peer.send(data)
        assert (await peer.read_to_end_or_reset())[:2] in (b"\x15\x03", b"")


async def test_the_header_of_the_proxy_protocol_is_before_tls(tls_design: Design, tmp_path: Path) -> None:
    options = ("--trusted-proxy", "127.0.0.0/8", "--proxy-protocol")
    async with redirecting(tls_design, tmp_path, *options) as (server, plain):
        for version, header in (
            (1, b"PROXY TCP4 192.0.2.1 192.0.2.9 1234 443\r\n"),
            (2, b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes((192, 0, 2, 2, 192, 0, 2, 9, 4, 210, 1, 187))),
        ):
            peer = Peer(server.address)
            peer.greeting = header
            async with peer:
                await peer.send(get(f"/a.txt?{version}", "Connection: close"))
                assert (await peer.read_response()).content == b"abc"
            async with Peer(plain) as peer:
                await peer.send(header + get("/a.txt?plain"))
                assert (await peer.read_response()).status == 301
            async with Peer(tuple(server.address)) as peer:
                for byte in header + get("/a.txt?misled"):
                    await peer.send(bytes((byte,)))
                assert (await peer.read_response()).status == 301
        for start in (b"GET / HTTP/1.1\r\n", b"\x16\x03\x01\x00\x05hello"):
            async with Peer(tuple(server.address)) as peer:
                await peer.send(start)
                assert await peer.read_to_end_or_reset() == b""
    log = server.log.read_bytes()
    for version in (1, 2):
        assert re.search(rb"^192\.0\.2\.%d .*/a\.txt\?%d" % (version, version), log, re.MULTILINE)
        assert re.search(rb"^192\.0\.2\.%d .*/a\.txt\?plain" % version, log, re.MULTILINE)
        assert re.search(rb"^192\.0\.2\.%d .*/a\.txt\?misled" % version, log, re.MULTILINE)

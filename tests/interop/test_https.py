"""HTTPS with common clients: curl, wget, openssl s_client, Chromium."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from tests.conformance.designs import COLUMNS, Design
from tests.conformance.server import REPOSITORY, Server, running
from tests.conformance.tls import certificate_options
from tests.conformance.tree import ALPHABET, BIG, FILES

from .browser import CHROMIUM, DRIVER, chromium, console_messages
from .programs import needs, run

HTTP_1: Final = ("--no-http2",)
CERTIFICATE: Final = certificate_options()[1]
REQUEST: Final = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module", params=[each for each in COLUMNS if each.tls], ids=lambda design: design.name)
async def https(
    request: pytest.FixtureRequest, served_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    design: Design = request.param
    async with running(design, served_root, *HTTP_1, log_dir=tmp_path_factory.mktemp("https")) as server:
        yield server


async def curl(server: Server, *arguments: str) -> bytes:
    trusting = ("--cacert", CERTIFICATE, "--connect-to", f"localhost:443:{server.address[0]}:{server.address[1]}")
    done = await run("curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", "30", *trusting, *arguments)
    assert done.status == 0, done.errors
    return done.output


@needs("curl")
async def test_curl(https: Server, tmp_path: Path) -> None:
    url = "https://localhost"
    assert await curl(https, f"{url}/a.txt") == ALPHABET
    assert await curl(https, "--range", "2-5", f"{url}/a.txt") == b"cdef"
    assert await curl(https, "--tls-max", "1.2", f"{url}/a.txt", f"{url}/a.txt") == ALPHABET * 2
    part = tmp_path / "part"
    part.write_bytes(FILES[b"30m.bin"][:12_345_678])
    assert await curl(https, "--continue-at", "-", "--output", str(part), f"{url}/30m.bin") == b""
    assert part.read_bytes() == FILES[b"30m.bin"]
    slow = await curl(https, "--limit-rate", "30M", f"{url}/30m.bin")
    assert slow == FILES[b"30m.bin"]
    redirected = f"http://localhost:{https.address[1]}/a.txt"
    address = f"localhost:{https.address[1]}:{https.address[0]}"
    assert await curl(https, "--resolve", address, "--location", redirected) == ALPHABET


@needs("wget")
async def test_wget(https: Server, tmp_path: Path) -> None:
    host, port = https.address
    done = await run(
        *("wget", "--no-verbose", "--no-config", f"--ca-certificate={CERTIFICATE}", "--tries=1"),
        *(f"https://localhost:{port}/{name}" for name in ("a.txt", "100k.bin", "30m.bin")),
        folder=tmp_path,
    )
    assert done.status == 0, done.errors
    assert host == "127.0.0.1"
    assert (tmp_path / "a.txt").read_bytes() == ALPHABET
    assert (tmp_path / "30m.bin").stat().st_size == BIG


async def s_client(server: Server, *arguments: str, send: bytes = REQUEST, end: bool = False) -> bytes:
    """What openssl's client prints. end: whether its input ends after what is sent, upon which it sends close_notify."""
    host, port = server.address
    client = await asyncio.create_subprocess_exec(
        *("openssl", "s_client", "-connect", f"{host}:{port}", "-servername", "localhost", "-CAfile", CERTIFICATE),
        *("-ign_eof", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert client.stdin is not None
    assert client.stdout is not None
    with suppress(ConnectionError):  # a refused client ends without reading
        client.stdin.write(send)
        await client.stdin.drain()
    if end:
        client.stdin.close()
    async with asyncio.timeout(20):
        output = await client.stdout.read()
        await client.wait()
    assert b"unexpected eof" not in output, "an end without close_notify"
    return output


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_a_session_is_resumed(version: str, https: Server, tmp_path: Path) -> None:
    session = str(tmp_path / "session")
    first = await s_client(https, version, "-sess_out", session)
    again = await s_client(https, version, "-sess_in", session)
    for output, how in ((first, b"New"), (again, b"Reused")):
        assert ALPHABET in output
        assert b"\n%s, TLSv1." % how in output
    assert b"Verify return code: 0 (ok)" in first


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_a_client_whose_input_has_ended_gets_its_response(version: str, https: Server) -> None:
    assert ALPHABET in await s_client(https, version, end=True)


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
async def test_old_versions_are_refused(version: str, https: Server) -> None:
    output = await s_client(https, version, "-cipher", "DEFAULT@SECLEVEL=0", send=b"")
    assert re.search(b"alert protocol version|no protocols available|unsupported protocol", output)


@pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")
@pytest.mark.parametrize(("options", "protocol"), [(HTTP_1, "http/1.1"), ((), "h2")], ids=["1.1", "2"])
async def test_chromium(options: tuple[str, ...], protocol: str, tmp_path: Path) -> None:
    """The site of this repository: pages, scripts, pictures, a video that is sought in."""
    design = next(each for each in COLUMNS if each.tls)
    root = REPOSITORY / "static"
    flags = ("--ignore-certificate-errors",)
    async with running(design, root, *options, log_dir=tmp_path) as server:

        def visit() -> tuple[set[str], list[str]]:
            with chromium(tmp_path / "profile", flags=flags) as browser:
                browser.get(f"https://localhost:{server.address[1]}/")
                entries = browser.execute_script(
                    "return JSON.stringify(performance.getEntries().filter(e => e.nextHopProtocol))"
                )
                return {entry["nextHopProtocol"] for entry in json.loads(entries)}, console_messages(browser)

        protocols, messages = await asyncio.to_thread(visit)
    assert protocols == {protocol}
    assert messages == []

"""A real ACME exchange: certbot and lego fetch certificates from Pebble by files below /.well-known/ (RFC 8555 8.3).

Their commands are those of docs/https.md, but for the name, the folders, the authority, and a hook that signals a process in
place of a service.
"""

import asyncio
import re
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509

from tests.conformance.designs import REFERENCE
from tests.conformance.server import Server, running
from tests.docs.examples import ROOT
from tests.tls.client import connect, fetch, request

from .acme import Authority, authority
from .programs import needs, run
from .proxies import free_port

NAME = "www.test"
FOLDER = Path("/etc/lego")
CERTBOT, FIRST, RENEW = "sudo certbot certonly", "lego", "ExecStart=/usr/bin/lego"
"""How the commands on the page begin."""
CONTENT = b"content\n"


def documented(start: str) -> list[str]:
    """The words of a command on the page, without sudo."""
    page = (ROOT / "docs" / "https.md").read_text()
    found = re.search(rf"^ {{4}}{start} .*$", page, re.MULTILINE)
    assert found, start
    return shlex.split(found[0].strip().removeprefix("sudo ").removeprefix("ExecStart="))


def adapted(words: list[str], root: Path, hook: str) -> list[str]:
    """A command for this machine. hook: what takes the place of `systemctl reload pwb`."""
    replaced = {"/srv/www": str(root), "www.example.com": NAME, "systemctl reload pwb": hook}
    return [replaced.get(word, word) for word in words]


class Certbot:
    """certbot, with folders of its own."""

    def __init__(self, ca: Authority, root: Path, folder: Path) -> None:
        self._ca, self._root, self._folder = ca, root, folder
        live = folder / "config" / "live" / NAME
        self.certificate, self.key = live / "fullchain.pem", live / "privkey.pem"

    async def obtain(self, hook: str = "true", *more: str) -> None:
        folders = [word for name in ("config", "work", "logs") for word in (f"--{name}-dir", str(self._folder / name))]
        account = (
            "--non-interactive",
            "--agree-tos",
            "--register-unsafely-without-email",
            "--server",
            self._ca.directory,
        )
        words = adapted(documented(CERTBOT), self._root, hook)
        done = await run(*words, *account, *folders, *more, REQUESTS_CA_BUNDLE=str(self._ca.trusted), within=120)
        assert done.status == 0, done.errors + done.output.decode()

    async def renew(self, hook: str) -> None:
        await self.obtain(hook, "--force-renewal")


class Lego:
    """lego, with a folder of its own."""

    def __init__(self, ca: Authority, root: Path, folder: Path) -> None:
        self._ca, self._root, self._folder = ca, root, folder / "lego"
        certificates = self._folder / "certificates"
        self.certificate, self.key = certificates / f"{NAME}.crt", certificates / f"{NAME}.key"

    async def obtain(self) -> None:
        await self._run(documented(FIRST), "true")

    async def renew(self, hook: str) -> None:
        words = documented(RENEW)
        words[words.index("--days") + 1] = "99999"  # it is not due by far
        await self._run([*words, "--no-random-sleep"], hook)  # of up to eight minutes

    async def _run(self, words: list[str], hook: str) -> None:
        words = [str(self._folder) if word == str(FOLDER) else word for word in adapted(words, self._root, hook)]
        words[1:1] = ["--server", self._ca.directory]
        done = await run(*words, LEGO_CA_CERTIFICATES=str(self._ca.trusted), within=120)
        assert done.status == 0, done.errors + done.output.decode()


def serial(path: Path) -> int:
    return x509.load_pem_x509_certificate(path.read_bytes()).serial_number


@asynccontextmanager
async def load(server: Server) -> AsyncIterator[None]:
    """Sends requests during the block, on one connection and on ever new ones; fails if one of them fails."""
    stop = False
    counts = [0, 0]

    def keep() -> None:
        while not stop:
            with connect(server.address) as client:
                head = b""
                while not stop and b"Connection: close" not in head:
                    client.sendall(request())
                    response = client.recv(65536)
                    head, _, content = response.partition(b"\r\n\r\n")
                    assert head.startswith(b"HTTP/1.1 200 ")
                    assert content == CONTENT
                    counts[0] += 1

    def renew() -> None:
        while not stop:
            assert fetch(server.address).response.endswith(b"\r\n\r\n" + CONTENT)
            counts[1] += 1

    tasks = [asyncio.create_task(asyncio.to_thread(each)) for each in (keep, renew)]
    try:
        yield
    finally:
        stop = True
        await asyncio.gather(*tasks)
    assert all(counts)


@pytest.mark.parametrize(
    "client", [pytest.param(Certbot, marks=needs("certbot")), pytest.param(Lego, marks=needs("lego"))]
)
@needs("pebble")
async def test_a_certificate_is_obtained_and_renewed_without_a_failed_request(
    client: type[Certbot] | type[Lego], tmp_path: Path
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.txt").write_bytes(CONTENT)
    (tmp_path / "https").mkdir()
    port = str(free_port())
    async with authority(tmp_path, int(port)) as ca:
        acme = client(ca, root, tmp_path)
        async with running(REFERENCE, root, "--port", port, log_dir=tmp_path) as plain:
            await acme.obtain()
        assert b" /.well-known/acme-challenge/" in plain.log.read_bytes()
        first = serial(acme.certificate)
        options = ("--tls-cert", str(acme.certificate), "--tls-key", str(acme.key), "--redirect-https", port)
        async with running(
            REFERENCE, root, *options, "--no-tls-reload", log_dir=tmp_path / "https", allowed_errors="reloaded"
        ) as server:
            found = await asyncio.to_thread(fetch, server.address, NAME)
            assert (found.certificate.serial_number, found.names) == (first, [NAME])
            async with load(server):
                await acme.renew(f"kill -HUP {server.pid}")
                second = serial(acme.certificate)
                assert second != first
                async with asyncio.timeout(20):
                    while (await asyncio.to_thread(fetch, server.address)).certificate.serial_number != second:
                        pass

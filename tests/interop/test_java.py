"""Java's HttpClient, which offers HTTP/2 in its first request (Upgrade: h2c), and its older HttpURLConnection.

The tests run only where Java is installed: it is too large to be installed for them.
"""

from hashlib import sha256
from pathlib import Path

import pytest

from tests.conformance.server import Server
from tests.conformance.tree import ALPHABET, FILES

from .programs import needs, run

pytestmark = [needs("java"), needs("javac")]


@pytest.fixture(scope="session")
async def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the compiled Fetch.java."""
    folder = tmp_path_factory.mktemp("java")
    done = await run("javac", "-d", str(folder), str(Path(__file__).with_name("Fetch.java")))
    assert done.status == 0, done.errors
    return folder


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


async def test_both_clients(classes: Path, server: Server) -> None:
    done = await run("java", "-cp", str(classes), "Fetch", server.url)
    assert done.status == 0, done.errors
    lines = done.output.decode().splitlines()
    refused = [line.rpartition(" ")[0] for line in lines[4:6]]
    assert refused == ["missing HTTP_1_1 404", "upload HTTP_1_1 405"]
    assert lines[:4] + lines[6:] == [
        f"get HTTP_1_1 200 {digest(ALPHABET)}",
        "revalidation HTTP_1_1 304 nothing",
        f"range HTTP_1_1 206 {digest(ALPHABET[2:6])}",
        f"large HTTP_1_1 200 {digest(FILES[b'30m.bin'])}",
        *[f"many HTTP_1_1 200 {digest(FILES[b'100k.bin'])}"] * 20,
        f"folder HTTP_1_1 200 {digest(FILES[b'sub/index.html'])}",
        f"old 200 {ALPHABET.decode()}",
        f"old 200 {FILES[b'sub/index.html'].decode()}",
    ]

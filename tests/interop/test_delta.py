"""zsync and zchunk's zckdl fetch what differs from an older copy, many ranges in one request.

Both were written against Apache and nginx and parse the response by lines or with regular expressions.
"""

import re
from pathlib import Path

import pytest

from tests.conformance.designs import REFERENCE
from tests.conformance.peer import send_request
from tests.conformance.server import Server, Start
from tests.conformance.tree import random_bytes
from tests.conformance.wire import get
from tests.fuzz.peers import nginx

from .programs import needs, run

BLOCK = 2048
"""The bytes of a block that zsync compares, in files of up to 100 MB."""
RANGES = 20
"""Ranges in a request of zsync."""
SEPARATOR = b"<package"
"""Where a chunk of zchunk begins."""


async def run_successfully(*arguments: str, folder: Path) -> None:
    done = await run(*arguments, folder=folder, within=30)
    assert done.status == 0, done.errors


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder that is served."""
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


@pytest.fixture
def client(tmp_path: Path) -> Path:
    """The client's own folder."""
    (tmp_path / "client").mkdir()
    return tmp_path / "client"


def requests(server: Server, path: str) -> list[tuple[int, int]]:
    """The status and number of bytes of each response to a GET of `path`, once the server has ended."""
    line = re.compile(rf'"GET {re.escape(path)} HTTP/1.1" (\d+) (\d+) ')
    return [(int(status), int(size)) for status, size in line.findall(server.log.read_text())]


@needs("zsync")
@needs("zsyncmake")
@pytest.mark.parametrize("places", [10, 120])
async def test_zsync(places: int, start: Start, root: Path, client: Path) -> None:
    """One request for each twenty places, as with nginx and Apache; a zsync that finds no part repeats its requests
    without end."""
    new = random_bytes(4 * BLOCK * places)
    old = bytearray(new)
    for at in range(2 * BLOCK, len(new), 4 * BLOCK):
        old[at] ^= 1
    (root / "new").write_bytes(new)
    (client / "old").write_bytes(old)
    await run_successfully("zsyncmake", "-b", str(BLOCK), "-u", "new", "-o", "new.zsync", "new", folder=root)
    async with start(root=root) as server:
        await run_successfully("zsync", "-q", "-i", "old", "-o", "copy", f"{server.url}/new.zsync", folder=client)
    assert (client / "copy").read_bytes() == new
    responses = requests(server, "/new")
    assert [status for status, _ in responses] == [206] * -(-places // RANGES)
    assert BLOCK * places < sum(size for _, size in responses) < 1.2 * BLOCK * places + BLOCK


@needs("zck")
@needs("zckdl")
@pytest.mark.parametrize("places", [67, 250])
async def test_zchunk(places: int, start: Start, root: Path, client: Path) -> None:
    """Two requests for the head of the file, and one for all that has changed."""
    pieces = [random_bytes(1000, seed).replace(b"<", b">") for seed in range(2 * places)]
    (root / "new").write_bytes(SEPARATOR + SEPARATOR.join(pieces))
    pieces[::2] = [random_bytes(1000, 2 * places + seed).replace(b"<", b">") for seed in range(places)]
    (client / "old").write_bytes(SEPARATOR + SEPARATOR.join(pieces))
    for name, folder in (("new", root), ("old", client)):
        arguments = ("zck", "--manual-chunk", "--split", SEPARATOR.decode(), "--output", f"{name}.zck", name)
        await run_successfully(*arguments, folder=folder)
    async with start(root=root) as server:
        await run_successfully(
            "zckdl", "--fail-no-ranges", "--source", "old.zck", f"{server.url}/new.zck", folder=client
        )
    new = (root / "new.zck").read_bytes()
    assert (client / "new.zck").read_bytes() == new
    responses = requests(server, "/new.zck")
    assert [status for status, _ in responses] == [206, 206, 206]
    assert sum(size for _, size in responses) < 0.7 * len(new)


@pytest.mark.parametrize("count", [2, 20, 255, 500])
@pytest.mark.parametrize("design", [REFERENCE], ids=[REFERENCE.name], indirect=True, scope="session")
async def test_form_is_that_of_nginx(count: int, server: Server, served_root: Path, tmp_path: Path) -> None:
    """The multipart content equals that of nginx to the byte, except for the boundary."""
    spec = ",".join(f"{at * 200}-{at * 200 + 20}" for at in range(count))
    request = get("/100k.bin", f"Range: bytes={spec}")
    async with nginx(served_root, tmp_path) as other:
        if other is None:
            pytest.skip("nginx is not installed")
        forms = []
        for address in (server.address, other):
            response = await send_request(address, request)
            media, _, boundary = (response["Content-Type"] or "").partition("=")
            forms.append((response.status, media, response.content.replace(boundary.encode(), b"*")))
    assert forms[0] == forms[1]
    assert forms[0][2].count(b"\r\n--*\r\n") == count

"""Sites in archives, as real servers: large members, a release that is switched (D14), the sandbox, what is refused."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.peer import Peer, send_request
from tests.conformance.server import Start, environment
from tests.conformance.tree import random_bytes
from tests.conformance.wire import get
from tests.storage.archives.build import MAKERS, make_zip

from .helpers import fetch_fresh, wait_for_message

BIG = random_bytes(3_000_000)
FILES = {"a.txt": b"some text\n", "index.html": b"<p>one", "d/x.txt": b"x", "big.bin": BIG}


@pytest.fixture(params=MAKERS)
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An archive to serve."""
    return MAKERS[request.param](tmp_path / f"site{request.param}", FILES)


async def test_large_members_are_sent_to_many_clients_in_whole_and_in_ranges(run: Start) -> None:
    async with run() as server:
        whole = [send_request(server.address, get("/big.bin")) for _ in range(8)]
        ranges = [send_request(server.address, get("/big.bin", f"Range: bytes={n * 300_000}-")) for n in range(10)]
        responses = await asyncio.gather(*whole, *ranges)
        assert [each.status for each in responses] == [200] * 8 + [206] * 10
        assert all(each.content == BIG for each in responses[:8])
        assert all(each.content == BIG[n * 300_000 :] for n, each in enumerate(responses[8:]))


async def test_a_release_is_switched_while_clients_read(run: Start, root: Path) -> None:
    async with run("--cache-ttl", "100ms") as server:
        async with Peer(server.address) as peer:
            await peer.send(get("/big.bin", "Connection: close"))
            begun = await peer.read_content_start()
            MAKERS[root.suffix](root, {"index.html": b"<p>two", "big.bin": bytes(3_000_000)})
            assert begun + await peer.read_to_end() == BIG
        async with asyncio.timeout(10):
            while (await fetch_fresh(server, "/")).content != b"<p>two":
                pass
        assert (await fetch_fresh(server, "/a.txt")).status == 404
        await wait_for_message(server, "a new release with 2 names")
        server.errors.write_text("")


@pytest.mark.parametrize("options", [("--sandbox",), ("--sandbox", "--workers", "2")])
async def test_the_sandbox(run: Start, root: Path, options: tuple[str, ...]) -> None:
    async with run(*options, "--cache-ttl", "100ms", allowed_errors="a new release") as server:
        assert (await fetch_fresh(server)).content == b"some text\n"
        MAKERS[root.suffix](root, {"a.txt": b"replaced"})
        async with asyncio.timeout(10):
            while (await fetch_fresh(server)).content != b"replaced":
                pass


async def test_rules_in_an_archive(run: Start, root: Path, tmp_path: Path) -> None:
    make_zip(tmp_path / "ruled.zip", {**FILES, "_headers": b"/*\n  X-Rule: 1\n", "_redirects": b"/old /a.txt 301\n"})
    async with run(root=tmp_path / "ruled.zip") as server:
        assert (await fetch_fresh(server))["X-Rule"] == "1"
        assert (await fetch_fresh(server, "/old"))["Location"] == "/a.txt"


async def test_an_archive_beside_a_directory(run: Start, root: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/f.txt").write_bytes(b"of the folder")
    async with run("--mount", f"/v1/={root}", root=tmp_path / "folder") as server:
        assert (await fetch_fresh(server, "/f.txt")).content == b"of the folder"
        assert (await fetch_fresh(server, "/v1/d/x.txt")).content == b"x"
        assert (await fetch_fresh(server, "/v1"))["Location"] == "/v1/"


async def test_a_member_that_is_damaged_ends_visibly(run: Start, tmp_path: Path) -> None:
    path = make_zip(tmp_path / "damaged.zip", FILES)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    async with run(root=path, allowed_errors="big.bin") as server, Peer(server.address) as peer:
        await peer.send(get("/big.bin"))
        begun = await peer.read_content_start()
        assert len(begun + await peer.read_to_end_or_reset()) < len(BIG)


async def test_an_archive_that_is_cut_off_while_it_is_sent_ends_visibly_d14(run: Start, root: Path) -> None:
    large = BIG * 8  # more than the kernel takes at once
    MAKERS[root.suffix](root, {**FILES, "big.bin": large})
    async with run("--cache-ttl", "100ms", allowed_errors="big.bin|site|overwritten") as server:
        async with Peer(server.address, receive_buffer=4096) as peer:
            await peer.send(get("/big.bin"))
            begun = await peer.read_content_start()
            with root.open("r+b") as file:
                file.truncate(root.stat().st_size // 2)
            content = begun + await peer.read_to_end_or_reset()
            assert len(content) < len(large)
            assert content == large[: len(content)]
        async with asyncio.timeout(10):
            while (await fetch_fresh(server)).status != 503:
                pass
        MAKERS[root.suffix](root, FILES)
        async with asyncio.timeout(10):
            while (await fetch_fresh(server)).status != 200:
                pass
        assert (await fetch_fresh(server, "/big.bin")).content == BIG


def _first_line(*arguments: str, folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "pwb_async", *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=20,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.zip", b"", "it is no ZIP archive, or not all of it is there"),
        ("x.tar", b"text", "it is no tar archive"),
        ("x.tar.gz", b"\x1f\x8b" + bytes(600), "it is compressed with gzip, which has no random access"),
        ("x.zip", None, "No such file or directory"),
    ],
)
def test_what_cannot_be_served_is_one_line(tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    status, errors = _first_line(name, "--port", "0", folder=tmp_path)
    assert (status, len(errors.splitlines())) == (1, 1), errors
    assert f"cannot serve {name}" in errors
    assert words in errors


def test_downloads_of_directories_are_refused(tmp_path: Path) -> None:
    make_zip(tmp_path / "x.zip", FILES)
    status, errors = _first_line("x.zip", "--browse", "--zip-downloads", "--port", "0", folder=tmp_path)
    assert (status, len(errors.splitlines())) == (2, 1), errors
    assert "--zip-downloads" in errors


async def test_listings(run: Start, root: Path) -> None:
    async with run("--browse") as server:
        response = await send_request(server.address, get("/d/", "Accept: application/json"))
        assert (response.status, b'"x.txt"' in response.content) == (200, True)

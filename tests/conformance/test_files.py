"""Files that the server may not read, and disks that fail (hazard C6, L4)."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .designs import Design, concurrent
from .peer import Peer, send_request
from .server import Server, Start, running
from .strace import needs_strace, strace
from .tree import ALPHABET, BIG, CANARY
from .wire import get

UNPRIVILEGED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""Drops the two capabilities by which root reads everything, so that a mode of 000 applies."""


@pytest.fixture(scope="session")
async def unprivileged(
    design: Design, served_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("setpriv is not installed, and root may read everything")
    wrapper = UNPRIVILEGED if os.geteuid() == 0 else ()
    async with running(design, served_root, log_dir=tmp_path_factory.mktemp("unprivileged"), wrapper=wrapper) as server:
        yield server


@pytest.mark.parametrize(
    ("target", "status"),
    [("/unreadable.txt", 403), ("/locked/x.txt", 403), ("/locked/", 403), ("/locked", 301), ("/unreadable.txt/", 404)],
)
async def test_unreadable_c6_l4(target: str, status: int, unprivileged: Server) -> None:
    response = await send_request(unprivileged.address, get(target))
    assert response.status == status
    assert CANARY not in response.content
    assert (await send_request(unprivileged.address, get())).content == ALPHABET


async def test_relative_links_work_and_absolute_ones_do_not_c2(start: Start, tmp_path: Path) -> None:
    """ln -sr makes a relative link of an absolute target, as SECURITY.md describes."""
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "a.txt").write_text("a")
    for name, option in (("relative", "-sr"), ("absolute", "-s")):
        subprocess.run(["ln", option, root / "a.txt", root / "sub" / name], check=True)
    async with start(root=root) as server:
        assert (await send_request(server.address, get("/sub/relative"))).content == b"a"
        assert (await send_request(server.address, get("/sub/absolute"))).status == 404


@needs_strace
@concurrent
async def test_disk_that_fails_in_the_middle_c6_d1(start: Start, served_root: Path) -> None:
    """Missing content is never padded: the connection ends, the server survives, the access log counts the bytes."""
    calls = "sendfile,pread64,preadv2,preadv"
    wrapper = strace(
        "-P", str(served_root / "30m.bin"), "-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO:when=6+"
    )
    async with start(wrapper=wrapper, allowed_errors="content cut short") as server:
        async with Peer(server.address) as peer:
            await peer.send(get("/30m.bin") + get())
            data = await peer.read_to_end_or_reset()
        assert data.startswith(b"HTTP/1.1 200 OK")
        assert data.count(b"HTTP/1.1 ") == 1, "an answer inside of an answer"
        assert len(data) < BIG
        assert (await send_request(server.address, get())).content == ALPHABET
        assert "cut short" in server.error_output()

"""Files whose size is not their length: it is 0 in /proc, and 4096 in /sys. A response holds what can be read,
GET and HEAD agree, and as the content may change with each read, there are no dates and no ranges (hazard C15)."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from pwb_async.storage.examiner import SMALL

from .peer import send_request
from .proc import process_with_command_line
from .server import Start
from .wire import get

UNKNOWN = ("Last-Modified", "Accept-Ranges", "Content-Range")


@pytest.mark.parametrize("length", [100, 10_000, SMALL])
async def test_all_of_it_is_sent_c15(length: int, start: Start) -> None:
    with process_with_command_line(length) as (folder, content):
        async with start(root=folder) as server:
            plain = await send_request(server.address, get("/cmdline"))
            assert (plain.status, plain.content) == (200, content)
            assert plain["Content-Length"] == str(length)
            for name in UNKNOWN:
                assert plain[name] is None
            head = await send_request(server.address, get("/cmdline", method="HEAD"))
            assert head.without_date == plain.without_date.removesuffix(content)
            for field in (
                "Range: bytes=0-1",
                "Range: bytes=0-1,4-5",
                "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT",
            ):
                assert (await send_request(server.address, get("/cmdline", field))).content == content
            for tag in ("*", plain["ETag"]):
                assert (await send_request(server.address, get("/cmdline", f"If-None-Match: {tag}"))).status == 304


async def test_more_than_is_held_in_memory_is_500_c15(start: Start) -> None:
    """A large generated file is refused: its length would be needed before its first byte is sent."""
    with process_with_command_line(SMALL + 1) as (folder, _):
        async with start(root=folder, allowed_errors="'/cmdline': its size is not its length") as server:
            for method in ("GET", "HEAD"):
                response = await send_request(server.address, get("/cmdline", method=method))
                assert (response.status, response["Cache-Control"]) == (500, "no-store")


def _misleading(folder: Path) -> list[str]:
    """Files that hold fewer bytes than their size, always the same ones."""
    names = []
    for path in sorted(folder.iterdir()):
        with suppress(OSError):
            if path.is_file() and 0 < len(content := path.read_bytes()) < path.stat().st_size == 4096:
                names += [path.name] if content == path.read_bytes() else []
    return names


async def test_fewer_bytes_than_the_size_c15(start: Start) -> None:
    folder = Path("/sys/kernel")
    names = _misleading(folder)
    assert names
    async with start(root=folder) as server:
        for name in names:
            content = (folder / name).read_bytes()
            response = await send_request(server.address, get(f"/{name}"))
            assert (response.status, response.content) == (200, content)
            head = await send_request(server.address, get(f"/{name}", method="HEAD"))
            assert (head["Content-Length"], head["ETag"]) == (str(len(content)), response["ETag"])


RENAMES_ITSELF = """
import sys
for line in sys.stdin:
    open("/proc/self/comm", "w").write(line.strip())
    print(flush=True)
"""


async def test_what_it_holds_now_c15(start: Start) -> None:
    """It is not cached, because no validator would reveal a change."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", RENAMES_ITSELF], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        async with start(root=Path(f"/proc/{process.pid}")) as server:
            tag = '"none"'
            for name in ("one", "another", "x"):
                process.stdin.write(f"{name}\n")
                process.stdin.flush()
                process.stdout.readline()
                response = await send_request(server.address, get("/comm", f"If-None-Match: {tag}"))
                assert (response.status, response.content) == (200, f"{name}\n".encode())
                tag = response["ETag"] or ""
                assert (await send_request(server.address, get("/comm", f"If-None-Match: {tag}"))).status == 304
        process.stdin.close()


@pytest.mark.skipif(not os.path.exists("/sys/kernel/btf/vmlinux"), reason="the kernel does not describe its types")
async def test_a_large_file_with_its_true_size(start: Start) -> None:
    """Generated files in a file system that cannot report what is in the page cache."""
    content = Path("/sys/kernel/btf/vmlinux").read_bytes()
    async with start(root=Path("/sys/kernel/btf")) as server:
        response = await send_request(server.address, get("/vmlinux"))
        assert (response.status, response.content) == (200, content)
        part = await send_request(server.address, get("/vmlinux", "Range: bytes=1000000-1999999"))
        assert (part.status, part.content) == (206, content[1_000_000:2_000_000])

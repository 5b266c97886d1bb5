"""curl: ranges, resumed downloads, HEAD, dates, redirects, uploads that are refused."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.conformance.server import Server, Start
from tests.conformance.tree import ALPHABET, BIG, CANARY, FILES, MTIME

from .programs import Completed, needs, run

pytestmark = needs("curl")


async def curl(*arguments: str) -> Completed:
    done = await run("curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", "30", *arguments)
    assert done.status == 0, done.errors
    return done


async def status(*arguments: str) -> str:
    return (await curl("--output", "/dev/null", "--write-out", "%{http_code}", *arguments)).output.decode()


async def header(url: str, name: str) -> str:
    """A field of the response to HEAD."""
    done = await curl("--head", "--output", "/dev/null", "--write-out", f"%header{{{name}}}", url)
    return done.output.decode()


async def test_get(server: Server) -> None:
    assert (await curl(server.url + "/a.txt")).output == ALPHABET


async def test_head(server: Server) -> None:
    head = (await curl("--head", server.url + "/30m.bin")).output
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert f"Content-Length: {BIG}\r\n".encode() in head


@pytest.mark.parametrize(("spec", "content"), [("2-5", b"cdef"), ("-3", b"xyz"), ("20-", b"uvwxyz")])
async def test_range(spec: str, content: bytes, server: Server) -> None:
    assert (await curl("--range", spec, server.url + "/a.txt")).output == content


async def test_resume(server: Server, tmp_path: Path) -> None:
    """An interrupted download continues where it stopped."""
    part = tmp_path / "part"
    part.write_bytes(FILES[b"30m.bin"][:12_345_678])
    code = await curl(
        "--continue-at", "-", "--output", str(part), "--write-out", "%{http_code}", server.url + "/30m.bin"
    )
    assert code.output == b"206"
    assert part.read_bytes() == FILES[b"30m.bin"]


async def test_resume_of_what_was_replaced_9110_13_1_5(start: Start, tmp_path: Path) -> None:
    """With If-Range the whole new file is sent, so curl gives up; never does it join two versions."""
    root, part = tmp_path / "root", tmp_path / "part"
    root.mkdir()
    (root / "file").write_bytes(bytes(200_000))
    os.utime(root / "file", (MTIME, MTIME))
    async with start(root=root) as server:
        tag = await header(server.url + "/file", "etag")
        part.write_bytes(bytes(100_000))
        (root / "new").write_bytes(b"1" * 200_000)
        (root / "new").replace(root / "file")
        async with asyncio.timeout(10):
            while await header(server.url + "/file", "etag") == tag:
                pass
        arguments = ("--continue-at", "-", "--output", str(part), "--header", f"If-Range: {tag}")
        done = await run("curl", "--silent", "--noproxy", "*", *arguments, server.url + "/file")
        assert done.status == 33, "the server is expected to send the whole file"
        assert part.read_bytes() == bytes(100_000)
        assert (await curl(server.url + "/file")).output == b"1" * 200_000


async def test_only_if_newer(server: Server, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    await curl("--remote-time", "--output", str(copy), server.url + "/a.txt")
    assert await status("--time-cond", str(copy), server.url + "/a.txt") == "304"


async def test_only_if_changed(server: Server, tmp_path: Path) -> None:
    tag = tmp_path / "tag"
    await curl("--etag-save", str(tag), "--output", "/dev/null", server.url + "/a.txt")
    assert await status("--etag-compare", str(tag), server.url + "/a.txt") == "304"


async def test_redirect(server: Server) -> None:
    assert (await curl("--location", server.url + "/sub")).output == FILES[b"sub/index.html"]


@pytest.mark.parametrize("path", ["/../secret.txt", "/sub/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt"])
async def test_path_as_is_c1(path: str, server: Server) -> None:
    done = await curl("--path-as-is", "--write-out", "%{http_code}", server.url + path)
    assert done.output[-3:] in (b"400", b"404")
    assert CANARY not in done.output


async def test_upload_is_refused_a13(server: Server, tmp_path: Path) -> None:
    """curl first sends Expect: 100-continue, and later its content without it if it must."""
    big = tmp_path / "big"
    big.write_bytes(bytes(8 << 20))
    assert await status("--upload-file", str(big), server.url + "/new") == "405"
    assert await status("--header", "Expect:", "--upload-file", str(big), server.url + "/new") == "405"
    assert await status("--header", "Expect:", "--data-binary", f"@{big}", server.url + "/new") == "405"


async def test_upload_of_unknown_length_is_refused(server: Server, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.write_bytes(bytes(1000))
    chunked = ("--header", "Transfer-Encoding: chunked", "--header", "Expect:")
    assert await status(*chunked, "--upload-file", str(small), server.url + "/new") == "405"


async def test_http_1_0(server: Server) -> None:
    assert (await curl("--http1.0", server.url + "/a.txt")).output == ALPHABET


async def test_upgrade_to_http_2_is_not_taken_a16(server: Server) -> None:
    assert (await curl("--http2", server.url + "/a.txt")).output == ALPHABET


async def test_connection_is_used_again(server: Server) -> None:
    """Three files take one connection, or three with a design that keeps none alive."""
    arguments = ["--write-out", "%{num_connects} "]
    for target in ("/a.txt", "/100k.bin", "/sub/"):
        arguments += ["--output", "/dev/null", server.url + target]
    assert (await curl(*arguments)).output == (b"1 0 0 " if server.design.keeps_alive else b"1 1 1 ")

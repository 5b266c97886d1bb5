"""An S3 server whose bucket has a million objects that are made when they are asked for.

    python -m tests.storage.object_store.synthetic [OBJECTS]

It prints its address. Beneath site/all/ the bucket has so many small objects, beneath site/deep/ a hundred folders with
a thousand objects each, and one large object, site/big.bin. Signatures are not checked.
"""

import asyncio
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import md5
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from .stores import started

MILLION: Final = 1_000_000
BIG: Final = 100 << 20
"""Bytes of site/big.bin."""
_MODIFIED: Final = "2020-09-13T12:26:40.000Z"
_MODIFIED_HTTP: Final = "Sun, 13 Sep 2020 12:26:40 GMT"
_SLICE: Final = bytes(range(256)) * 4096
_NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"


@contextmanager
def synthetic(objects: int = MILLION) -> Iterator[int]:
    """Runs the server; yields its port."""
    with started(sys.executable, "-m", "tests.storage.object_store.synthetic", str(objects), folder=".") as port:
        yield port


class Bucket:
    """The objects of the bucket."""

    def __init__(self, objects: int) -> None:
        deep = (f"site/deep/{folder:02d}/{number:04d}.txt" for folder in range(100) for number in range(1000))
        some = ("site/index.html", "site/big.bin", "site/a.txt")
        self.keys = sorted([*(f"site/all/{number:07d}.txt" for number in range(objects)), *deep, *some])

    def content(self, key: str) -> bytes | None:
        """The content of a small object; None if there is none."""
        place = bisect_left(self.keys, key)
        is_there = place < len(self.keys) and self.keys[place] == key
        return f"the content of {key}\n".encode() if is_there else None

    def listing(self, query: dict[str, str]) -> bytes:
        """The answer to ListObjectsV2."""
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        most = min(1000, int(query.get("max-keys", "1000")))
        after = query.get("continuation-token") or query.get("start-after") or ""
        place = max(bisect_left(self.keys, prefix), bisect_right(self.keys, after))
        parts: list[str] = []
        while place < len(self.keys) and self.keys[place].startswith(prefix) and len(parts) < most:
            after = key = self.keys[place]
            name, slash, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            if slash:
                folder = prefix + name + slash
                parts.append(f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>")
                after = folder + "\U0010ffff"
                place = bisect_left(self.keys, after)
                continue
            parts.append(
                f"<Contents><Key>{escape(key)}</Key><LastModified>{_MODIFIED}</LastModified>"
                f"<ETag>&quot;{tag_of(key)}&quot;</ETag><Size>{size_of(key)}</Size></Contents>"
            )
            place += 1
        is_cut = place < len(self.keys) and self.keys[place].startswith(prefix)
        parts.append(f"<IsTruncated>{str(is_cut).lower()}</IsTruncated>")
        if is_cut:
            parts.append(f"<NextContinuationToken>{escape(after)}</NextContinuationToken>")
        return f'<ListBucketResult xmlns="{_NAMESPACE}">{"".join(parts)}</ListBucketResult>'.encode()


def size_of(key: str) -> int:
    """The bytes of an object."""
    return BIG if key.endswith(".bin") else len(f"the content of {key}\n")


def tag_of(key: str) -> str:
    """The opaque part of its entity tag."""
    return md5(key.encode()).hexdigest()


def answer(bucket: Bucket, method: str, target: str, fields: dict[str, str]) -> bytes:
    """The response to a request."""
    parts = urlsplit(target)
    key = unquote(parts.path).removeprefix("/bucket").removeprefix("/")
    if not key:
        return response(200, bucket.listing({name: values[0] for name, values in parse_qs(parts.query).items()}))
    if bucket.content(key) is None:
        return response(404, b"<Error><Code>NoSuchKey</Code></Error>")
    tag = f'"{tag_of(key)}"'
    about = f"ETag: {tag}\r\nLast-Modified: {_MODIFIED_HTTP}\r\nAccept-Ranges: bytes\r\n"
    if fields.get("if-none-match") == tag:
        return response(304, b"", about)
    if fields.get("if-match", tag) != tag:
        return response(412, b"<Error/>", about)
    size = size_of(key)
    first, last = 0, size - 1
    if "range" in fields:
        start, _, end = fields["range"].removeprefix("bytes=").partition("-")
        first, last = int(start), min(int(end or last), last)
        about += f"Content-Range: bytes {first}-{last}/{size}\r\n"
    if method == "HEAD":
        return response(200, b"", about, size)
    content = (_SLICE * 2)[: last - first + 1] if key.endswith(".bin") else bucket.content(key) or b""
    return response(206 if "range" in fields else 200, content, about)


def response(status: int, content: bytes, about: str = "", length: int | None = None) -> bytes:
    """A response with some content. length: what is said to a HEAD."""
    count = len(content) if length is None else length
    size = "" if status == 304 else f"Content-Length: {count}\r\n"
    return f"HTTP/1.1 {status} -\r\n{about}{size}\r\n".encode() + content


async def serve(objects: int) -> None:
    """Serve until the process is ended."""
    bucket = Bucket(objects)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                method, target, _ = lines[0].split(" ")
                fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
                writer.write(answer(bucket, method, target, fields))
                await writer.drain()
                if fields.get("connection") == "close":
                    break
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]) if len(sys.argv) > 1 else MILLION))

"""The client, against real stores, and against some that are odd (hazards D15, E13, G5)."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pwb_async.storage.deferred import FetchError
from pwb_async.storage.object_store.client import SLICE, UNCHANGED, StoreClient
from pwb_async.storage.object_store.folders import Listing
from pwb_async.storage.object_store.status import ObjectStatus
from tests.conformance.tree import random_bytes

from .stores import KEY, SECRET, FaultyProxy, moto, rclone, settings
from .synthetic import synthetic

FILES = {
    "site/a.txt": b"some text",
    "site/empty.txt": b"",
    "site/d/e/x~y (1).txt": b"odd",
    "site/big.bin": random_bytes(2 * SLICE + 1000),
    "other/secret.txt": b"canary",
}
MTIME = 1_600_000_000


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    bucket = tmp_path_factory.mktemp("store") / "bucket"
    for name, content in FILES.items():
        (bucket / name).parent.mkdir(parents=True, exist_ok=True)
        (bucket / name).write_bytes(content)
        os.utime(bucket / name, (MTIME, MTIME))
    return bucket


@pytest.fixture(scope="module")
def rclone_proxy(bucket: Path) -> Iterator[FaultyProxy]:
    with rclone(bucket.parent) as port, FaultyProxy(port).running() as proxy:
        yield proxy


@pytest.fixture(scope="module")
def moto_proxy() -> Iterator[FaultyProxy]:
    boto3 = pytest.importorskip("boto3")
    with moto() as port:
        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )
        client.create_bucket(Bucket="bucket")
        for name, content in FILES.items():
            client.put_object(Bucket="bucket", Key=name, Body=content)
        client.close()
        with FaultyProxy(port).running() as proxy:
            yield proxy


@pytest.fixture(scope="module")
def proxies_of_many() -> Iterator[FaultyProxy]:
    with synthetic(200_000) as port, FaultyProxy(port).running() as proxy:
        yield proxy


@pytest.fixture(params=["rclone_proxy", "moto_proxy"])
def proxy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    proxy: FaultyProxy = request.getfixturevalue(request.param)
    for name, value in settings(proxy.port).items():
        monkeypatch.setenv(name, value)
    yield proxy
    proxy.fault = lambda method, target: ""


async def test_objects(proxy: FaultyProxy) -> None:
    client = StoreClient("s3://bucket/site", 5)
    found = await client.call("get", ("a.txt", ""))
    assert isinstance(found, tuple)
    status, content = found
    assert (status.size, content, status.etag[0]) == (9, b"some text", '"')
    assert await client.call("get", ("a.txt", status.etag)) == UNCHANGED
    assert await client.call("get", ("a.txt", '"other"')) == found
    assert await client.call("head", ("a.txt",)) == status
    assert await client.call("get", ("missing.txt", "")) is None
    assert await client.call("head", ("missing.txt",)) is None
    empty, content = await client.call("get", ("empty.txt", ""))
    assert (empty.size, content) == (0, b"")
    assert (await client.call("get", ("d/e/x~y (1).txt", "")))[1] == b"odd"


async def test_slices(proxy: FaultyProxy) -> None:
    client, whole = StoreClient("s3://bucket/site", 5), FILES["site/big.bin"]
    status, first = await client.call("get", ("big.bin", ""))
    slices = [first, *[await client.call("get_slice", ("big.bin", status, number)) for number in (1, 2)]]
    assert [len(each) for each in slices] == [SLICE, SLICE, 1000]
    assert b"".join(slices) == whole
    assert await client.call("get_slice", ("missing.bin", status, 0)) is None


async def test_directories(proxy: FaultyProxy) -> None:
    client = StoreClient("s3://bucket/site", 5)
    assert [await client.call("holds_any", (each,)) for each in ("", "d", "d/e", "x", "a", "a.txt")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]
    listing = await client.call("list_folder", ("",))
    assert (listing.folders, set(listing.files)) == (("d",), {"a.txt", "empty.txt", "big.bin"})
    assert listing.files["a.txt"] == await client.call("head", ("a.txt",))
    assert set((await client.call("list_folder", ("d/e",))).files) == {"x~y (1).txt"}


@pytest.mark.parametrize("fault", ["reset", "truncate", "503"])
async def test_a_fault_that_passes_is_not_seen(proxy: FaultyProxy, fault: str) -> None:
    client, faults = StoreClient("s3://bucket/site", 5), iter([fault])
    proxy.fault = lambda method, target: next(faults, "")
    assert (await client.call("get", ("a.txt", "")))[1] == b"some text"


@pytest.mark.parametrize("fault", ["reset", "truncate", "500", "stall"])
async def test_a_fault_that_stays_is_an_error_without_credentials(proxy: FaultyProxy, fault: str) -> None:
    client = StoreClient("s3://bucket/site", 1)
    proxy.fault = lambda method, target: fault
    for method, arguments in (("get", ("a.txt", "")), ("holds_any", ("",)), ("list_folder", ("",))):
        with pytest.raises((FetchError, TimeoutError)) as caught:
            async with asyncio.timeout(10):
                await client.call(method, arguments)
        assert KEY not in str(caught.value)
        assert "http" not in str(caught.value)
    proxy.fault = lambda method, target: ""
    assert (await client.call("get", ("a.txt", "")))[1] == b"some text"


async def test_what_the_store_refuses_has_a_reason(rclone_proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in settings(rclone_proxy.port).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(FetchError, match="no such bucket"):
        await StoreClient("s3://nothing", 5).call("holds_any", ("",))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
    for method, arguments in (("get", ("a.txt", "")), ("holds_any", ("",))):
        with pytest.raises(FetchError, match="refuses the credentials"):
            await StoreClient("s3://bucket", 5).call(method, arguments)


def error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>{KEY}</Message></Error>".encode()


@contextlib.asynccontextmanager
async def answering(status: int, content: bytes = b"", field: str = "") -> AsyncIterator[str]:
    """A store that gives everything the same answer."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                head = f"HTTP/1.1 {status} -\r\n{field}Content-Length: {len(content)}\r\n\r\n"
                writer.write(head.encode() + content)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


ANSWERS = [
    (403, error("InvalidAccessKeyId"), "", "refuses the credentials"),
    (403, error("SignatureDoesNotMatch"), "", "refuses the credentials"),
    (400, error("AuthorizationHeaderMalformed"), "", r"answers with 400 \(AuthorizationHeaderMalformed\)"),
    (301, error("PermanentRedirect"), "x-amz-bucket-region: eu-central-1\r\n", "AWS_REGION may be wrong"),
    (302, b"", "", "AWS_REGION may be wrong"),
    (302, b"", "Location: http://127.0.0.1:1/\r\n", "cannot be reached"),
    (200, b"some text", "", "none of its protocol"),
    (429, b"", "", "answers with 429"),
    (501, error("NotImplemented"), "", r"answers with 501 \(NotImplemented\)"),
]


@pytest.mark.parametrize(("status", "content", "field", "words"), ANSWERS, ids=lambda value: str(value)[:20])
async def test_an_answer_of_an_odd_store_has_a_reason(
    status: int, content: bytes, field: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with answering(status, content, field) as address:
        for name, value in settings(0).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        for method, arguments in (("get", ("a.txt", "")), ("holds_any", ("",)), ("list_folder", ("",))):
            with pytest.raises(FetchError, match=words) as caught:
                await StoreClient("s3://bucket", 2).call(method, arguments)
            assert KEY not in str(caught.value)
            assert address not in str(caught.value)


@pytest.mark.parametrize(
    ("range_of_answer", "content"),
    [
        ("0-9/20", b"x" * 10),  # another one
        (f"{SLICE}-{SLICE + 9}/{2 * SLICE}", b"x" * 10),  # less
        (f"{SLICE}-{2 * SLICE - 1}/{2 * SLICE}", b"x" * 10),  # as it should be, with less content
        (f"{SLICE}-{2 * SLICE + 9}/{3 * SLICE}", b"x" * (SLICE + 10)),  # more
    ],
)
async def test_a_store_that_lies_about_ranges_e13(
    range_of_answer: str, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = f'ETag: "a"\r\nLast-Modified: Sun, 13 Sep 2020 12:26:40 GMT\r\nContent-Range: bytes {range_of_answer}\r\n'
    async with answering(206, content, about) as address:
        for name, value in settings(0).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        status = ObjectStatus(2 * SLICE, MTIME, '"a"')
        client = StoreClient("s3://bucket", 2)
        with pytest.raises(FetchError):
            await client.call("get_slice", ("a.bin", status, 1))
        with pytest.raises(FetchError):
            await client.call("get", ("a.bin", ""))


async def test_keys_that_obstore_does_not_accept(moto_proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in settings(moto_proxy.port).items():
        monkeypatch.setenv(name, value)
    boto3 = pytest.importorskip("boto3")
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{moto_proxy.port}")
    for key in ("odd/a//b.txt", "odd/c.txt", "marked/", "marked/empty/", "marked/d/", "marked/d/x.txt", "marked/f"):
        client.put_object(Bucket="bucket", Key=key, Body=b"")
    client.close()
    odd = StoreClient("s3://bucket/odd", 5)
    assert await odd.call("holds_any", ("",))
    assert await odd.call("list_folder", ("",)) == Listing(("a",), {"c.txt": await odd.call("head", ("c.txt",))})
    with pytest.raises(FetchError, match="an empty name"):
        await odd.call("list_folder", ("a",))
    listing = await StoreClient("s3://bucket/marked", 5).call("list_folder", ("",))
    assert (set(listing.folders), set(listing.files)) == ({"empty", "d"}, {"f"})


@pytest.mark.parametrize("head_start", [0, 0.1])
async def test_folders_with_many_objects(
    head_start: float, monkeypatch: pytest.MonkeyPatch, proxies_of_many: FaultyProxy
) -> None:
    for name, value in settings(proxies_of_many.port).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("pwb_async.storage.object_store.folders._HEAD_START", head_start)
    client = StoreClient("s3://bucket/site", 20)
    requests = proxies_of_many.asked()
    listing = await client.call("list_folder", ("all",))
    assert len(listing.files) == 101_000
    assert proxies_of_many.asked() - requests < 101 + 150, "the other way, which takes 200 requests, was stopped"
    assert min(listing.files) == "0000000.txt"
    assert len((await client.call("list_folder", ("deep",))).folders) == 100
    listing = await client.call("list_folder", ("",))
    assert (set(listing.folders), set(listing.files)) == ({"all", "deep"}, {"a.txt", "big.bin", "index.html"})
    assert await client.call("list_folder", ("none",)) == Listing((), {})


async def test_an_object_that_changes_between_two_slices(
    rclone_proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings(rclone_proxy.port).items():
        monkeypatch.setenv(name, value)
    client = StoreClient("s3://bucket/site", 5)
    status, _ = await client.call("get", ("big.bin", ""))
    old = ObjectStatus(status.size, status.mtime_ns, '"of-another-version"')
    assert await client.call("get_slice", ("big.bin", old, 1)) is None

"""The client, against real stores."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pwb_async.storage.deferred import FetchError
from pwb_async.storage.object_store.client import SLICE, UNCHANGED, ObjectStatus, StoreClient
from tests.conformance.tree import random_bytes

from .stores import KEY, SECRET, FaultyProxy, moto, rclone, settings

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


async def test_an_object_that_changes_between_two_slices(
    rclone_proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings(rclone_proxy.port).items():
        monkeypatch.setenv(name, value)
    client = StoreClient("s3://bucket/site", 5)
    status, _ = await client.call("get", ("big.bin", ""))
    old = ObjectStatus(status.size, status.mtime_ns, '"of-another-version"')
    assert await client.call("get_slice", ("big.bin", old, 1)) is None

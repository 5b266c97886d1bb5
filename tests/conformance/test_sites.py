"""Rows about options, each table on a site of its own, on every design."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

import pytest

from pwb_legacy.compare.checks.rows import Row

from .designs import REFERENCE, Design
from .rows import caching, clean_urls, digests, downloads, error_pages, hosts, listing, mounts, spa
from .rows.site import RowSite
from .server import Server, running
from .test_rows import check_row

SITES: Final = {
    **caching.SITES,
    **mounts.SITES,
    **hosts.SITES,
    **digests.SITES,
    **downloads.SITES,
    **listing.SITES,
    **error_pages.SITES,
    **spa.SITES,
    **clean_urls.SITES,
}


@pytest.fixture(scope="session")
def row_site(request: pytest.FixtureRequest) -> RowSite:
    """The site that a test names."""
    return SITES[request.param]


@pytest.fixture(scope="session")
def site_root(row_site: RowSite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return row_site.build(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
async def site_server(
    design: Design, row_site: RowSite, site_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    async with _running(design, row_site, site_root, tmp_path_factory.mktemp(design.name)) as server:
        yield server


@pytest.fixture(scope="session")
async def site_reference(
    row_site: RowSite, site_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    async with _running(REFERENCE, row_site, site_root, tmp_path_factory.mktemp("reference")) as server:
        yield server


def _running(design: Design, site: RowSite, root: Path, log_dir: Path) -> AbstractAsyncContextManager[Server]:
    allowed, folder = site.allowed_errors, root.parent
    return running(design, root, *site.options, log_dir=log_dir, allowed_errors=allowed, folder=folder)


@pytest.mark.parametrize(
    ("row_site", "row"),
    [pytest.param(name, row, id=f"{name}-{row.id}") for name, site in SITES.items() for row in site.rows],
    indirect=["row_site"],
    scope="session",
)
async def test_row_of_a_site(row: Row, site_server: Server, site_reference: Server) -> None:
    await check_row(row, site_server, site_reference)

"""Rows about options, each table on a site of its own, on every design."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from pwb_legacy.compare.checks.rows import Row

from .designs import REFERENCE, Design
from .exchange import assert_same, check, exchange
from .rows import caching
from .rows.site import RowSite
from .server import Server, running
from .test_rows import check_any

SITES: Final = {**caching.SITES}


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
    log_dir, allowed = tmp_path_factory.mktemp(design.name), row_site.allowed_errors
    async with running(design, site_root, *row_site.options, log_dir=log_dir, allowed_errors=allowed) as server:
        yield server


@pytest.fixture(scope="session")
async def site_reference(
    row_site: RowSite, site_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    log_dir, allowed = tmp_path_factory.mktemp("reference"), row_site.allowed_errors
    async with running(REFERENCE, site_root, *row_site.options, log_dir=log_dir, allowed_errors=allowed) as server:
        yield server


@pytest.mark.parametrize(
    ("row_site", "row"),
    [pytest.param(name, row, id=f"{name}-{row.id}") for name, site in SITES.items() for row in site.rows],
    indirect=["row_site"],
    scope="session",
)
async def test_row_of_a_site(row: Row, site_server: Server, site_reference: Server) -> None:
    for _ in range(2):  # from the disk, and from the cache where there is one
        responses = await exchange(site_server, row.requests, len(row.responses), row.ends)
        for response, expected in zip(responses, row.responses, strict=False):
            check(expected, response, site_server.design.keeps_alive)
            check_any(response)
    reference = await exchange(site_reference, row.requests, len(row.responses), row.ends)
    assert_same(responses, reference, site_server)

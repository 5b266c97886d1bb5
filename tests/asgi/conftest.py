"""The servers of other projects, with the application in them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conformance.designs import Design
from tests.conformance.server import Server, running

from .servers import OTHERS_ERRORS, SERVERS


@pytest.fixture(scope="session", params=SERVERS, ids=lambda design: design.name)
def other_design(request: pytest.FixtureRequest) -> Design:
    """Each of them in turn; pytest runs the tests of one together."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
async def other(
    other_design: Design, served_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    """One of them with the folder of the suite, and default options."""
    log_dir = tmp_path_factory.mktemp(other_design.name)
    async with running(other_design, served_root, log_dir=log_dir, allowed_errors=OTHERS_ERRORS) as server:
        yield server

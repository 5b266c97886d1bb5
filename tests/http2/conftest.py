"""The fixture of a server that speaks HTTP/2 without TLS."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.designs import Design
from tests.conformance.server import Server, Start, running

H2C = Design("h2c", ("pwb_async", "--http2"))
"""pwb_async on a port without TLS that understands HTTP/2, too."""


@pytest.fixture(scope="session")
async def h2c(served_root: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A server with default options, for the whole session."""
    async with running(H2C, served_root, log_dir=tmp_path_factory.mktemp("h2c")) as server:
        yield server


@pytest.fixture
def start(served_root: Path, tmp_path: Path) -> Start:
    """Starts a server with options of its own that speaks HTTP/2."""

    def begin(*options: str, root: Path = served_root, **more: Any) -> AbstractAsyncContextManager[Server]:
        return running(H2C, root, *options, log_dir=tmp_path, **more)

    return begin

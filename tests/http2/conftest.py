"""The fixtures of servers that speak HTTP/2."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.conformance.designs import Design
from tests.conformance.server import Server, Start, running

H2C: Final = Design("h2c", ("pwb_async", "--http2"))
"""pwb_async on a port without TLS that understands HTTP/2, too."""
H2: Final = Design("h2", ("pwb_async",), tls=True)
"""pwb_async with TLS."""


@pytest.fixture(scope="session", params=[H2C, H2], ids=lambda design: design.name)
def design(request: pytest.FixtureRequest) -> Design:
    """HTTP/2 without and with TLS."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
async def server(design: Design, served_root: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """The design with its default options. A fixture of its own: pytest would go on with the server of the last design
    of the other tests, as it ends a fixture of the session only when the parameter of the same `design` changes."""
    async with running(design, served_root, log_dir=tmp_path_factory.mktemp(design.name)) as server:
        yield server


@pytest.fixture
def start_h2c(served_root: Path, tmp_path: Path) -> Start:
    """Starts a server with options of its own that speaks HTTP/2 without TLS."""

    def begin(*options: str, root: Path = served_root, **more: Any) -> AbstractAsyncContextManager[Server]:
        return running(H2C, root, *options, log_dir=tmp_path, **more)

    return begin

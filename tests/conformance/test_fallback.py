"""Where the kernel has no openat2, or a container forbids it, paths are opened name by name, with the same responses
(hazard C4). The choice is made at the start, and no later error changes it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pwb_legacy.compare.checks.rows import Row

from .designs import REFERENCE, Design
from .exchange import assert_same, check, exchange
from .peer import send_request
from .rows import names
from .server import Server, running
from .strace import needs_strace, strace
from .tree import ALPHABET
from .wire import get

pytestmark = needs_strace


@pytest.fixture(scope="module", params=["ENOSYS", "EPERM"])
async def walking(
    request: pytest.FixtureRequest, served_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    """The reference without openat2; one design suffices, because all use the same storage."""
    wrapper = strace("-e", "trace=openat2", "-e", f"inject=openat2:error={request.param}")
    async with running(REFERENCE, served_root, log_dir=tmp_path_factory.mktemp("walking"), wrapper=wrapper) as server:
        yield server


@pytest.mark.parametrize("row", names.ROWS, ids=lambda row: row.id)
async def test_row_without_openat2_c4(row: Row, walking: Server, reference: Server) -> None:
    responses = await exchange(walking, row.requests, len(row.responses), row.ends)
    for response, expected in zip(responses, row.responses, strict=True):
        check(expected, response)
    assert_same(responses, await exchange(reference, row.requests, len(row.responses), row.ends), walking)


async def test_without_openat2_c4(design: Design, served_root: Path, tmp_path: Path) -> None:
    """Each design follows links inside the site, and none that leads out."""
    wrapper = strace("-e", "trace=openat2", "-e", "inject=openat2:error=EPERM")
    async with running(design, served_root, log_dir=tmp_path, wrapper=wrapper) as server:
        assert (await send_request(server.address, get("/link-in-up"))).content == ALPHABET
        for target in (
            "/link-out",
            "/link-out-folder/secret.txt",
            "/link-magic/etc/passwd",
            "/link-out-absolute/",
            "/link-in-absolute",
        ):
            assert (await send_request(server.address, get(target))).status == 404


async def test_race_is_tried_again_c4(served_root: Path, tmp_path: Path) -> None:
    """EAGAIN means that a name changed during the lookup; the third attempt succeeds."""
    wrapper = strace("-e", "trace=openat2", "-e", "inject=openat2:error=EAGAIN:when=1..2")
    async with running(REFERENCE, served_root, "--cache", "off", log_dir=tmp_path, wrapper=wrapper) as server:
        assert (await send_request(server.address, get())).content == ALPHABET

"""Where the kernel has no openat2, or a container forbids it, the way beneath the root is walked name by name, and
the answers are the same (hazard C4). What is settled at the start is never settled anew by an error."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conformance.rows.row import Row

from .designs import REFERENCE, Design
from .exchange import same, talk
from .peer import ask
from .rows import names
from .server import Server, running
from .strace import needs_strace, strace
from .tree import LETTERS
from .wire import get

pytestmark = needs_strace


@pytest.fixture(scope="module", params=["ENOSYS", "EPERM"])
async def walking(
    request: pytest.FixtureRequest, site: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    """The reference without openat2: the disk is the same one for all designs."""
    wrapper = strace("-e", "trace=openat2", "-e", f"inject=openat2:error={request.param}")
    async with running(REFERENCE, site, papers=tmp_path_factory.mktemp("walking"), wrapper=wrapper) as server:
        yield server


@pytest.mark.parametrize("row", names.ROWS, ids=lambda row: row.id)
async def test_row_without_openat2_c4(row: Row, walking: Server, reference: Server) -> None:
    answers = await talk(walking, row.requests, len(row.answers), row.ends)
    for answer, expected in zip(answers, row.answers, strict=True):
        expected.check(answer)
    same(answers, await talk(reference, row.requests, len(row.answers), row.ends), walking)


async def test_without_openat2_c4(design: Design, site: Path, tmp_path: Path) -> None:
    """Each design finds its way, and no way out."""
    wrapper = strace("-e", "trace=openat2", "-e", "inject=openat2:error=EPERM")
    async with running(design, site, papers=tmp_path, wrapper=wrapper) as server:
        assert (await ask(server.address, get("/link-in-up"))).content == LETTERS
        for target in (
            "/link-out",
            "/link-out-folder/secret.txt",
            "/link-magic/etc/passwd",
            "/link-out-absolute/",
            "/link-in-absolute",
        ):
            assert (await ask(server.address, get(target))).status == 404


async def test_race_is_tried_again_c4(site: Path, tmp_path: Path) -> None:
    """EAGAIN says that something was renamed in between: the third try answers."""
    wrapper = strace("-e", "trace=openat2", "-e", "inject=openat2:error=EAGAIN:when=1..2")
    async with running(REFERENCE, site, "--cache", "off", papers=tmp_path, wrapper=wrapper) as server:
        assert (await ask(server.address, get())).content == LETTERS

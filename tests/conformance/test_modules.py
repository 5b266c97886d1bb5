"""The modules that a running server has imported: no mode imports the libraries of another."""

import re
import sys
from pathlib import Path

import pytest

from .designs import DESIGNS, FIXED, Design
from .peer import send_request
from .server import running
from .wire import get

LIBRARIES = {"asyncio", "uvloop", "aiofiles", "gevent", "greenlet", "multiprocessing"}
NEEDS = {
    "async-uvloop": {"asyncio", "uvloop", "aiofiles"},
    "async-asyncio": {"asyncio", "aiofiles"},
    "gevent": {"gevent", "greenlet"},
}
"""The libraries that a design may import; a design without an entry may import none."""


def imported(report: str) -> set[str]:
    """The names of top-level packages in the output of -X importtime."""
    return {name.partition(".")[0] for name in re.findall(r"^import time: .*\| *([\w.]+)$", report, re.MULTILINE)}


@pytest.mark.parametrize("design", [*DESIGNS, FIXED], ids=lambda design: design.name)
async def test_imports_only_what_it_needs(design: Design, served_root: Path, tmp_path: Path) -> None:
    slow = ("sh", "-c", 'shift && exec "$0" -X importtime "$@"', sys.executable)
    async with running(design, served_root, log_dir=tmp_path, wrapper=slow, allowed_errors="^import time:") as server:
        assert (await send_request(server.address, get())).status == 200
    names = imported(server.error_output())
    assert "pwb_async" in names
    assert names & LIBRARIES <= NEEDS.get(design.name, set())
    if design.command[0] == "pwb_async":
        assert "pwb_legacy" not in names
    assert "pwb_legacy.compare" not in server.error_output(), "no server pays for the laboratory"
    own = set(re.findall(r"\| *pwb_async\.([\w.]+)$", server.error_output(), re.MULTILINE))
    if design.command[0] == "pwb_legacy":
        assert not {name.partition(".")[0] for name in own} & {"server", "workers"}
    assert not {name for name in own if "trac" in name}, "nobody has asked for a timeline"
    slow_disk = "storage.slow_disk" in own
    assert slow_disk is (design.name == "gevent"), "only gevent has to load it before it is asked for"

"""Fixtures of these tests: a small root, and servers with their own options."""

import os
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.designs import Design
from tests.conformance.server import Server, Start, running

from .helpers import BIG, TEXT


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder to serve: a.txt, and a large file for slow readers."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.txt").write_bytes(TEXT)
    with (root / "big.bin").open("wb") as file:
        file.truncate(BIG)
    for path in root.iterdir():
        os.utime(path, (1_600_000_000, 1_600_000_000))
    return root


@pytest.fixture(params=["uvloop", "asyncio"])
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def run(loop: str, root: Path, tmp_path: Path) -> Start:
    """Starts the server: `async with run("--workers", "2") as server`; its current folder is `tmp_path`."""

    def begin(*options: str, **more: Any) -> AbstractAsyncContextManager[Server]:
        design = Design(f"async-{loop}", ("pwb_async", "--loop", loop))
        return running(design, more.pop("root", root), *options, log_dir=tmp_path, **more)

    return begin

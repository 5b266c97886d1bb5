"""The essential rows as the laboratory judges them: every design passes, Python's http.server does not."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pwb_legacy.compare.checks.equality import say
from pwb_legacy.compare.checks.essential_rows import FILES, ROWS, write_site
from pwb_legacy.compare.checks.findings import Finding
from pwb_legacy.compare.checks.judge import judge
from pwb_legacy.compare.load.messages import Address

from . import tree
from .rows import ROWS as ALL_ROWS
from .server import Server


def failures(address: Address) -> dict[str, list[Finding]]:
    """The findings of the judge, by the id of each row that the server fails."""
    found = {row.id: judge(row, say(address, b"".join(row.requests))) for row in ROWS}
    return {name: words for name, words in found.items() if words}


def test_the_suite_holds_each_of_them() -> None:
    assert [row.id for row in ROWS if row not in ALL_ROWS] == []


def test_the_served_folder_holds_their_site() -> None:
    assert {name: tree.FILES[name.encode()] for name in FILES} == FILES


async def test_every_design_keeps_them(server: Server) -> None:
    assert await asyncio.to_thread(failures, server.address) == {}


@pytest.fixture
def http_server(tmp_path: Path) -> Iterator[Address]:
    """The address of Python's own server, serving the site of the essential rows."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    with subprocess.Popen(
        command, cwd=write_site(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            match = re.search(r"port (\d+)", process.stdout.readline())
            assert match is not None
            yield "127.0.0.1", int(match[1])
        finally:
            process.kill()


def test_the_judge_names_the_rows_that_another_server_fails(http_server: Address) -> None:
    found = failures(http_server)
    assert found["B7-no-host"] == [Finding("status", 200, (400,))]
    assert found["3.2.2-absolute-form"][0] == Finding("status", 404, (200,))
    for kept in ("9110-9.3.1-get", "9110-9.3.2-head-has-no-content", "9110-15.5.5-missing", "9110-8.6-size-102400"):
        assert kept not in found
    assert not [name for name in found if name.startswith("C1-")]

"""docs/operation.md names every metric, and what it shows of HAProxy is valid."""

import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

from pwb_async.metrics.cells import BOUNDS, ROW_LENGTH
from pwb_async.metrics.families import Kind, families

PAGE = (Path(__file__).parents[2] / "docs" / "operation.md").read_text()


def test_the_table_has_every_metric() -> None:
    suffixes = {Kind.COUNTER: "_total", Kind.INFO: "_info"}
    exist = {family.name + suffixes.get(family.kind, "") for family in families([1] * ROW_LENGTH)}
    exist |= {"pwb_workers", "pwb_ready", "pwb_build_info", "process_start_time_seconds"}
    assert set(re.findall(r"`((?:pwb|http|process)_\w+)`", PAGE)) == exist
    assert f"{len(BOUNDS)} bounds from 50 µs to 10 s" in PAGE


@pytest.mark.skipif(not shutil.which("haproxy"), reason="haproxy is not installed")
def test_haproxy_accepts_its_lines(tmp_path: Path) -> None:
    (backend,) = re.findall(r"^    backend pwb\n(?:        .*\n)+", PAGE, re.MULTILINE)
    start = "defaults\n    mode http\n    timeout connect 1s\n    timeout client 5s\n    timeout server 5s\n"
    listening = "frontend public\n    bind 127.0.0.1:8080\n    default_backend pwb\n"
    (tmp_path / "haproxy.cfg").write_text(start + listening + textwrap.dedent(backend))
    ran = subprocess.run(["haproxy", "-c", "-f", tmp_path / "haproxy.cfg"], capture_output=True, text=True, timeout=30)
    assert ran.returncode == 0, ran.stderr

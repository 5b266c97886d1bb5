"""The command that measures object stores."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.storage.object_store.stores import program

from .commands import TOP


def test_the_command_writes_figures(tmp_path: Path) -> None:
    if not shutil.which("wrk") or program("rclone") is None:
        pytest.skip("wrk or rclone is not installed")
    words = ["--works", "store-none", "--rounds", "1", "--out", str(tmp_path)]
    command = [sys.executable, "-m", "tests.benchmarks.stores", *words]
    ended = subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    (table,) = json.loads((tmp_path / "stores.json").read_text())["tables"]
    disk, store = (row["value"] for row in table["rows"])
    assert 0 < disk < store
    assert list(tmp_path.iterdir()) == [tmp_path / "stores.json"], "no picture of docs/benchmark is drawn anew"

"""The command that measures object stores, and the arithmetic of how often they are asked, on a real server."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from tests.storage.object_store.stores import FaultyProxy, program, rclone, settings

from .commands import TOP
from .popularity import Zipf, asked_again
from .process import Command, free_port, started
from .verify import Client
from .works import get


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


def test_a_store_is_asked_as_often_as_computed(tmp_path: Path) -> None:
    """Without the cache of responses, which asks in advance for what has just been used."""
    zipf, ttl, rate, seconds, port = Zipf(200, 0.8), 1.5, 100, 6, free_port()
    for rank in range(1, 201):
        page = tmp_path / f"stores/bucket/site/{rank}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_bytes(b"x" * 500)
    options = ["--port", str(port), "--access-log", "off", "--cache", "off", "--store-ttl", "1500ms"]
    words = [sys.executable, "-m", "pwb_async", "s3://bucket", *options, "--no-precompressed"]
    draw, random = zipf.ranks(Random(1)), Random(2)
    cores = os.sched_getaffinity(0)
    with rclone(tmp_path / "stores") as upstream, FaultyProxy(upstream).running() as proxy:
        command = Command(words, settings(proxy.port) | {"PYTHONPATH": str(TOP)}, tmp_path)
        with started(command, port, get("1.html"), min(cores), tmp_path / "output"), Client(port) as client:
            begin = due = time.monotonic()
            asked = requests = 0
            while (now := time.monotonic()) < begin + 2 * ttl + seconds:
                if now < begin + 2 * ttl:  # until as much is fresh as ever is
                    asked, requests, first = len(proxy.requests), 0, now
                time.sleep(max(0.0, due - now))
                due += random.expovariate(rate)
                assert client.send_request(get(f"{next(draw)}.html")).status == 200
                requests += 1
            took = time.monotonic() - first
            found = (len(proxy.requests) - asked) / took
    assert found == pytest.approx(asked_again(zipf, requests / took, ttl), rel=0.2)

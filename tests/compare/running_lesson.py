"""`pwb-legacy live` as a process: its page's address, its state, its buttons."""

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pwb_legacy.compare.measure import probes

from .test_compare import begin

PATIENCE = 40.0
"""Seconds until something is seen; the machine may have other work."""


class Lesson:
    """A lesson that plays."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "http://" in line, process.communicate()
        self.process = process
        self.url = line.split()[-1]
        parts = urlsplit(self.url)
        self.page = parts.netloc
        self.origin = f"http://{self.page}"
        self.control, _, self.token = parts.fragment.partition("/")

    def state(self) -> dict[str, Any]:
        connection = HTTPConnection(self.page, timeout=10)
        try:
            connection.request("GET", "/state.json")
            response = connection.getresponse()
            content = response.read()
            assert response.status == 200
            state: dict[str, Any] = json.loads(content)
            return state
        finally:
            connection.close()

    def row(self, name: str) -> dict[str, Any]:
        return next(row for row in self.state()["rows"] if row["name"] == name)

    def post(self, path: str, method: str = "POST", **fields: str) -> int:
        """The status of a request to the endpoint of the buttons."""
        connection = HTTPConnection(self.control, timeout=20)
        try:
            connection.request(method, path, headers={"Origin": self.origin} | fields)
            return connection.getresponse().status
        finally:
            connection.close()

    def press(self, action: str) -> None:
        assert self.post(f"/{self.token}/{action}") == 204

    def wait(self, what: Callable[[dict[str, dict[str, Any]]], Any]) -> dict[str, dict[str, Any]]:
        """The rows by name, as soon as a condition holds for them."""
        end = time.monotonic() + PATIENCE
        while True:
            rows = {row["name"]: row for row in self.state()["rows"]}
            if what(rows):
                return rows
            assert time.monotonic() < end, rows
            time.sleep(0.2)

    def tree(self) -> dict[int, str]:
        """All its processes, and when they began."""
        return {pid: probes.birth(pid) for pid in probes.tree(self.process.pid)}


@contextmanager
def lesson(*words: str) -> Iterator[Lesson]:
    with begin("live", *words, LC_ALL="C.UTF-8") as process:
        try:
            yield Lesson(process)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)


def still_there(tree: dict[int, str]) -> list[int]:
    """Those of the processes that have not ended."""
    return [pid for pid, birth in tree.items() if birth and probes.birth(pid) == birth]


def folders(tree: dict[int, str]) -> set[Path]:
    """The temporary folders that the commands of these processes name."""
    found = set()
    for pid in tree:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        found |= {Path(word) for word in words if "/pwb-site-" in word or "/pwb-live-" in word}
    return found


def refuses(address: str) -> bool:
    """Whether nothing listens there."""
    host, _, port = address.rpartition(":")
    with socket.socket() as sock:
        return sock.connect_ex((host, int(port))) != 0

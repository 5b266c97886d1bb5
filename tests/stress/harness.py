"""Shared by the stress commands: a folder to serve, the designs by name, and figures that are compared with their bars."""

import os
import resource
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.conformance.designs import DESIGNS, Design
from tests.conformance.server import Server

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB
PYTHON: Final = os.path.realpath(sys.executable)

NAMED: Final = {design.name: design for design in DESIGNS} | {
    "async-uncached": Design("async-uncached", ("pwb_async", "--cache", "off")),
}
"""Every design, and the asynchronous one without its cache."""


def sigterm_as_interrupt() -> None:
    """Makes SIGTERM end this process as Ctrl-C does, so that the servers that it has started are ended, too."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def raise_descriptor_limit(wanted: int = 20_000) -> int:
    """Raises the limit of open descriptors of this process and its children as far as allowed; returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return max(soft, most)


@contextmanager
def temporary_folders() -> Iterator[tuple[Path, Path]]:
    """A folder to serve and a folder for logs; both are deleted afterwards."""
    with TemporaryDirectory(prefix="pwb-stress-") as name:
        root, log_dir = Path(name, "site"), Path(name, "log_dir")
        root.mkdir()
        log_dir.mkdir()
        (root / "index.html").write_bytes(b"<!DOCTYPE html><title>front</title>" + b"x" * 900)
        (root / "a.txt").write_bytes(b"abcdefghijklmnopqrstuvwxyz")
        (root / "1k.bin").write_bytes(bytes(range(256)) * 4)
        (root / "100k.bin").write_bytes(bytes(range(256)) * 400)
        (root / "1m.bin").write_bytes(bytes(range(256)) * 4096)
        for name, size in (
            ("512m.bin", GIB // 2),
            ("3g.bin", 3 * GIB),
            ("8g.bin", 8 * GIB),
        ):  # sparse: they take no space
            with (root / name).open("wb") as file:
                file.truncate(size)
        for path in root.iterdir():
            os.utime(path, (1_600_000_000, 1_600_000_000))
        yield root, log_dir


def folder(log_dir: Path, name: str) -> Path:
    """A folder of its own for the logs of one server."""
    path = log_dir / name
    path.mkdir()
    return path


def handles_signal(pid: int, number: int) -> bool:
    """Whether a process has a handler for a signal. A process without one for SIGHUP would be ended by it."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("SigCgt:"):
                return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    return False


def tracebacks(server: Server) -> list[str]:
    """The lines of a server's error output that report a traceback or an internal error."""
    return [
        line for line in server.error_output().splitlines() if "Traceback" in line or "fault of this server" in line
    ]


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def slope(points: Sequence[tuple[float, float]]) -> float:
    """How steeply y rises with x, by least squares."""
    if len(points) < 2:
        return 0.0
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    square = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / square if square else 0.0


class Report:
    """Prints figures as they are measured, and counts those that miss their bar."""

    def __init__(self) -> None:
        self.missed = 0
        self.start = time.monotonic()

    def write(self, line: str) -> None:
        """Prints a line at once."""
        print(line, flush=True)

    def figure(self, what: str, value: float, bar: float | None = None, unit: str = "", at_least: bool = False) -> bool:
        """Prints a figure. `bar` is the value that it must not exceed, or must reach if `at_least`."""
        if bar is None:
            self.write(f"  {what}: {_number(value)}{unit}")
            return True
        holds = value >= bar if at_least else value <= bar
        self.missed += not holds
        sign = "at least" if at_least else "at most"
        verdict = "holds" if holds else "MISSED"
        self.write(f"  {what}: {_number(value)}{unit} (bar: {sign} {_number(bar)}{unit}) {verdict}")
        return holds

    def fact(self, what: str, holds: bool, why: str = "") -> bool:
        """Prints whether something that must hold does hold."""
        self.missed += not holds
        self.write(f"  {what}: {'yes' if holds else 'NO'}{' (' + why + ')' if why else ''}")
        return holds

    def end(self) -> int:
        """Prints the last line; returns the exit status."""
        took = time.monotonic() - self.start
        self.write(f"{'all bars hold' if not self.missed else f'{self.missed} bars MISSED'}, {took:.0f} s")
        return 1 if self.missed else 0


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.2f}"

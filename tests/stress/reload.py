"""Reloads and dead workers under load: who is served must not notice (hazards F1, F3).

    python -m tests.stress.reload [--quick]

What it does, once for a process that is alone and once for two workers: clients ask without a pause, nine of ten times
on a connection that they keep, the tenth on a new one; after every so many requests the server is reloaded with other
options. Then the two workers are killed, one after the other. A client that is told `Connection: close` connects anew,
as every client does; nothing else is forgiven: an end of the connection, another status, another content is a failure.
Bars: no failure by reloads; with kills no more than one for each client, which is what was in flight; and the
descriptors, threads, processes and memory of the end are those of the beginning.
"""

import argparse
import asyncio
import json
import mmap
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.conformance.designs import Design
from tests.conformance.server import REPOSITORY, Resources, Server, eventually, running

from .answer import read_answer
from .harness import MIB, Report, descriptors, folder, workplace

CLIENTS: Final = 8
_TARGET: Final = "/1k.bin"
_TIMEOUT: Final = 30.0
_WARM: Final = 10
"""Reloads before the figures that the last ones are compared with."""


def client(port: int, number: int, tally: str, content: str) -> None:
    """One client, a process of its own. tally: a file with a number for each client, how often it was answered."""
    expected = Path(content).read_bytes()
    request = f"GET {_TARGET} HTTP/1.1\r\nHost: h\r\n\r\n".encode()
    failures: list[str] = []
    kept: socket.socket | None = None
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    with open(tally, "r+b") as file, mmap.mmap(file.fileno(), 0) as counts:
        asked = answered = 0
        while not stop:
            asked += 1
            fresh = asked % 10 == 0
            sock = None if fresh else kept
            try:
                if sock is None:
                    sock = socket.create_connection(("127.0.0.1", port), timeout=10)
                sock.sendall(request)
                head, body = read_answer(sock)
                if not head.startswith(b"HTTP/1.1 200 ") or body != expected:
                    raise ValueError(head[:40])
                answered += 1
                struct.pack_into("Q", counts, 8 * number, answered)
            except (OSError, ValueError) as error:
                failures.append(f"{'fresh' if fresh else 'kept'}: {error!r}")
                if sock is not None:
                    sock.close()
                if not fresh:
                    kept = None
                continue
            if fresh or b"\r\nConnection: close" in head:
                sock.close()
                if not fresh:
                    kept = None
            else:
                kept = sock
    print(json.dumps({"answered": answered, "failures": failures}))


class Load:
    """The clients, while in its `async with`; afterwards `failures` are theirs."""

    def __init__(self, server: Server, root: Path, log_dir: Path) -> None:
        self._port = server.address[1]
        self._content = root / _TARGET[1:]
        self._tally = log_dir / "tally"
        self._tally.write_bytes(bytes(8 * CLIENTS))
        self.failures: list[str] = []
        self.total = 0

    async def __aenter__(self) -> "Load":
        words = [str(self._tally), str(self._content)]
        self._clients = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.stress.reload", "--client", str(self._port), str(number), *words),
                cwd=REPOSITORY,
                stdout=asyncio.subprocess.PIPE,
            )
            for number in range(CLIENTS)
        ]
        await eventually(lambda: min(self._counts) > 10, _TIMEOUT, "not all clients have begun")
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in self._clients:
            if each.returncode is None:
                each.send_signal(signal.SIGTERM)
        for each in self._clients:
            told = json.loads((await each.communicate())[0])
            self.total += told["answered"]
            self.failures += told["failures"]

    @property
    def _counts(self) -> tuple[int, ...]:
        return struct.unpack(f"{CLIENTS}Q", self._tally.read_bytes())

    @property
    def answered(self) -> int:
        return sum(self._counts)

    async def reach(self, count: int) -> None:
        """Waits for so many answers in all."""
        await eventually(lambda: self.answered >= count, _TIMEOUT, lambda: f"{self.answered} answers, not {count}")


async def reload(server: Server, number: int) -> None:
    """Other options, and SIGHUP; returns when the server says that it is done."""
    new = server.errors.parent / "pwb.new"
    new.write_text(f"max-age = {number}\n")
    new.rename(new.with_name("pwb.toml"))
    done = server.error_output().count("pwb: reloaded")
    server.signal(signal.SIGHUP)
    await eventually(lambda: server.error_output().count("pwb: reloaded") > done, _TIMEOUT, server.error_output)


async def calm(server: Server, processes: int) -> tuple[Resources, int]:
    """What the server holds when those who were told to leave have left and no client is there."""
    await eventually(lambda: server.resources().processes == processes, _TIMEOUT, lambda: str(server.resources()))
    least: Resources | None = None

    def settled() -> bool:
        nonlocal least
        before, least = least, server.resources()
        return least == before

    await eventually(settled, _TIMEOUT)
    return server.resources(), server.memory()


def flat(report: Report, start: tuple[Resources, int], end: tuple[Resources, int]) -> None:
    """The end is as the start."""
    names: list[tuple[str, Callable[[Resources], int], int]] = [
        ("descriptors", lambda resources: resources.descriptors, 2),
        ("threads", lambda resources: resources.threads, 8),
        ("processes", lambda resources: resources.processes, 0),
        ("zombies", lambda resources: resources.zombies, 0),
    ]
    for name, get, slack in names:
        report.figure(f"{name} more than at the start", get(end[0]) - get(start[0]), slack)
    report.figure("memory more than at the start", (end[1] - start[1]) / MIB, 6, " MiB")


async def reloads(report: Report, many: int, times: int, requests: int) -> None:
    """Reloads under load."""
    report.say(f"{'two workers' if many > 1 else 'alone'}: {times} reloads, {CLIENTS} clients")
    processes = 1 if many == 1 else many + 1
    design = Design("reload", ("pwb_async", "--workers", str(many)))
    with workplace() as (root, log_dir):
        async with running(
            design, root, log_dir=folder(log_dir, f"reloads-{many}"), allowed_errors="reloaded"
        ) as server:
            async with Load(server, root, log_dir) as load:
                for number in range(_WARM):
                    await reload(server, number)
                first = load.answered
            failures = load.failures
            start = await calm(server, processes)
            begin = time.monotonic()
            async with Load(server, root, log_dir) as load:
                for number in range(times):
                    await load.reach((number + 1) * requests // times)
                    await reload(server, number)
                await load.reach(requests)
            took = time.monotonic() - begin
            end = await calm(server, processes)
            failures += load.failures
            report.figure("requests", load.total, requests, at_least=True)
            report.figure("requests a second", load.total / took)
            report.figure(f"requests during {_WARM} reloads before that", first)
            report.figure("failures", len(failures), 0)
            for each in failures[:5]:
                report.say(f"    {each}")
            flat(report, start, end)


async def kills(report: Report, times: int) -> None:
    """Workers that die under load."""
    report.say(f"two workers: {times} of them killed, {CLIENTS} clients")
    design = Design("kill", ("pwb_async", "--workers", "2"))
    with workplace() as (root, log_dir):
        async with running(design, root, log_dir=folder(log_dir, "kills"), allowed_errors="was killed") as server:
            start = await calm(server, 3)
            async with Load(server, root, log_dir) as load:
                for number in range(times):
                    await load.reach((number + 1) * 3000)
                    # Older than a second: whoever dies sooner, again and again, is given up, and that is another test.
                    victim = min((pid for pid in server.process_ids() if pid != server.pid), key=age)
                    await eventually(lambda victim=victim: elapsed(victim) > 1.1, _TIMEOUT)  # type: ignore[misc]
                    os.kill(victim, signal.SIGKILL)
                    await eventually(lambda victim=victim: replaced(server, victim), _TIMEOUT)  # type: ignore[misc]
            end = await calm(server, 3)
            report.figure("requests", load.total)
            report.figure("failures", len(load.failures), times * CLIENTS)
            report.figure("failures at a kill", len(load.failures) / times, CLIENTS)
            flat(report, start, end)


def age(pid: int) -> int:
    """When a process began, in ticks since the machine did."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def elapsed(pid: int) -> float:
    """Seconds that a process has lived."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - age(pid) / os.sysconf("SC_CLK_TCK")


def replaced(server: Server, victim: int) -> bool:
    members = server.process_ids()
    return victim not in members and len(members) == 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the short form that CI runs")
    parser.add_argument("--client", nargs=4, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.client:
        client(int(told.client[0]), int(told.client[1]), *told.client[2:])
        return 0
    descriptors()
    report = Report()
    for many in (1, 2):
        asyncio.run(reloads(report, many, 10 if told.quick else 100, 6_000 if told.quick else 200_000))
    asyncio.run(kills(report, 2 if told.quick else 30))
    return report.end()


if __name__ == "__main__":
    sys.exit(main())

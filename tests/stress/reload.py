"""Reloads and dead workers under load: clients must not notice them (hazards F1, F3).

    python -m tests.stress.reload [--quick]

Once with a single process and once with two workers, clients send requests without a pause, nine of ten on a persistent
connection, the tenth on a new one; at regular intervals the server is reloaded with other options. The same over TLS, where
each reload brings a new certificate, too, and every second client speaks HTTP/2. Then workers are killed, one after the
other. A client that gets `Connection: close` or GOAWAY connects again, as every client does. Everything else is a failure:
an end of the connection, another status, other content. Bars: reloads cause no failure; a kill causes at most one for each
client, which is what was in flight; and descriptors, threads, processes and memory at the end are as at the beginning.
"""

import argparse
import asyncio
import json
import os
import signal
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.conformance.designs import Design
from tests.conformance.server import REPOSITORY, Resources, Server, eventually, running
from tests.tls.certificates import make

from .harness import MIB, Report, folder, raise_descriptor_limit, temporary_folders
from .reload_clients import TARGET

CLIENTS: Final = 8
_TIMEOUT: Final = 30.0
_WARM: Final = 10
"""Reloads before the figures that the last ones are compared with."""


class Load:
    """Clients that send requests during the `async with` block; afterwards `failures` has theirs."""

    def __init__(self, server: Server, root: Path, log_dir: Path, authority: str = "") -> None:
        """authority: the certificate that the clients trust; "" for no TLS."""
        self._authority = authority
        self._port = server.address[1]
        self._content = root / TARGET[1:]
        self._counts_file = log_dir / "counts_file"
        self._counts_file.write_bytes(bytes(8 * CLIENTS))
        self.failures: list[str] = []
        self.total = 0

    async def __aenter__(self) -> "Load":
        words = [str(self._counts_file), str(self._content)]
        words += ["--authority", self._authority] if self._authority else []
        self._clients = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.stress.reload_clients", self._protocol(number), str(self._port)),
                *(str(number), *words),
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
            result = json.loads((await each.communicate())[0])
            self.total += result["answered"]
            self.failures += result["failures"]

    def _protocol(self, number: int) -> str:
        """The protocol of a client: over TLS every second one speaks HTTP/2."""
        return "http2" if self._authority and number % 2 else "http1"

    @property
    def _counts(self) -> tuple[int, ...]:
        return struct.unpack(f"{CLIENTS}Q", self._counts_file.read_bytes())

    @property
    def answered(self) -> int:
        return sum(self._counts)

    async def reach(self, count: int) -> None:
        """Waits until the clients have received `count` responses in all."""
        await eventually(lambda: self.answered >= count, _TIMEOUT, lambda: f"{self.answered} answers, not {count}")


class Certificates:
    """An authority, and certificates of it for a server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = make("authority", authority=True)
        self.authority = str(self._authority.write(folder, "authority")[0])
        self.renew()

    def renew(self) -> None:
        """Replaces the certificate and its key."""
        self.certificate, self.key = map(str, make("localhost", issuer=self._authority).write(self._folder))

    @property
    def options(self) -> tuple[str, ...]:
        """The server's options. It reads the files when it gets SIGHUP."""
        return ("--tls-cert", self.certificate, "--tls-key", self.key, "--no-tls-reload")


async def reload(server: Server, number: int, certificates: Certificates | None) -> None:
    """Changes the options and the certificate, sends SIGHUP, and waits until the server reports the reload."""
    if certificates is not None:
        certificates.renew()
    new = server.errors.parent / "pwb.new"
    new.write_text(f"max-age = {number}\n")
    new.rename(new.with_name("pwb.toml"))
    done = server.error_output().count("pwb: reloaded")
    server.signal(signal.SIGHUP)
    await eventually(lambda: server.error_output().count("pwb: reloaded") > done, _TIMEOUT, server.error_output)


async def settled_resources(server: Server, processes: int) -> tuple[Resources, int]:
    """The resources and memory of the server when old workers have ended and no client is connected."""
    await eventually(lambda: server.resources().processes == processes, _TIMEOUT, lambda: str(server.resources()))
    least: Resources | None = None

    def settled() -> bool:
        nonlocal least
        before, least = least, server.resources()
        return least == before

    await eventually(settled, _TIMEOUT)
    return server.resources(), server.memory()


def report_differences(
    report: Report, start: tuple[Resources, int], end: tuple[Resources, int], processes: int
) -> None:
    """Reports the differences between the resources at the end and at the start, of so many processes."""
    names: list[tuple[str, Callable[[Resources], int], int]] = [
        ("descriptors", lambda resources: resources.descriptors, 2),
        ("threads", lambda resources: resources.threads, 8),
        ("processes", lambda resources: resources.processes, 0),
        ("zombies", lambda resources: resources.zombies, 0),
    ]
    for name, get, slack in names:
        report.figure(f"{name} more than at the start", get(end[0]) - get(start[0]), slack)
    report.figure("memory more than at the start", (end[1] - start[1]) / MIB, 6 * processes, " MiB")


_EXPECTED: Final = "reloaded|the certificate of its issuer is not behind it"
"""What the server reports meanwhile: the certificates of this test come from its authority directly."""


async def reloads(report: Report, workers: int, times: int, requests: int, tls: bool = False) -> None:
    """Reloads under load."""
    kind = f"{'two workers' if workers > 1 else 'alone'}{', TLS' if tls else ''}"
    report.write(f"{kind}: {times} reloads, {CLIENTS} clients")
    processes = 1 if workers == 1 else workers + 1
    design = Design("reload", ("pwb_async", "--workers", str(workers)))
    with temporary_folders() as (root, log_dir):
        certificates = Certificates(log_dir) if tls else None
        options = certificates.options if certificates else ()
        authority = certificates.authority if certificates else ""
        async with running(
            design, root, *options, log_dir=folder(log_dir, f"reloads-{workers}"), allowed_errors=_EXPECTED
        ) as server:
            async with Load(server, root, log_dir, authority) as load:
                for number in range(_WARM):
                    await reload(server, number, certificates)
                first = load.answered
            failures = load.failures
            start = await settled_resources(server, processes)
            begin = time.monotonic()
            async with Load(server, root, log_dir, authority) as load:
                for number in range(times):
                    await load.reach((number + 1) * requests // times)
                    await reload(server, number, certificates)
                await load.reach(requests)
            took = time.monotonic() - begin
            end = await settled_resources(server, processes)
            failures += load.failures
            report.figure("requests", load.total, requests, at_least=True)
            report.figure("requests a second", load.total / took)
            report.figure(f"requests during {_WARM} reloads before that", first)
            report.figure("failures", len(failures), 0)
            for each in failures[:5]:
                report.write(f"    {each}")
            report_differences(report, start, end, processes)


async def kills(report: Report, times: int) -> None:
    """Workers that die under load."""
    report.write(f"two workers: {times} of them killed, {CLIENTS} clients")
    design = Design("kill", ("pwb_async", "--workers", "2"))
    with temporary_folders() as (root, log_dir):
        async with running(design, root, log_dir=folder(log_dir, "kills"), allowed_errors="was killed") as server:
            start = await settled_resources(server, 3)
            async with Load(server, root, log_dir) as load:
                for number in range(times):
                    await load.reach((number + 1) * 3000)
                    # Older than a second: the supervisor gives up when workers keep dying sooner, which another test covers.
                    victim = min((pid for pid in server.process_ids() if pid != server.pid), key=age)
                    await eventually(lambda victim=victim: elapsed(victim) > 1.1, _TIMEOUT)  # type: ignore[misc]
                    os.kill(victim, signal.SIGKILL)
                    await eventually(lambda victim=victim: replaced(server, victim), _TIMEOUT)  # type: ignore[misc]
            end = await settled_resources(server, 3)
            report.figure("requests", load.total)
            report.figure("failures", len(load.failures), times * CLIENTS)
            report.figure("failures at a kill", len(load.failures) / times, CLIENTS)
            report_differences(report, start, end, 3)


def age(pid: int) -> int:
    """The start time of a process, in clock ticks since the boot."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def elapsed(pid: int) -> float:
    """Seconds since a process was started."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - age(pid) / os.sysconf("SC_CLK_TCK")


def replaced(server: Server, victim: int) -> bool:
    members = server.process_ids()
    return victim not in members and len(members) == 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the short form that CI runs")
    arguments = parser.parse_args()
    raise_descriptor_limit()
    report = Report()
    times, requests = (10, 6_000) if arguments.quick else (100, 200_000)
    for workers in (1, 2):
        asyncio.run(reloads(report, workers, times, requests))
        asyncio.run(reloads(report, workers, times, requests // 2, tls=True))
    asyncio.run(kills(report, 2 if arguments.quick else 30))
    return report.end()


if __name__ == "__main__":
    sys.exit(main())

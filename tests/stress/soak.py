"""A long run with everything at once: good, slow and vanishing clients, malformed requests, replaced files, reloads.

    python -m tests.stress.soak --minutes 30 [--rate 300] [--design async-uvloop] [-- OPTIONS OF THE SERVER]
    python -m tests.stress.soak --quick           10 seconds

It runs each of these in a loop:
  kept      clients that keep their connection and check every response, byte by byte where files are replaced
  fresh     the same with a connection for each request
  slow      a reader with a small window, and a head that is sent a byte at a time until its deadline (408)
  reset     clients that vanish by RST in the middle of a response
  malformed requests of the wire corpus with some bytes changed; each response must be framed
  replace   every second a file gets a new version by rename; every response must be of one version
  reload    every minute SIGHUP, where the server has a handler for it (--quick: every three seconds)
It prints requests and failures of each kind, the slope of resident memory (PSS of all processes of the server,
a straight line by least squares after the first third, at most ten minutes), descriptors and threads.
"""

import argparse
import asyncio
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from tests.conformance.peer import Peer
from tests.conformance.server import Server, running
from tests.conformance.wire import Response, get, parse_responses

from .harness import (
    KIB,
    MIB,
    NAMED,
    Report,
    folder,
    handles_signal,
    percentile,
    raise_descriptor_limit,
    sigterm_as_interrupt,
    slope,
    temporary_folders,
    tracebacks,
)

WARM_UP = 600.0
REPLACED = 5
CORPUS = Path(__file__).parents[1] / "core" / "corpus"
HEADER_TIMEOUT = 5
SERVER = ("--header-timeout", str(HEADER_TIMEOUT), "--send-timeout", "5", "--linger-idle", "1", "--linger-timeout", "3")


def version(number: int) -> bytes:
    """A file with its version in every line; its size is below or above the limit of small files."""
    lines = 20 if number % 3 else 9000
    return b"version %08d\n" % number * lines


class Soak:
    """One run: its clients, its counters and its samples of the server."""

    def __init__(self, server: Server, root: Path, rate: float, reload_every: float, seed: int) -> None:
        self.server = server
        self.root = root
        self.rate = rate
        self.reload_every = reload_every
        self.random = random.Random(seed)
        self.counts: Counter[str] = Counter()
        """Requests by kind."""
        self.failures: Counter[str] = Counter()
        """Descriptions of failures, and how often each occurred."""
        self.retried = 0
        """Persistent connections that the server closed between two requests, so that repeating is safe (hazard A7)."""
        self.reloads = 0
        self.took: list[float] = []
        self.samples: list[tuple[float, int, int, int]] = []
        self.wires = [path.read_bytes() for path in sorted(CORPUS.glob("*/*.http"))]
        self.late = 0.0
        self.stop = False

    def fail(self, kind: str, why: object) -> None:
        self.failures[f"{kind}: {why!r}"[:300]] += 1

    def request(self) -> tuple[bytes, Callable[[Response], bool]]:
        """A request, and a function that checks the response to it."""
        number = self.random.randrange(REPLACED)
        letters = b"abcdefghijklmnopqrstuvwxyz"
        return self.random.choice(
            (
                (get("/a.txt"), lambda answer: answer.status == 200 and answer.content == letters),
                (get("/a.txt", "Range: bytes=2-5"), lambda answer: answer.status == 206 and answer.content == b"cdef"),
                (get("/a.txt", "If-None-Match: *"), lambda answer: answer.status == 304 and not answer.content),
                (get("/"), lambda answer: answer.status == 200 and len(answer.content) == 935),
                (get("/missing"), lambda answer: answer.status == 404),
                (get("/100k.bin"), lambda answer: answer.status == 200 and len(answer.content) == 102400),
                (get(f"/replaced-{number}.txt"), is_of_one_version),
                (get(f"/replaced-{number}.txt"), is_of_one_version),
            )
        )

    async def kept(self) -> None:
        """A client that keeps its connection until a response has `Connection: close`."""
        async with Peer(self.server.address) as peer:
            answered = 0
            while not self.stop:
                request, right = self.request()
                start = time.perf_counter()
                try:
                    await peer.send(request)
                    answer = await peer.read_response()
                except (AssertionError, ConnectionError) as error:
                    if answered and (isinstance(error, ConnectionError) or "ended with b''" in str(error)):
                        self.retried += 1
                    else:
                        self.fail("kept", error)
                    return
                self.took.append(time.perf_counter() - start)
                self.counts["kept"] += 1
                answered += 1
                if not right(answer):
                    self.fail("kept", (request[:40], answer.status, len(answer.content)))
                if answer["Connection"] == "close":
                    return
                await asyncio.sleep(self.pause(8))

    async def fresh(self) -> None:
        async with Peer(self.server.address) as peer:
            request, right = self.request()
            await peer.send(request)
            answer = await peer.read_response()
        self.counts["fresh"] += 1
        if not right(answer):
            self.fail("fresh", (request[:40], answer.status, len(answer.content)))
        await asyncio.sleep(self.pause(4))

    async def slow_reader(self) -> None:
        async with Peer(self.server.address, receive_buffer=4096) as peer:
            await peer.send(get("/1m.bin", "Connection: close"))
            got = 0
            while data := await peer.read_at_least(1):
                got += len(data)
                await asyncio.sleep(0.005)
        self.counts["slow"] += 1
        if not MIB < got < MIB + KIB:
            self.fail("slow", f"{got} bytes of 1m.bin")

    async def slow_head(self) -> None:
        """A head that is sent a byte at a time: the server responds with 408 at the deadline."""
        start = time.monotonic()
        async with Peer(self.server.address) as peer:
            try:
                for byte in get("/a.txt", "X-Slow: " + "y" * 4000):
                    await peer.send(bytes((byte,)))
                    await asyncio.sleep(0.05)
                    if time.monotonic() - start > HEADER_TIMEOUT + 0.6:
                        break
                answer = await peer.read_response()
                right = answer.status == 408
            except ConnectionError:
                right = True  # a byte that was sent after the server had closed
        self.counts["slow"] += 1
        if not right:
            self.fail("slow head", "no 408 at the deadline")

    async def silent(self) -> None:
        async with Peer(self.server.address) as peer:
            left = await peer.read_to_end()
        self.counts["slow"] += 1
        if left:
            self.fail("silent", left[:60])

    async def never_reads(self) -> None:
        """A client that does not read a large response, and is disconnected by the server."""
        async with Peer(self.server.address, receive_buffer=4096) as peer:
            await peer.send(get("/3g.bin"))
            await asyncio.sleep(7)
            got = len(await peer.read_to_end_or_reset())
        self.counts["slow"] += 1
        if got > 20 * MIB:
            self.fail("never reads", got)

    async def reset(self) -> None:
        target = self.random.choice(("/1m.bin", "/100k.bin", "/a.txt", "/missing", "/3g.bin"))
        async with Peer(self.server.address) as peer:
            await peer.send(get(target))
            if self.random.random() < 0.7:
                await peer.read_at_least(4096 if target.endswith(".bin") else 1)
            peer.reset()
        self.counts["reset"] += 1
        await asyncio.sleep(self.pause(4))

    async def malformed(self) -> None:
        wire = bytearray(self.random.choice(self.wires)[:20_000])
        for _ in range(self.random.randrange(4)):
            at = self.random.randrange(len(wire) + 1)
            if self.random.random() < 0.5:
                del wire[at : at + self.random.randrange(8)]
            else:
                wire[at:at] = self.random.randbytes(self.random.randrange(1, 4))
        async with Peer(self.server.address) as peer:
            with suppress(OSError):  # the server may have responded and closed before the last byte
                await peer.send(bytes(wire))
                peer.half_close()
            stream = await peer.read_to_end_or_reset()
        self.counts["malformed"] += 1
        try:
            parse_responses(stream)
        except AssertionError as error:
            self.fail("malformed", (error, bytes(wire)[:200]))
        await asyncio.sleep(self.pause(4))

    async def replace(self) -> None:
        number = self.random.randrange(REPLACED)
        temporary = self.root / f".new-{number}"
        temporary.write_bytes(version(self.random.randrange(10**8)))
        temporary.rename(self.root / f"replaced-{number}.txt")
        self.counts["replaced"] += 1
        await asyncio.sleep(1)

    async def reload(self) -> None:
        await asyncio.sleep(self.reload_every)
        if not self.stop and handles_signal(self.server.pid, signal.SIGHUP):
            self.server.signal(signal.SIGHUP)
            self.reloads += 1

    async def sample(self) -> None:
        """Records the server's resources once a second, and the delay of this process, by which clients may miss deadlines."""
        due = time.monotonic() + 1
        resources = await asyncio.to_thread(self.server.resources)
        memory = await asyncio.to_thread(self.server.memory)
        self.samples.append((time.monotonic(), memory, resources.descriptors, resources.threads))
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        self.late = max(self.late, time.monotonic() - due)

    def pause(self, clients: int) -> float:
        """Seconds between two requests of one of so many clients; kept, fresh, reset and malformed share the rate."""
        return self.random.expovariate(self.rate / 4 / clients)

    async def forever(self, kind: str, work: Callable[[], Awaitable[None]]) -> None:
        while not self.stop:
            try:
                await work()
            except (AssertionError, OSError, TimeoutError) as error:
                if not self.stop:
                    self.fail(kind, error)
                await asyncio.sleep(0.2)

    async def run(self, seconds: float) -> None:
        workers: list[tuple[str, int, Callable[[], Awaitable[None]]]] = [
            ("kept", 8, self.kept),
            ("fresh", 4, self.fresh),
            ("slow reader", 2, self.slow_reader),
            ("slow head", 2, self.slow_head),
            ("silent", 1, self.silent),
            ("never reads", 2, self.never_reads),
            ("reset", 4, self.reset),
            ("malformed", 4, self.malformed),
            ("replace", 1, self.replace),
            ("reload", 1, self.reload),
            ("sample", 1, self.sample),
        ]
        tasks = [asyncio.create_task(self.forever(kind, work)) for kind, count, work in workers for _ in range(count)]
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self.server.process.poll() is None:
            await asyncio.sleep(min(left, 60))
            done = sum(self.counts.values())
            if left > 60:
                _, memory, files, threads = self.samples[-1]
                print(
                    f"  {left / 60:.0f} min left: {done:,} requests, {sum(self.failures.values())} failures, "
                    f"{memory / MIB:.1f} MiB, {files} descriptors, {threads} threads",
                    flush=True,
                )
        self.stop = True
        _, late = await asyncio.wait(tasks, timeout=min(10, seconds / 4))
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def is_of_one_version(answer: Response) -> bool:
    lines = answer.content.split(b"\n")
    return answer.status == 200 and len(set(lines[:-1])) == 1 and len(lines) in (21, 9001) and lines[-1] == b""


async def soak(arguments: argparse.Namespace) -> int:
    seconds = 10.0 if arguments.quick else arguments.minutes * 60
    every = 3.0 if arguments.quick else arguments.reload
    report = Report()
    raise_descriptor_limit()
    design = NAMED[arguments.design]
    with temporary_folders() as (root, log_dir):
        for number in range(REPLACED):
            (root / f"replaced-{number}.txt").write_bytes(version(number))
        options = (*SERVER, *arguments.options)
        async with running(design, root, *options, log_dir=folder(log_dir, "soak"), allowed_errors=".") as server:
            reloads = handles_signal(server.pid, signal.SIGHUP)
            about = f"reload each {every:.0f} s" if reloads else "no reload, it has no handler for SIGHUP"
            report.write(
                f"{design.name} {' '.join(options)}, {seconds:.0f} s at about {arguments.rate:g} requests/s, {about}"
            )
            before = server.resources()
            work = Soak(server, root, arguments.rate, every, arguments.seed)
            await work.run(seconds)
            report.fact("the server is alive", server.process.poll() is None)
            after = before
            with suppress(AssertionError):
                after = await server.wait_for_resources(
                    lambda resources: resources.descriptors <= before.descriptors + 3, within=10
                )
            after = server.resources()
            print_results(report, work, seconds)
            report.figure(
                "descriptors after the clients have gone, more than before them",
                after.descriptors - before.descriptors,
                3,
            )
            report.figure("threads at the end (a pool starts up to 32 when they are needed)", after.threads)
            report.figure("zombies", after.zombies, 0)
            report.figure("tracebacks", len(tracebacks(server)), 0)
            for line, count in Counter(server.error_output().splitlines()).most_common(10):
                report.write(f"    error output, {count} x: {line}")
    return report.end()


def print_results(report: Report, work: Soak, seconds: float) -> None:
    report.figure("requests", sum(work.counts.values()))
    report.write("    " + ", ".join(f"{kind} {count:,}" for kind, count in sorted(work.counts.items())))
    report.figure("failures", sum(work.failures.values()), 0)
    for words, count in work.failures.most_common(10):
        report.write(f"    {count} x {words}")
    report.figure("largest delay of this process itself", work.late, unit=" s")
    report.figure("idle connections found closed by the server, request repeated", work.retried)
    report.figure("reloads", work.reloads)
    for share in (0.5, 0.99):
        report.figure(
            f"response time, {share:.0%} of the persistent clients", percentile(work.took, share) * 1000, unit=" ms"
        )
    first = work.samples[0][0]
    warm = min(WARM_UP, seconds / 3)
    settled = [(at - first, memory) for at, memory, _, _ in work.samples if at - first >= warm]
    rise = slope(settled) * 3600 / MIB
    bar = 1.0 if seconds >= 1800 else None
    report.figure(f"slope of resident memory after {warm:.0f} s", rise, bar, " MiB/h")
    report.figure("resident memory, first sample", work.samples[0][1] / MIB, unit=" MiB")
    report.figure("resident memory, last sample", work.samples[-1][1] / MIB, unit=" MiB")
    later = [(files, threads) for at, _, files, threads in work.samples if at - first >= warm]
    if later:
        report.write(
            f"  after that, least and most: descriptors {min(f for f, _ in later)} and {max(f for f, _ in later)}, "
            f"threads {min(t for _, t in later)} and {max(t for _, t in later)}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.stress.soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--quick", action="store_true", help="10 seconds")
    parser.add_argument("--rate", type=float, default=300.0, help="requests a second, about")
    parser.add_argument("--reload", type=float, default=60.0, metavar="SECONDS", help="between two reloads")
    parser.add_argument("--design", choices=NAMED, default="async-uvloop")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("options", nargs="*", help="options of the server, behind --")
    sigterm_as_interrupt()
    return asyncio.run(soak(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())

"""Measures one round: the responses that wrk received, and the processor time of the server's process tree."""

import json
import os
import socket
import subprocess
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from .commands import build
from .http2 import h2load, read_h2load
from .process import Server
from .tls import ab, read_ab
from .verify import Client, UnableError
from .works import LOG_SECONDS, Plan, Work

SCRIPT = Path(__file__).with_name("replay.lua")
PACED = Path(__file__).with_name("paced.c")
WARM_SECONDS = 1  # before a round: entries of its cache have expired while the other peers were measured
LARGE = 1 << 20  # bytes; from here on parts of responses count, too


@dataclass(frozen=True, slots=True)
class Sample:
    """One round of one peer: the figure (see the work's unit), and other observations.

    ``warmed``: requests before it that were not measured. ``bytes_per_response``: with its head.
    """

    value: float
    requests_per_second: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    errors: int = 0
    requests: int = 0
    warmed: int = 0
    remarks: list[str] = field(default_factory=list)
    bytes_per_response: float = 0.0


@dataclass(frozen=True, slots=True)
class Generator:
    """The load on its core, for some seconds a round; ``scratch`` is a folder for the requests.

    It is wrk; paced.c for clients that pause, which wrk can only do on an open connection; ab where each connection has a
    full handshake; or h2load for HTTP/2.
    """

    core: int
    seconds: int
    scratch: Path

    def load(self, server: Server, work: Work, plan: Plan, asked: int) -> Sample:
        """One round: CPU microseconds of the server's tree per request, and the results of the load.

        asked: the requests that the server got in the rounds before. The order goes on where they ended: begun again,
        it would find in the cache what it asked for a moment ago.
        """
        warm = self._run(server.port, work, plan, self._requests(plan, asked), WARM_SECONDS)
        warmed = int(_number(warm["requests"]))
        files = self._requests(plan, asked + warmed)
        time.sleep(0.05)  # its connections are closed
        before = server.cpu_seconds()
        result = self._run(server.port, work, plan, files, self.seconds * work.stretch)
        time.sleep(LOG_SECONDS if work.log else 0.05)  # postponed work is part of the cost
        spent = server.cpu_seconds() - before
        return replace(_sample(result, spent, plan), warmed=warmed)

    def _requests(self, plan: Plan, asked: int) -> list[str]:
        """Write the files that replay.lua reads: the requests, and their order from the one after ``asked``."""
        heads, order = self.scratch / "requests", self.scratch / "order"
        heads.write_bytes(b"".join(plan.requests))
        order.write_text("\n".join(str(index + 1) for index in plan.order_after(asked)))
        return [str(heads), str(order)]

    def _run(self, port: int, work: Work, plan: Plan, files: list[str], seconds: int) -> dict[str, object]:
        scheme = "https" if work.tls else "http"
        if work.tls == "full handshakes":
            words = ab(f"https://127.0.0.1:{port}/site/small.html", work.connections, seconds)
        elif work.streams:
            words = h2load(port, plan, work.connections, work.streams, seconds, self.scratch)
        elif work.pause:
            numbers = (port, work.connections, work.pause, seconds)
            words = [str(self._paced()), *map(str, numbers), files[0]]
        else:
            words = ["wrk", "-t1", f"-c{work.connections}", f"-d{seconds}s", "--timeout", "30s"]
            words += ["-s", str(SCRIPT), f"{scheme}://127.0.0.1:{port}/", "--", *files]
        try:
            ended = subprocess.run(
                words,
                capture_output=True,
                text=True,
                timeout=seconds + 40,
                preexec_fn=lambda: os.sched_setaffinity(0, {self.core}),
            )
        except subprocess.TimeoutExpired as error:
            raise UnableError("the load generator did not end") from error
        if words[0] == "ab":
            return read_ab(ended.stdout)
        if words[0] == "h2load":
            return read_h2load(ended.stdout, self.scratch)
        lines = [line for line in ended.stdout.splitlines() if line.startswith("{")]
        if not lines:
            raise UnableError(f"the load generator failed: {ended.stderr.strip()[-200:]}")
        result: dict[str, object] = json.loads(lines[-1])
        return result

    def _paced(self) -> Path:
        """Build the program paced.c, unless that has been done; return its path."""
        program = self.scratch / "paced"
        if not program.exists():
            build(PACED, program)
        return program


def _sample(result: dict[str, object], spent: float, plan: Plan) -> Sample:
    """Divide the processor time by the number of responses.

    When the round ends, every connection has an answer on its way. From 1 MiB on that would be a
    large part of the work, so there responses are counted by the bytes received, not when complete.
    """
    whole, received = _number(result["requests"]), _number(result["bytes"])
    body = plan.mean_body()
    answered = received / body if body >= LARGE else whole
    if answered < 1:
        raise UnableError("sends less than one response in a round")
    errors = result["errors"]
    assert isinstance(errors, dict)
    remarks = [f"{kind} errors" for kind, count in errors.items() if count]
    if received < 0.95 * body * answered and not plan.coded:
        remarks.append(f"{received / answered:,.0f} bytes an answer instead of {body:,.0f}")
    return Sample(
        value=spent * 1e6 / answered,
        requests_per_second=answered * 1e6 / _number(result["microseconds"]),
        p50_ms=_number(result["p50_us"]) / 1000,
        p99_ms=_number(result["p99_us"]) / 1000,
        errors=sum(errors.values()),
        requests=int(whole),
        remarks=remarks,
        bytes_per_response=received / answered,
    )


def _number(value: object) -> float:
    assert isinstance(value, int | float)
    return float(value)


def idle_memory(server: Server, request: bytes, count: int) -> Sample:
    """Bytes of proportional set size that one idle kept connection adds, over ``count`` of them.

    Each asks once and reads its answer; then all stay silent. Those that the server closed
    meanwhile are not counted.
    """
    with Client(server.port, server.tls) as client:
        for _ in range(200):
            client.send_request(request)
    time.sleep(0.5)
    before = server.memory_bytes()
    clients: list[Client] = []
    try:
        for _ in range(count):
            client = Client(server.port, server.tls)
            clients.append(client)
            try:
                client.send_request(request)
            except OSError as error:
                raise UnableError(f"connection {len(clients)} of {count}: {error}") from error
        time.sleep(0.3)
        alive = sum(_is_open(client.socket) for client in clients)
        grown = server.memory_bytes() - before
    finally:
        for client in clients:
            client.close()
    if alive < count // 2:
        raise UnableError(f"keeps {alive} of {count} idle connections")
    remarks = [f"{alive} of {count} connections kept"] if alive < count else []
    return Sample(value=grown / alive, requests=alive, remarks=remarks)


def _is_open(connection: socket.socket | None) -> bool:
    """Whether the other side has neither closed the connection nor sent anything more."""
    if connection is None:
        return False
    connection.setblocking(False)
    try:
        connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False

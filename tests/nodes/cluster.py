"""Three nodes of PWB on 127.0.0.2 to 127.0.0.4, and the load balancers of docs/deploy before them."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from tests.conformance.peer import Peer
from tests.conformance.server import environment, eventually
from tests.conformance.wire import Response
from tests.interop.proxies import free_port, proxy

DEPLOY: Final = Path(__file__).parents[2] / "docs" / "deploy"
NODES: Final = 3
_TIMEOUT: Final = 20.0


class Node:
    """A server with an admin address, which can be ended and started again at the same addresses.

    Args:
        number: From 1 on; its address ends with the next number.
        ports: Those of the site and of --admin, the same for all nodes.
        words: What it serves, and its options.
        folder: A folder for its output.
        variables: More variables of its environment.
    """

    def __init__(
        self, number: int, ports: tuple[int, int], words: tuple[str, ...], folder: Path, variables: Mapping[str, str]
    ) -> None:
        self.host = f"127.0.0.{number + 1}"
        self.name = f"node{number}"
        self.port, self.admin_port = ports
        address = ("--host", self.host, "--port", str(self.port), "--admin", f"{self.host}:{self.admin_port}")
        self._words = (*words, *address, "--access-log", "off")
        self._output = folder / f"{self.name}.log"
        self._folder = folder
        self._environment = environment() | variables
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it."""
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pwb_async", *self._words],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    async def ready(self) -> None:
        """Waits until it is ready."""
        async with asyncio.timeout(_TIMEOUT):
            while (response := await self.ask_admin("/readyz")) is None or response.status != 200:
                assert self._process is not None
                assert self._process.poll() is None, self.output()
                await asyncio.sleep(0.02)

    async def ask_admin(self, target: str) -> Response | None:
        """The response of the admin address; None while it does not listen."""
        with suppress(ConnectionError):
            async with Peer((self.host, self.admin_port)) as peer:
                await peer.send(b"GET %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (target.encode(), self.host.encode()))
                return await peer.read_response()
        return None

    def output(self) -> str:
        """What it has printed."""
        return self._output.read_text()

    def signal(self, number: int) -> None:
        """Signals its first process."""
        assert self._process is not None
        self._process.send_signal(number)

    async def exited(self) -> int:
        """Waits until the process that was started has ended; its exit status."""
        assert self._process is not None
        return await asyncio.to_thread(self._process.wait, _TIMEOUT)

    async def ended(self) -> None:
        """Waits until all its processes have ended."""
        assert self._process is not None
        group = self._process.pid

        def gone() -> bool:
            try:
                os.killpg(group, 0)
            except ProcessLookupError:
                return True
            return False

        await eventually(gone, _TIMEOUT, self.output)

    async def restart(self) -> None:
        """Ends it as a service manager does, and starts it again."""
        self.signal(signal.SIGTERM)
        assert await self.exited() == 0, self.output()
        self.start()
        await self.ready()

    def signal_all(self, number: int) -> None:
        """Signals all its processes."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """Kills it with all its processes."""
        self.signal_all(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(5)


@asynccontextmanager
async def nodes(
    folder: Path, *words: str, variables: tuple[Mapping[str, str], ...] = ({},) * NODES
) -> AsyncIterator[list[Node]]:
    """Runs three nodes during the block. words: what they serve, and their options. variables: those of each node."""
    ports = free_port("127.0.0.2"), free_port("127.0.0.2")
    started = [Node(number, ports, words, folder, variables[number - 1]) for number in range(1, NODES + 1)]
    try:
        for node in started:
            node.start()
        for node in started:
            await node.ready()
        yield started
    finally:
        for node in started:
            node.signal_all(signal.SIGCONT)
            node.kill()


def configuration(name: str, servers: list[Node], replaced: Mapping[str, str]) -> str:
    """A file of docs/deploy with the addresses of these nodes. replaced: words of the file, and what to write instead."""
    text = (DEPLOY / name).read_text()
    for number, node in enumerate(servers, 11):
        text = text.replace(f"192.0.2.{number}:8080", f"{node.host}:{node.port}")
    text = text.replace("9188", str(servers[0].admin_port))
    for old, new in replaced.items():
        assert old in text, f"{name} has no {old}"
        text = text.replace(old, new)
    return text


class HAProxy:
    """HAProxy with docs/deploy/haproxy.cfg before some nodes.

    Args:
        servers: The nodes.
        folder: A folder for its files.
        check: The options of its health checks, in place of those of the file; "" for those.
    """

    def __init__(self, servers: list[Node], folder: Path, check: str = "") -> None:
        self.address = ("127.0.0.1", free_port())
        self._folder = folder
        self._stats = folder / "haproxy.sock"
        replaced = {
            "bind :80": f"bind 127.0.0.1:{self.address[1]}",
            "stats socket /run/haproxy/admin.sock": f"stats socket {self._stats}",
        }
        self._text = configuration(
            "haproxy.cfg", servers, replaced | ({"inter 1s fall 2 rise 2": check} if check else {})
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator["HAProxy"]:
        """Runs it during the block, once it listens and has found all nodes ready."""
        async with proxy(["haproxy", "-db", "-f", "haproxy.cfg"], self._text, self.address[1], self._folder):
            yield self

    def states(self) -> dict[str, str]:
        """The state of each node, such as UP and DOWN."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(self._stats))
            client.sendall(b"show stat\n")
            answer = b"".join(iter(lambda: client.recv(65536), b"")).decode()
        found = re.findall(r"^nodes,(node\d),(?:[^,]*,){15}([^,]+),", answer, re.MULTILINE)
        return dict(found)

    async def wait_for(self, name: str, state: str) -> None:
        """Waits until it has found a node to be UP or DOWN."""
        await eventually(lambda: self.states()[name].split()[0] == state, _TIMEOUT, lambda: str(self.states()))

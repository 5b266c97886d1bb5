"""Pebble, Let's Encrypt's ACME server for tests, on this machine alone: every name resolves to 127.0.0.1."""

import asyncio
import json
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from tests.conformance.peer import TIMEOUT
from tests.tls.certificates import make

from .proxies import free_port


class Authority(NamedTuple):
    """A running Pebble."""

    directory: str
    """The URL of its directory."""
    trusted: Path
    """The certificate of its own HTTPS server."""


@asynccontextmanager
async def authority(folder: Path, http_port: int) -> AsyncIterator[Authority]:
    """Runs Pebble inside the block. It validates challenges at `http_port`."""
    port, dns = free_port(), free_port()
    trusted, key = make("127.0.0.1").write(folder, "pebble")
    config = folder / "pebble.json"
    settings = {
        "listenAddress": f"127.0.0.1:{port}",
        "managementListenAddress": f"127.0.0.1:{free_port()}",
        "certificate": str(trusted),
        "privateKey": str(key),
        "httpPort": http_port,
        "tlsPort": free_port(),
    }
    config.write_text(json.dumps({"pebble": settings}))
    # Left out: delays before a validation, and nonces that are refused now and then, on purpose.
    environment = {"PATH": os.environ["PATH"], "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
    names = [f"-dns01=127.0.0.1:{dns}", f"-management=127.0.0.1:{free_port()}", "-defaultIPv6="]
    async with AsyncExitStack() as stack:
        for command in (
            ["pebble-challtestsrv", *names, "-http01=", "-https01=", "-tlsalpn01="],
            ["pebble", "-config", str(config), "-dnsserver", f"127.0.0.1:{dns}"],
        ):
            await stack.enter_async_context(_running(folder, command, environment))
        await _wait_until_it_listens(port, trusted)
        yield Authority(f"https://127.0.0.1:{port}/dir", trusted)


@asynccontextmanager
async def _running(folder: Path, command: list[str], environment: dict[str, str]) -> AsyncIterator[None]:
    with (folder / f"{command[0]}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log, env=environment)
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def _wait_until_it_listens(port: int, trusted: Path) -> None:
    context = ssl.create_default_context(cafile=str(trusted))
    async with asyncio.timeout(TIMEOUT):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            except ConnectionRefusedError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return

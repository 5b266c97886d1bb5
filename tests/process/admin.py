"""A client of the admin address."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.conformance.peer import TIMEOUT
from tests.conformance.wire import Response, parse_responses


class Admin:
    """The admin address of a server, a Unix socket in a folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "admin.sock"
        self.options = ("--admin", str(self.path))

    async def get(self, target: str, accept: str = "*/*") -> Response:
        """The response to a request on a new connection."""
        async with asyncio.timeout(TIMEOUT):
            reader, writer = await asyncio.open_unix_connection(str(self.path))
            writer.write(f"GET {target} HTTP/1.1\r\nHost: a\r\nAccept: {accept}\r\nConnection: close\r\n\r\n".encode())
            content = await reader.read()
            writer.close()
            await writer.wait_closed()
        (response,) = parse_responses(content)
        return response

    async def status(self, target: str) -> int:
        return (await self.get(target)).status

    async def metrics(self) -> dict[str, float]:
        """The value of each sample by its name and labels, as they are written."""
        response = await self.get("/metrics")
        assert response.status == 200
        list(text_string_to_metric_families(response.content.decode()))  # raises ValueError for what is malformed
        lines = (line.rpartition(" ") for line in response.content.decode().splitlines() if line[0] != "#")
        return {name: float(value) for name, _, value in lines}

    async def wait_for(self, condition: Callable[[dict[str, float]], bool]) -> dict[str, float]:
        """Waits until the metrics meet a condition, and returns them."""
        metrics: dict[str, float] = {}
        try:
            async with asyncio.timeout(TIMEOUT):
                while not condition(metrics := await self.metrics()):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(metrics) from None
        return metrics

    async def wait_for_status(self, target: str, status: int) -> Response:
        """Waits until a page has a status, and returns the response."""
        async with asyncio.timeout(TIMEOUT):
            while (response := await self.get(target)).status != status:
                await asyncio.sleep(0.02)
        return response


def total(metrics: dict[str, float], name: str) -> float:
    """The sum of all samples with a name."""
    return sum(value for sample, value in metrics.items() if sample.partition("{")[0] == name)

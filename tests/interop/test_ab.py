"""ab -k: HTTP/1.0 with `Connection: keep-alive`, as fast as possible."""

import re

from tests.conformance.server import Server

from .programs import needs, run

pytestmark = needs("ab")


def figure(name: str, report: str) -> int:
    match = re.search(rf"^{name}: +(\d+)", report, re.MULTILINE)
    return int(match[1]) if match else 0


async def test_keep_alive(server: Server) -> None:
    done = await run("ab", "-k", "-q", "-n", "1000", "-c", "10", server.url + "/1k.bin")
    report = done.output.decode()
    assert done.status == 0, done.errors
    assert figure("Complete requests", report) == 1000
    assert figure("Failed requests", report) == 0
    assert figure("Non-2xx responses", report) == 0
    assert figure("HTML transferred", report) == 1000 * 1024
    if server.design.keeps_alive:
        # a connection is closed after a thousand requests
        assert figure("Keep-Alive requests", report) >= 990
    else:
        assert figure("Keep-Alive requests", report) == 0

"""ab -k: HTTP/1.0 with `Connection: keep-alive`, as fast as possible."""

import re

from tests.conformance.server import Server

from .programs import needs, run

pytestmark = needs("ab")


def number_in(name: str, report: str) -> int:
    match = re.search(rf"^{name}: +(\d+)", report, re.MULTILINE)
    return int(match[1]) if match else 0


async def test_keep_alive(server: Server) -> None:
    done = await run("ab", "-k", "-q", "-n", "1000", "-c", "10", server.url + "/1k.bin")
    report = done.output.decode()
    assert done.status == 0, done.errors
    assert number_in("Complete requests", report) == 1000
    assert number_in("Failed requests", report) == 0
    assert number_in("Non-2xx responses", report) == 0
    assert number_in("HTML transferred", report) == 1000 * 1024
    if server.design.keeps_alive:
        # a connection is closed after a thousand requests
        assert number_in("Keep-Alive requests", report) >= 990
    else:
        assert number_in("Keep-Alive requests", report) == 0

"""--explain-fields: a response shows what it is made of, and whether it is from the cache."""

from pathlib import Path

from tests.conformance.peer import Peer
from tests.conformance.server import Start

from .helpers import fetch
from .test_reload import Write, write

__all__ = ["write"]  # a fixture
WARNING = "responses show of which rules and files they are made"


async def test_a_hit_and_a_miss_differ(run: Start, root: Path) -> None:
    (root / "_headers").write_text("/*\nX-A: 1\n")
    place = f'fields;desc="{root}/_headers line 1"'
    async with (
        run("--explain-fields", "--cache-ttl", "1m", allowed_errors=WARNING) as server,
        Peer(server.address) as peer,
    ):
        for status in ("PWB; fwd=miss", "PWB; hit", "PWB; hit"):
            response = await fetch(peer)
            assert (response["Server-Timing"], response["Cache-Status"]) == (f'file;desc="a.txt", {place}', status)
        response = await fetch(peer, "/missing")
        assert (response["Server-Timing"], response["Cache-Status"]) == (place, "PWB; fwd=miss")
        assert WARNING in server.error_output()


async def test_without_it_there_is_neither(run: Start) -> None:
    async with run() as server, Peer(server.address) as peer:
        for _ in range(2):
            response = await fetch(peer)
            assert (response["Server-Timing"], response["Cache-Status"]) == (None, None)


async def test_a_site_of_a_host_may_have_it_and_a_guard_is_named(run: Start, write: Write, root: Path) -> None:
    write(f'[[sites]]\nhosts = ["h"]\nroot = "{root}"\nexplain_fields = true\ndeny = ["127.0.0.1"]\n')
    async with run("--cache", "off", allowed_errors=WARNING) as server, Peer(server.address) as peer:
        response = await fetch(peer)
        assert (response.status, response["Server-Timing"], response["Cache-Status"]) == (403, 'guard;desc="403"', None)

"""Rules in several processes, and after a reload by SIGHUP."""

import asyncio
from pathlib import Path

from tests.conformance.peer import TIMEOUT
from tests.conformance.server import Start

from .helpers import fetch_fresh, wait_for_field, wait_for_message
from .test_reload import Write, process_models, reload, write

__all__ = ["write"]  # a fixture
MESSAGES = "^pwb: (nothing is )?reloaded|rules read again|the rules stay as they were"


@process_models
async def test_every_worker_sees_a_change(process_options: tuple[str, ...], run: Start, root: Path) -> None:
    """Within a second and a half; there are some hundred answers, so that each worker gives several."""
    async with run(*process_options, allowed_errors=MESSAGES) as server:
        assert (await fetch_fresh(server))["X-A"] is None
        (root / "_headers").write_text("/*\nX-A: 1\n")
        async with asyncio.timeout(TIMEOUT):
            seen = 0
            while seen < 100:
                seen = seen + 1 if (await fetch_fresh(server))["X-A"] == "1" else 0
        (root / "_headers").write_text("X-A: 2\n")
        await wait_for_message(server, "the rules stay as they were", 2 if "--workers" in process_options else 1)
        assert (await fetch_fresh(server))["X-A"] == "1"


@process_models
async def test_a_reload_takes_the_rules_of_toml_or_keeps_all(
    process_options: tuple[str, ...], run: Start, write: Write, root: Path
) -> None:
    rule = '[[redirects]]\nfrom = "/a.txt"\nto = "/{}"\nstatus = 301\nforce = true\n'
    write(rule.format("one"))
    async with run(*process_options, allowed_errors=MESSAGES) as server:
        assert (await fetch_fresh(server))["Location"] == "/one"
        write(rule.format("two"))
        await reload(server)
        await wait_for_field(server, "Location", "/two")
        write(rule.format("/evil"))
        await reload(server)
        assert 'nothing is reloaded: pwb.toml line 1: "//evil" would name another host' in server.error_output()
        write("")
        (root / "_redirects").write_text("/a.txt\n")
        await reload(server)
        assert "nothing is reloaded: " in server.error_output().splitlines()[-1]
        assert (await fetch_fresh(server))["Location"] == "/two"
        (root / "_redirects").unlink()
        await reload(server)
        await wait_for_field(server, "Location", None)

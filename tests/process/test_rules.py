"""Rules in several processes, and after a reload by SIGHUP."""

import asyncio
import os
import signal
from pathlib import Path

from tests.access.test_htpasswd import ARGON2
from tests.conformance.peer import TIMEOUT, send_request
from tests.conformance.rows.access import authorization
from tests.conformance.server import Start, eventually
from tests.conformance.wire import get

from .helpers import fetch_fresh, wait_for_field, wait_for_message, workers
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
        mistake = f"nothing is reloaded: {root / '_redirects'} line 1: it has no destination"
        assert mistake in server.error_output(), (
            "a line about the rules may follow it, as they are also read each second"
        )
        assert (await fetch_fresh(server))["Location"] == "/two"
        (root / "_redirects").unlink()
        await reload(server)
        await wait_for_field(server, "Location", None)


async def test_a_worker_that_replaces_another_has_the_rules_and_the_users_of_the_others(
    run: Start, root: Path, tmp_path: Path
) -> None:
    """Those that were read last, not those of the start, even if there is a mistake in the files by now."""
    users, request = tmp_path / "users", get("/a.txt", authorization("new", "argon"))
    users.write_text(f"old:{ARGON2}\n")
    messages = f"{MESSAGES}|users read again|the users stay as they were|^pwb: worker .* was killed by signal 9"
    async with run("--workers", "2", "--htpasswd", str(users), allowed_errors=messages) as server:

        async def until_all_have(status: int, field: str | None) -> None:
            """There are some forty answers, so that each worker gives several."""
            async with asyncio.timeout(TIMEOUT):
                seen = 0
                while seen < 40:
                    response = await send_request(server.address, request)
                    seen = seen + 1 if (response.status, response["X-A"]) == (status, field) else 0
                    await asyncio.sleep(0.3 if response.status == 401 else 0)  # which few may be

        (root / "_headers").write_text("/*\nX-A: 1\n")
        users.write_text(f"new:{ARGON2}\n")
        await until_all_have(200, "1")
        (root / "_headers").write_text("X-A: 2\n")
        users.write_text("new:plain\n")
        for words in ("the rules stay as they were", "the users stay as they were"):
            await wait_for_message(server, words, 2)
        victim = workers(server)[0]
        os.kill(victim, signal.SIGKILL)
        await eventually(lambda: victim not in workers(server) and len(workers(server)) == 2, TIMEOUT)
        await wait_for_message(server, "the rules stay as they were", 3)  # the new worker serves
        for _ in range(40):
            response = await send_request(server.address, request)
            assert (response.status, response["X-A"]) == (200, "1")

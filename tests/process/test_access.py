"""Files of users in a process with fewer rights, and in several workers."""

import asyncio
from pathlib import Path

import bcrypt
import pytest

from tests.access.test_htpasswd import APR1, ARGON2, SHA256, SHA512
from tests.conformance.designs import REFERENCE, Design
from tests.conformance.peer import send_request
from tests.conformance.rows import access
from tests.conformance.rows.access import BOB, authorization
from tests.conformance.server import running
from tests.conformance.wire import get

from .test_privileges import needs_landlock


@pytest.mark.parametrize("options", [pytest.param(("--sandbox",), marks=needs_landlock), ("--workers", "2"), ()])
async def test_users_are_read_again(options: tuple[str, ...], served_root: Path, tmp_path: Path) -> None:
    """Also with --sandbox, if they are written in place."""
    users = tmp_path / "users"
    users.write_text(access.USERS)
    async with running(
        REFERENCE, served_root, "--htpasswd", str(users), *options, log_dir=tmp_path, allowed_errors="users read again"
    ) as server:
        assert (await send_request(server.address, get("/a.txt"))).status == 401
        assert (await send_request(server.address, get("/a.txt", BOB))).status == 200
        users.write_text(f"rob:{bcrypt.hashpw(b'secret', bcrypt.gensalt(4)).decode()}\n")  # of another scheme
        known, expected = 0, 10 if "--workers" in options else 1
        async with asyncio.timeout(10):
            while known < expected:  # as each worker reads the file
                response = await send_request(server.address, get("/a.txt", authorization("rob", "secret")))
                known = known + 1 if response.status == 200 else 0
                await asyncio.sleep(0.3 if response.status != 200 else 0)


@needs_landlock
async def test_a_sandbox_has_what_each_scheme_needs(design: Design, served_root: Path, tmp_path: Path) -> None:
    """Modules are loaded before the process is restricted."""
    users = tmp_path / "users"
    schemes = {"a": (ARGON2, "argon"), "b": (bcrypt.hashpw(b"pw", bcrypt.gensalt(4)).decode(), "pw")}
    schemes |= {"5": (SHA256, "pw"), "6": (SHA512, "pw"), "m": (APR1, "pw")}
    users.write_text("".join(f"{user}:{hashed}\n" for user, (hashed, _) in schemes.items()))
    options = ("--htpasswd", str(users), "--sandbox")
    async with running(design, served_root, *options, log_dir=tmp_path) as server:
        for user, (_, password) in schemes.items():
            response = await send_request(server.address, get("/a.txt", authorization(user, password)))
            assert response.status == 200, user
        assert (await send_request(server.address, get("/a.txt", authorization("a", "wrong")))).status == 401

"""A server without TLS has loaded nothing of it when it ends. (The ssl module itself is loaded by asyncio.)"""

import subprocess
import sys
from pathlib import Path

from tests.conformance.server import REPOSITORY, environment
from tests.conformance.tls import certificate_options

SERVE = """
import asyncio, sys
from pwb_async.config.loader import read_options
from pwb_async.runtime.opening import open_context
from pwb_async.server.server import Server

async def serve(context):
    server = Server(context)
    await server.serve(server.shutdown)

asyncio.run(serve(open_context("pwb", read_options("pwb", sys.argv[1:], {}, "."))))
parts = "pwb_async.tls", "pwb_async.core.tls", "pwb_async.server.tls", "pwb_async.server.plain", "pwb_async.core.http2",
parts += "pwb_async.server.http2", "pwb_async.core.site.plain", "cryptography"
print(*sorted(name for name in sys.modules if name.startswith(parts)))
"""


def loaded(folder: Path, *options: str) -> set[str]:
    """The modules of TLS and HTTP/2 that a server with these options has loaded when it ends."""
    words = [sys.executable, "-c", SERVE, str(folder), "--port", "0", "--access-log", "off", *options]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=REPOSITORY, env=environment())
    assert done.stderr == ""
    return set(done.stdout.split())


def test_nothing_of_tls_is_loaded_where_it_is_not_used(tmp_path: Path) -> None:
    assert loaded(tmp_path) == set()
    assert {"pwb_async.core.tls", "pwb_async.server.tls_handshake"} <= loaded(tmp_path, *certificate_options())

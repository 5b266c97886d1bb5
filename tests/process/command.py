"""The command exactly as a test spells it, where conformance.server.running() would add options of its own: it is
started, waited for, ended, and nothing is left of it.
"""

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.conformance.designs import REFERENCE
from tests.conformance.peer import TIMEOUT
from tests.conformance.server import Server, environment, eventually


@asynccontextmanager
async def launched(
    *arguments: str | Path,
    folder: Path,
    wrapper: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    descriptors: Sequence[int] = (),
    status: int = 0,
) -> AsyncIterator[Server]:
    """`python -m pwb_async` with these arguments, current folder, and words in its environment, until it has ended with
    `status`. descriptors: what it inherits."""
    said, grumbled = folder / "said", folder / "grumbled"
    with said.open("wb") as output, grumbled.open("wb") as errors:
        process = subprocess.Popen(
            [*wrapper, sys.executable, "-m", "pwb_async", *map(os.fspath, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            cwd=folder,
            env=environment() | dict(environ or {}),
            pass_fds=descriptors,
            start_new_session=True,
        )
    server = Server(REFERENCE, process, said, grumbled)
    try:
        await eventually(lambda: b"listening on" in said.read_bytes() or process.poll() is not None, TIMEOUT)
        if found := re.search(r"http://([0-9.]+):(\d+)/", said.read_text()):
            server.address = found[1], int(found[2])
        yield server
        if process.poll() is None:
            server.signal()
        assert await server.exited() == status, server.error_output()
        await eventually(lambda: not server.process_ids(), 3)
    finally:
        server.kill()

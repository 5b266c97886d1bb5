"""A server with exactly the options of a test; tests.conformance.server.running() would add some of its own."""

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
    """`python -m pwb_async` with these arguments, ended after the block; its exit status must be `status`.

    folder: its current folder. environ: additions to its environment. descriptors: those that it inherits.
    """
    output_path, errors_path = folder / "output", folder / "errors"
    with output_path.open("wb") as output, errors_path.open("wb") as errors:
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
    server = Server(REFERENCE, process, output_path, errors_path)
    try:
        await eventually(lambda: b"listening on" in output_path.read_bytes() or process.poll() is not None, TIMEOUT)
        if found := re.search(r"http://([0-9.]+):(\d+)/", output_path.read_text()):
            server.address = found[1], int(found[2])
        yield server
        if process.poll() is None:
            server.signal()
        assert await server.exited() == status, server.error_output()
        await eventually(lambda: not server.process_ids(), 3)
    finally:
        server.kill()

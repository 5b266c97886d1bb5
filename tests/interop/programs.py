"""Programs from the system, run with a time limit, in the C locale."""

import asyncio
import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest


class Completed(NamedTuple):
    """The output of a program that has ended, and its exit status."""

    status: int
    output: bytes
    errors: str


def needs(program: str) -> pytest.MarkDecorator:
    """Skips a test where a program is not installed."""
    return pytest.mark.skipif(not shutil.which(program), reason=f"{program} is not installed")


async def run(*arguments: str, within: float = 60, folder: Path | None = None, **environment: str) -> Completed:
    """Runs a program to its end, in `folder` if one is given. environment: variables beside PATH, LC_ALL and HOME."""
    process = await asyncio.create_subprocess_exec(
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": "/nonexistent"} | environment,
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), within)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return Completed(process.returncode, output, errors.decode(errors="replace"))


def wrk_script(requests: int) -> str:
    """A script for wrk, each of whose threads ends after so many responses."""
    return f"""
local count = 0
function response()
  count = count + 1
  if count == {requests} then wrk.thread:stop() end
end
"""

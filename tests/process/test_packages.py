"""Python without the packages that PWB needs, as in a checkout before `pip install`, or without modules of Linux."""

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pwb_async.config.modes import MODES
from tests.conformance.peer import TIMEOUT, Peer
from tests.conformance.server import environment
from tests.conformance.wire import Response, get

from .helpers import BIG, TEXT

CODE = "import sys, runpy; sys.modules[{package!r}] = None; runpy.run_module({module!r}, run_name='__main__')"
MACOS = """
import asyncio, ctypes, os, re, runpy, select, socket, ssl, subprocess, sys
lacks = {{
    os: r"posix_fadvise|POSIX_FADV_.*|RWF_.*|O_PATH|O_LARGEFILE|memfd_create|pidfd_open|sched_.*affinity|pipe2|setres.id|splice",
    select: "epoll|EPOLL.*",
    socket: "TCP_INFO|SOCK_CLOEXEC|SOCK_NONBLOCK|SO_INCOMING.*|TCP_DEFER_ACCEPT|TCP_CORK|TCP_QUICKACK|AF_NETLINK",
}}
for module, names in lacks.items():
    for name in [name for name in dir(module) if re.fullmatch(names, name)]:
        delattr(module, name)
    if hasattr(module, "__all__"):
        module.__all__ = [name for name in module.__all__ if hasattr(module, name)]
sys.platform = "darwin"
runpy.run_module("{module}", run_name="__main__")
"""


@asynccontextmanager
async def started(words: list[str], folder: Path) -> AsyncIterator[tuple[str, int]]:
    """A server inside the block, and its address; SIGTERM must end it, and it must print no error."""
    errors = folder / "errors"
    with errors.open("wb") as file:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=file, cwd=folder, env=environment(), text=True)
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(asyncio.to_thread(process.stdout.readline), TIMEOUT)
        found = re.search(r"http://([0-9.]+):(\d+)/", line)
        assert found, errors.read_text()
        yield found[1], int(found[2])
        process.terminate()
        assert await asyncio.to_thread(process.wait, TIMEOUT) == 0
        assert errors.read_text() == ""
    finally:
        process.kill()
        process.communicate()


async def fetch_from(address: tuple[str, int], target: str = "/a.txt", *fields: str) -> Response:
    async with Peer(address) as peer:
        await peer.send(get(target, *fields))
        return await peer.read_response()


@pytest.mark.parametrize(
    ("program", "module", "package"),
    [("pwb", "pwb_async", "click"), ("pwb", "pwb_async", "xxhash"), ("pwb-legacy", "pwb_legacy", "click")],
)
def test_a_missing_package_is_one_line(program: str, module: str, package: str, tmp_path: Path) -> None:
    """The command line has a mistake, since click is imported for what is not plainly right."""
    code = CODE.format(package=package, module=module)
    done = subprocess.run(
        [sys.executable, "-c", code, "--prot"],
        capture_output=True, text=True, timeout=30, cwd=tmp_path, env=environment(), check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"{program}: {package} is not installed; in a checkout of PWB: "
        f"python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/python -m {module}\n"
    )


@pytest.mark.parametrize("command", [("pwb_async",), ("pwb_legacy", "--mode", "thread")], ids=" ".join)
def test_windows_is_one_line(command: tuple[str, ...], tmp_path: Path) -> None:
    """There is no module `resource`."""
    code = CODE.format(package="resource", module=command[0])
    done = subprocess.run(
        [sys.executable, "-c", code, *command[1:], "."],
        capture_output=True, text=True, timeout=30, cwd=tmp_path, env=environment(), check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"pwb(-legacy)?: this system lacks what PWB needs \(.*resource.*WSL 2\n", done.stderr)


MODES_WITHOUT_GEVENT = [("pwb_async",), *(("pwb_legacy", "--mode", mode) for mode in MODES if mode != "gevent")]


@pytest.mark.parametrize("command", MODES_WITHOUT_GEVENT, ids=" ".join)
async def test_gevent_is_for_its_mode_alone(command: tuple[str, ...], root: Path, tmp_path: Path) -> None:
    """Every other server starts and answers where it is not installed."""
    code = CODE.format(package="gevent", module=command[0])
    program = [sys.executable, "-c", code, *command[1:], str(root), "--port", "0", "--access-log", "off"]
    async with started(program, tmp_path) as address:
        assert (await fetch_from(address)).status == 200


@pytest.mark.parametrize("mode", ["fixed", "single", "thread", "gevent"])
async def test_a_design_that_runs_without_what_macos_lacks(mode: str, root: Path, tmp_path: Path) -> None:
    """docs/deploy.md names these."""
    code = MACOS.format(module="pwb_legacy")
    program = [sys.executable, "-c", code, "--mode", mode, str(root), "--port", "0", "--access-log", "off"]
    async with started(program, tmp_path) as address:
        whole = await fetch_from(address)
        assert whole.status == 200
        if mode != "fixed":
            assert whole.content == TEXT
            assert len((await fetch_from(address, "/big.bin")).content) == BIG
            part = await fetch_from(address, "/big.bin", "Range: bytes=5-9")
            assert (part.status, part.content) == (206, bytes(5))


@pytest.mark.parametrize("command", [("pwb_async",), ("pwb_legacy", "--mode", "epoll")], ids=" ".join)
def test_macos_is_one_line(command: tuple[str, ...], tmp_path: Path) -> None:
    words = [sys.executable, "-c", MACOS.format(module=command[0]), *command[1:], "."]
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=30, cwd=tmp_path, env=environment(), check=False
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "epoll" in done.stderr.lower()


def test_without_any_package() -> None:
    """-S -I: only the standard library, and the checkout."""
    code = f"import sys, runpy; sys.path.insert(0, {str(Path(__file__).parents[2])!r}); runpy.run_module('pwb_async', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-S", "-I", "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("pwb: xxhash is not installed; in a checkout of PWB: python3 -m venv ")
    assert done.stderr.count("\n") == 1


def test_garbage_is_collected_again_when_all_packages_are_imported() -> None:
    code = "import gc, pwb_async.__main__; assert gc.isenabled() and gc.get_freeze_count()"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)

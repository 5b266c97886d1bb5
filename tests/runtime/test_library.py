"""The package as a library: several servers in one process, and nothing that only a program may do."""

import ast
import asyncio
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

import pwb_async
from pwb_async.config.options import Options
from pwb_async.runtime.context import StartupError
from pwb_async.runtime.opening import open_context, reload_context
from pwb_async.server.server import Server
from tests.conformance.peer import TIMEOUT, Peer
from tests.conformance.wire import get

PACKAGE = Path(pwb_async.__file__).parent
FORBIDDEN = {"print", "SystemExit", ".exit", "._exit", ".argv", ".basicConfig", ".set_exception_handler"}
"""Names, and with a dot attributes of any object."""
ALLOWED = {
    "__main__.py": FORBIDDEN,
    "command.py": FORBIDDEN,
    "compress/commands.py": FORBIDDEN,  # a command, which only a __main__.py imports
    "explain/commands.py": FORBIDDEN,  # another one
    "terminal/commands.py": FORBIDDEN,  # and others
    "server/fetch_process.py": {"._exit"},  # a process of its own, which nothing imports
    "output/packages.py": {"SystemExit"},  # only a __main__.py imports it
    "runtime/handover.py": {"._exit"},  # of a process that was started to take over, before it is a server
    "workers/worker.py": {".set_exception_handler"},  # of the loop that it has made itself
    "workers/worker_process.py": {"._exit"},  # of the process that it has forked itself
}


def descriptors() -> dict[str, str]:
    """The open descriptors of this process and what they refer to; not the one that reads the directory."""
    found = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            found[fd] = os.readlink(f"/proc/self/fd/{fd}")
        except FileNotFoundError:
            continue
    return found


@pytest.fixture
def roots(tmp_path: Path) -> list[Path]:
    """Two directories, each with an a.txt that says which one it is in."""
    roots = [tmp_path / "one", tmp_path / "two"]
    for root in roots:
        root.mkdir()
        (root / "a.txt").write_text(root.name)
    return roots


async def two_servers(roots: list[Path]) -> None:
    """Two servers serve side by side, and one still serves when the other has ended."""

    def handler(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        raise AssertionError(context)

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(handler)
    contexts = [open_context("test", Options(root=str(root), port=0, access_log=f"{root}.log")) for root in roots]
    addresses = [context.sockets[0].getsockname()[:2] for context in contexts]
    servers = [Server(context) for context in contexts]
    serving: list[asyncio.Task[None]] = []
    for server in servers:
        ready = asyncio.Event()
        serving.append(asyncio.create_task(server.serve(ready.set)))
        await ready.wait()
    assert loop.get_exception_handler() is handler

    async with Peer(addresses[0]) as first, Peer(addresses[1]) as second:
        for peer, root in ((first, roots[0]), (second, roots[1]), (first, roots[0])):
            await peer.send(get("/a.txt"))
            assert (await peer.read_response()).content == root.name.encode()
    servers[0].shutdown()
    await serving[0]
    contexts[0].close()
    with pytest.raises(ConnectionRefusedError):
        async with Peer(addresses[0]):
            pass
    async with Peer(addresses[1]) as peer:
        await peer.send(get("/a.txt"))
        assert (await peer.read_response()).content == b"two"
    servers[1].shutdown()
    await serving[1]
    contexts[1].close()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert [len(Path(f"{root}.log").read_text().splitlines()) for root in roots] == [2, 2]


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_two_servers_in_one_loop(
    new_loop: Callable[[], asyncio.AbstractEventLoop], roots: list[Path], capfd: pytest.CaptureFixture[str]
) -> None:
    new_loop().close()  # libuv opens a pipe with its first loop and keeps it for the process
    threads, opened, handlers = set(threading.enumerate()), descriptors(), list(logging.getLogger().handlers)
    loop = new_loop()
    try:
        loop.run_until_complete(two_servers(roots))
    finally:
        loop.close()
    for thread in set(threading.enumerate()) - threads:
        thread.join(TIMEOUT)
    assert set(threading.enumerate()) <= threads  # some of an earlier test may have ended meanwhile
    assert descriptors() == opened
    assert logging.getLogger().handlers == handlers
    assert capfd.readouterr() == ("", "")


def names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield f".{node.attr}"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_program_exits_prints_and_configures_the_process(path: Path) -> None:
    allowed = ALLOWED.get(str(path.relative_to(PACKAGE)), set())
    assert not set(names(ast.parse(path.read_text()))) & (FORBIDDEN - allowed)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"root": "/no/such/folder"}, "cannot serve /no/such/folder: No such file or directory (another"),
        ({"host": "256.0.0.0"}, "cannot listen on 256.0.0.0 port 0: "),
        ({"trace": "/"}, "cannot write the timeline /: "),
        ({"access_log": "/"}, "cannot write the access log /: "),
    ],
)
def test_a_resource_that_cannot_be_opened_raises_and_leaves_nothing_open(
    options: dict[str, str], message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    opened = descriptors()
    with pytest.raises(StartupError) as caught:
        open_context(
            "test", Options(**({"root": str(tmp_path), "access_log": str(tmp_path / "log")} | options), port=0)
        )  # type: ignore[arg-type]
    assert str(caught.value).startswith(message)
    assert descriptors() == opened
    assert capfd.readouterr() == ("", "")


def test_a_reload_does_not_read_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The options are what the caller's function returns, by default those of the start."""
    monkeypatch.setattr(sys, "argv", ["other-program", "--nonsense"])
    same = Options(root=str(tmp_path), port=0, access_log="off")
    context = open_context("test", same)
    assert reload_context(context).options == same
    context.close()
    changed = Options(root=str(tmp_path), port=0, access_log="off", max_age=60)
    context = open_context("test", same, lambda: changed)
    reloaded = reload_context(reload_context(context))
    assert reloaded.options == changed
    assert reloaded.sockets is context.sockets
    context.close()


def test_a_reload_keeps_what_no_option_sets(tmp_path: Path) -> None:
    """Otherwise SIGHUP would switch an access rule off."""
    same = Options(root=str(tmp_path), port=0, access_log="off")
    hooks: dict[str, Any] = {"guard": print, "resolve_client": print, "observers": (print,)}
    context = open_context("test", same)._replace(**hooks)
    reloaded = reload_context(context)
    assert {name: getattr(reloaded, name) for name in hooks} == hooks
    context.close()


def test_public_names_are_imported_on_first_use() -> None:
    script = """
import sys, pwb_async
assert not {"click", "socket", "asyncio"} & set(sys.modules)
assert pwb_async.__all__ == sorted(pwb_async.__all__) and set(pwb_async.__all__) <= set(dir(pwb_async))
assert pwb_async.Options(port=1).port == 1
assert not {"socket", "asyncio", "logging"} & set(sys.modules)
from pwb_async import *
assert Options is pwb_async.Options and __version__ == pwb_async.__version__
assert Server is pwb_async.Server and running is pwb_async.running
assert not {"pytest", "pwb_async.tls", "pwb_async.workers.supervisor"} & set(sys.modules)
try:
    pwb_async.none
except AttributeError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=PACKAGE.parent, stdout=-1, text=True, check=True)
    assert done.stdout == "module 'pwb_async' has no attribute 'none'\n"


def test_the_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()

"""Servers for programs without an event loop: serve() has the thread to itself, running() has one of its own."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any, Final, Unpack

from pwb_async.config.keywords import Root
from pwb_async.config.option_types import NATIVE_LOOP
from pwb_async.config.options import ConfigError
from pwb_async.runtime.context import ServerContext, StartupError
from pwb_async.workers.serving import serve_process
from pwb_async.workers.worker import loop_factory

from .keywords import Keywords, settings_of
from .server import Server

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD)
"""The signals that serve() may handle."""


def serve(
    root: Root,
    *,
    ready: Callable[[str], object] | None = None,
    handle_signals: bool = False,
    **keywords: Unpack[Keywords],
) -> None:
    """Serve a directory, as the command pwb does, until the program is interrupted.

        pwb_async.serve("site", port=8000, ready=print)

    Args:
        root: The directory to serve: a path, or files of an installed package (importlib.resources.files).
        ready: Called with the URL as soon as connections are accepted.
        handle_signals: Whether signals do what they do to the command: SIGINT and SIGTERM end the server, SIGHUP
            reloads files, SIGUSR1 reopens the access log. Only the main thread can do that; the handlers of the program
            are back when serve() returns. Without it, Ctrl-C raises KeyboardInterrupt, after the responses under way
            have been finished within grace_period.
        keywords: The options of the command, with "_" for "-" and the same defaults, and the hooks guard,
            resolve_client and observers. Those that change the process or start others need handle_signals.

    Raises:
        ConfigError: A value is wrong.
        TypeError: There is no such option.
        StartupError: The server cannot start, or its workers keep dying.
        RuntimeError: An event loop is running in this thread, or handle_signals is set in another than the main one.
    """
    _refuse_running_loop()
    settings = settings_of(root, keywords, own_process=True)
    options = settings.options
    if handle_signals:
        _serve_with_signals(lambda: settings.open_context(activated=True), ready)
        return
    if options.workers != 1 or options.user is not None or options.sandbox:
        raise ConfigError("workers, user and sandbox need a process of their own: set handle_signals.")

    async def main() -> None:
        async with Server.of(settings) as server:
            if ready is not None:
                ready(server.url)
            await server.serve_forever()

    with asyncio.Runner(loop_factory=loop_factory(options.loop)) as runner:
        runner.run(main())


def _refuse_running_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError("serve() would block the event loop that is running here: use Server or running()")


def _serve_with_signals(open_context: Callable[[], ServerContext], ready: Callable[[str], object] | None) -> None:
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("only the main thread can handle signals")
    before: dict[int, Any] = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        status = serve_process(open_context(), lambda context: None if ready is None else ready(context.urls[0]))
    finally:
        for number, handler in before.items():
            if handler is not None:  # it was not installed by Python, which cannot bring it back
                signal.signal(number, handler)
    if status:
        raise StartupError("the workers cannot serve; the log has the reason")


@contextmanager
def running(root: Root, **keywords: Unpack[Keywords]) -> Iterator[Server]:
    """A server on a thread of its own, as long as the block lasts.

        with pwb_async.running("site") as server:
            print(server.url)

    At the end of the block the responses under way are finished, within grace_period. The event loop is uvloop where
    that is installed, unless the option loop names one.

    Args:
        root: As for Server.
        keywords: As for Server.

    Raises:
        ConfigError: A value is wrong.
        TypeError: There is no such option.
        StartupError: The server cannot start.
    """
    with on_thread(Server.of(settings_of(root, keywords)), keywords.get("loop")) as server:
        yield server


@contextmanager
def on_thread(server: Server, loop: str | None) -> Iterator[Server]:
    """Run a server on a thread of its own. loop: as the option; None for uvloop where it is installed."""
    thread = ServerThread(server, _loop_factory(loop))
    thread.begin()
    try:
        yield server
    finally:
        thread.end()


def _loop_factory(name: str | None) -> Callable[[], asyncio.AbstractEventLoop]:
    if name is not None:
        return loop_factory(name)
    try:
        return loop_factory(NATIVE_LOOP)
    except StartupError:
        return loop_factory("asyncio")


class ServerThread:
    """A thread in which a server runs, from begin() to end()."""

    def __init__(self, server: Server, new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._thread = threading.Thread(target=self._run, name="pwb-server", daemon=True)  # one that is forgotten ends
        self.server = server
        self._new_loop = new_loop
        self._started: Future[asyncio.AbstractEventLoop] = Future()
        self._ended: Future[None] = Future()

    def begin(self) -> None:
        """Start the thread, and wait until the server accepts connections. Raises what Server.start() raises."""
        self._thread.start()
        try:
            self._loop = self._started.result()
        except BaseException:
            self._thread.join()
            raise

    def end(self) -> None:
        """Close the server, and wait for the thread. Interrupted, it does not wait for responses any more."""
        self._call(self._closing.set)
        try:
            self._thread.join()
        except BaseException:
            self._call(self.server.abort)
            self._thread.join()
            raise
        self._ended.result()

    def _call(self, function: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(function)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=self._new_loop) as runner:
                runner.run(self._serve())
        except BaseException as error:
            (self._ended if self._started.done() else self._started).set_exception(error)
        else:
            self._ended.set_result(None)

    async def _serve(self) -> None:
        self._closing = asyncio.Event()
        async with self.server:
            self._started.set_result(asyncio.get_running_loop())
            await self._closing.wait()

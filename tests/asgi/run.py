"""Runs a static site in the server of another project: python -m tests.asgi.run SERVER ROOT [OPTIONS].

The options are those of pwb; the server's own are the defaults of its project. It prints the line that the suite waits
for, and ends with status 0 on SIGTERM.
"""

import asyncio
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from pwb_async.config.options import DECLARATIONS

from . import application

Keywords = dict[str, Any]
IGNORED = ("port", "access_log")
"""Options that the suite gives to every design, and that no application has."""


def keywords_of(words: Sequence[str]) -> Keywords:
    """The options of a command line as keyword arguments."""
    found: Keywords = {"config": "pwb.toml"} if os.path.exists("pwb.toml") else {}
    rest = iter(words)
    for word in rest:
        flag, equals, value = word.partition("=")
        given = flag.removeprefix("--").replace("-", "_")
        name = given if given in DECLARATIONS else given.removeprefix("no_")
        if isinstance(DECLARATIONS[name].default, bool):
            found[name] = name == given
            continue
        value = value if equals else next(rest)
        found[name] = [*found.get(name, ()), value] if DECLARATIONS[name].repeatable else value
    return {name: value for name, value in found.items() if name not in IGNORED}


def listening() -> socket.socket:
    """A socket that listens on any free port."""
    sock = socket.create_server(("127.0.0.1", 0), backlog=511)
    sock.set_inheritable(True)
    return sock


def announce(port: int) -> None:
    print(f"a static site listening on http://127.0.0.1:{port}/", flush=True)


async def uvicorn(http: str) -> None:
    module, sock = import_module("uvicorn"), listening()
    # uvicorn raises the signal that has ended it once more, when the handler from before is there again.
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    config = module.Config(application.asgi, http=http, lifespan="on", log_level="error", access_log=False)
    announce(sock.getsockname()[1])
    await module.Server(config).serve(sockets=[sock])


async def hypercorn() -> None:
    module, sock, ended = import_module("hypercorn"), listening(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    config = module.Config()
    config.bind, config.loglevel = [f"fd://{sock.fileno()}"], "ERROR"
    announce(sock.getsockname()[1])
    await import_module("hypercorn.asyncio").serve(application.asgi, config, shutdown_trigger=ended.wait)


def granian() -> None:
    """It opens its socket itself, so a free port is looked for, and it is asked until it is there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    threading.Thread(target=announce_when_ready, args=(port,), daemon=True).start()
    server = import_module("granian").Granian(
        "tests.asgi.application:asgi", port=port, interface="asgi", log_enabled=False, websockets=False
    )
    server.serve()


def announce_when_ready(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.01)
        else:
            announce(port)
            return


def gunicorn() -> None:
    """WSGI, with threads as its documentation advises for what waits."""
    base, sock = import_module("gunicorn.app.base").BaseApplication, listening()

    class Application(base):  # type: ignore[misc, valid-type]
        def load_config(self) -> None:
            settings = {"bind": f"fd://{sock.fileno()}", "worker_class": "gthread", "threads": 4, "loglevel": "error"}
            for name, value in {**settings, "keepalive": 15, "graceful_timeout": 5}.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            return application.wsgi

    announce(sock.getsockname()[1])
    Application().run()


RUN: dict[str, Callable[[], None]] = {
    "uvicorn-httptools": lambda: asyncio.run(uvicorn("httptools")),
    "uvicorn-h11": lambda: asyncio.run(uvicorn("h11")),
    "hypercorn": lambda: asyncio.run(hypercorn()),
    "granian": granian,
    "gunicorn": gunicorn,
}
"""The servers by name."""


if __name__ == "__main__":
    server_name, root, *words = sys.argv[1:]
    os.environ[application.VARIABLE] = json.dumps([root, keywords_of(words)])
    RUN[server_name]()

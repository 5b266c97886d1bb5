"""Contestants that are no designs of PWB: nginx, for reference, and any command that the user names.

A command gets a free port and the folder. It is ready when it accepts connections, and it has to answer with the bytes
of a file; beyond that, what it answers is reported and not demanded.
"""

import http.client
import os
import shlex
import shutil
import socket
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from .sample_site import Site
from .servers import CannotError, Contestant, Launch, serving

NGINX: Final = "nginx"
"""The name of the contestant that is for reference."""
PATIENCE: Final = 5.0
"""Seconds that a command has for its first response."""
_CONFIGURATION: Final = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
worker_processes {workers};
{user}
events {{ worker_connections 4096; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    types {{ text/html html; }}
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    access_log off;
    server {{ listen 127.0.0.1:{port} backlog=2048; root "{root}"; }}
}}
"""


def nginx() -> Contestant | None:
    """nginx with its usual settings, a worker for each core; None where it is not installed."""
    # It is often in a folder that is on the path of root only.
    path = shutil.which("nginx", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin")))
    if path is None:
        return None
    return Contestant(NGINX, "", (path,), kind="reference", launch=_by_configuration)


def also(text: str) -> Contestant:
    """A contestant from NAME=command, in which {port} and {root} are replaced. Raises ValueError, in words."""
    name, equals, command = text.partition("=")
    name = name.strip()
    if not equals or not name or not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise ValueError(f"{text!r} is not NAME=command, with a name of letters, digits, - and _")
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if not any("{port}" in word for word in words):
        raise ValueError(f"{name}: the command has no {{port}}, on which it is to listen")
    return Contestant(name, "", words, kind="other", launch=_by_command)


def tried(contestant: Contestant, site: Site, cores: Collection[int]) -> Contestant:
    """The same, with keeps_alive as it was found out by asking for a page twice. Raises CannotError where the server
    does not start, or does not answer with the page."""
    try:
        with serving(contestant, site.root, cores) as server:
            kept = _asked(server.address, site)
            server.check()
    except (OSError, http.client.HTTPException, CannotError) as error:
        raise CannotError(f"{contestant.name}: {error or type(error).__name__}") from None
    return replace(contestant, keeps_alive=kept)


def _asked(address: tuple[str, int], site: Site) -> bool:
    """Ask for the page. Return whether the connection stays open. Raises CannotError for anything but the page."""
    connection = http.client.HTTPConnection(*address, timeout=PATIENCE)
    try:
        connection.request("GET", site.page.decode())
        response = connection.getresponse()
        content = response.read()
        name = site.page.decode()
        if response.status != 200:
            raise CannotError(f"it answers GET {name} with status {response.status}; does the command have {{root}}?")
        if content != site.page_path.read_bytes():
            raise CannotError(f"it answers GET {name} with other bytes than those of the file")
        if response.getheader("Content-Length") is None:
            raise CannotError(f"it answers GET {name} without Content-Length, so its responses cannot be counted")
        return not response.will_close
    finally:
        connection.close()


@contextmanager
def _by_command(contestant: Contestant, root: Path, options: Sequence[str]) -> Iterator[Launch]:
    _refuse(options)
    port = _free_port()
    words = [word.replace("{port}", str(port)).replace("{root}", os.fspath(root)) for word in contestant.words]
    yield Launch(words, dict(os.environ), port, Path.cwd())


@contextmanager
def _by_configuration(contestant: Contestant, root: Path, options: Sequence[str]) -> Iterator[Launch]:
    _refuse(options)
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="pwb-nginx-") as folder:
        file = Path(folder) / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        values = {"folder": folder, "workers": contestant.cores, "user": user, "port": port, "root": os.fspath(root)}
        file.write_text(_CONFIGURATION.format(**values), errors="surrogateescape")
        yield Launch([*contestant.words, "-p", folder, "-c", os.fspath(file)], dict(os.environ), port)


def _refuse(options: Sequence[str]) -> None:
    if options:
        raise CannotError(f"it has no option {options[0]}, which this scenario needs")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port

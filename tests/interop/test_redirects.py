"""How clients follow the redirects: from a folder without its slash, and from a name that is not escaped.

docs/redirects.md has the table of all clients that were tried; these are common ones.
"""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.conformance.designs import REFERENCE
from tests.conformance.server import Server, running
from tests.conformance.tree import ALPHABET, FILES
from tests.fuzz.peers import nginx_with

from .programs import needs, run


class Client(NamedTuple):
    """A program that follows redirects."""

    arguments: tuple[str, ...]
    """Its command line, in which {} stands for the URL."""
    relative: bool = True
    """Whether it resolves a Location that is relative to the target."""
    raw: bool = False
    """Whether it sends a name beyond US-ASCII unescaped, and needs the redirect to the escaped one."""


CLIENTS: Final = {
    "curl": Client(("curl", "--silent", "--location", "--noproxy", "*", "{}")),
    "wget": Client(("wget", "--quiet", "--no-proxy", "--output-document=-", "{}")),
    "busybox": Client(("busybox", "wget", "-q", "-Y", "off", "-O", "-", "{}"), relative=False, raw=True),
    "w3m": Client(("w3m", "-dump_source", "{}")),
    "lynx": Client(("lynx", "-source", "{}")),
    "elinks": Client(("elinks", "-no-connect", "1", "-source", "1", "{}"), raw=True),
    "lftp": Client(("lftp", "-c", 'set net:max-retries 1; cat "{}"'), relative=False, raw=True),
    "php": Client(("php", "-r", "echo file_get_contents($argv[1]);", "{}"), raw=True),
    "perl": Client(
        ("perl", "-MHTTP::Tiny", "-e", "print HTTP::Tiny->new->get(@ARGV)->{content}", "{}"), relative=False, raw=True
    ),
    "ruby": Client(("ruby", "-ropen-uri", "-e", "print URI.open(ARGV[0]).read", "{}")),
    "node": Client(("node", "-e", "fetch(process.argv[1]).then(r => r.text()).then(console.log)", "{}")),
}
"""The clients, by the name of their program."""


def for_each(clients: Iterable[str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("client", [pytest.param(name, marks=needs(name)) for name in clients])


every = for_each(CLIENTS)
relative = for_each(name for name, client in CLIENTS.items() if client.relative)
raw = for_each(name for name, client in CLIENTS.items() if client.raw)


async def fetch(client: str, url: str) -> bytes:
    arguments = [word.replace("{}", url) for word in CLIENTS[client].arguments]
    return (await run(*arguments, LC_ALL="C.UTF-8", within=20)).output.rstrip(b"\n")


@every
async def test_folder_without_its_slash(client: str, server: Server) -> None:
    assert await fetch(client, server.url + "/sub") == FILES[b"sub/index.html"]


@raw
async def test_name_and_query_that_are_not_escaped(client: str, server: Server) -> None:
    assert await fetch(client, server.url + "/grüße.txt") == FILES["grüße.txt".encode()]
    assert await fetch(client, server.url + "/a.txt?q=ü") == ALPHABET


@pytest.fixture(scope="module")
async def behind_a_prefix(served_root: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The URL of a server behind nginx, which strips a prefix and has default settings."""
    async with running(
        REFERENCE, served_root, "--relative-redirects", log_dir=tmp_path_factory.mktemp("server")
    ) as server:
        location = f"location /a/prefix/ {{ proxy_pass {server.url}/; }}"
        async with nginx_with(location, tmp_path_factory.mktemp("nginx")) as address:
            if address is None:
                pytest.skip("nginx is not installed")
            yield f"http://{address[0]}:{address[1]}/a/prefix"


@relative
async def test_relative_redirect_behind_a_prefix(client: str, behind_a_prefix: str) -> None:
    assert await fetch(client, behind_a_prefix + "/sub") == FILES[b"sub/index.html"]
    assert await fetch(client, behind_a_prefix + "/sub?x=/y") == FILES[b"sub/index.html"]

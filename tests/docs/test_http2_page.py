"""docs/http2.md: the rule that announces the HTTP/3 of a server in front, in both forms, over HTTP/1.1 and HTTP/2."""

import http.client
import re
import textwrap
from pathlib import Path

import pytest

from tests.conformance.server import running
from tests.http2.client import Client
from tests.http2.conftest import H2C

from .examples import ROOT

PAGE = (ROOT / "docs" / "http2.md").read_text()
BLOCK = re.compile(r"(?:^ {4}.*\n|^\n(?= {4}))+", re.MULTILINE)
VALUE = 'h3=":443"; ma=86400'


def example(name: str) -> str:
    """The file that a comment on its first line names."""
    blocks = [textwrap.dedent(block).strip() for block in BLOCK.findall(PAGE)]
    (found,) = [block for block in blocks if block.startswith(f"# {name}\n")]
    return found + "\n"


@pytest.mark.parametrize("name", ["_headers", "pwb.toml"])
async def test_http3_of_a_server_in_front_is_announced(name: str, tmp_path: Path) -> None:
    root = tmp_path / "public"
    root.mkdir()
    (root / "a.txt").write_text("a")
    (root / name if name == "_headers" else tmp_path / name).write_text(example(name))
    async with running(H2C, root, log_dir=tmp_path, folder=tmp_path) as server:
        connection = http.client.HTTPConnection(*server.address, timeout=10)
        for path, status in (("/a.txt", 200), ("/missing", 404)):
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            assert (response.status, response.getheader("Alt-Svc")) == (status, VALUE)
            with Client(server.address) as client:
                (answer,) = client.wait(client.get(path))
                assert (answer.status, answer.named["alt-svc"]) == (status, VALUE)
        connection.close()

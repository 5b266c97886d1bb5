"""Redirects to a folder, relative to the target, which the client resolves (RFC 3986 5.2)."""

from pathlib import Path
from urllib.parse import urljoin

import pytest

from .peer import send_request
from .server import Start
from .wire import get

FOLDERS = ("sub/deep", "a:b", "javascript:x", "\\evil", "sub/grüße", "evil.com")
REDIRECTS = {
    "/sub": "./sub/",
    "/sub/deep": "./deep/",
    "/sub/deep?x=1&y": "./deep/?x=1&y",
    "/sub?": "./sub/?",
    "/a:b": "./a:b/",
    "/javascript:x": "./javascript:x/",
    "/%5Cevil": "./%5Cevil/",
    "//evil.com": "./evil.com/",
    "//evil.com/../sub": "./sub/",
    "//evil.com/%2e%2e/sub": "./sub/",
    "/sub/./../sub/deep": "./deep/",
    "/sub/gr%c3%bc%C3%9Fe": "./gr%C3%BC%C3%9Fe/",
    "http://evil.com/sub": "./sub/",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in FOLDERS:
        (tmp_path / "root" / folder).mkdir(parents=True, exist_ok=True)
    for path in [*(tmp_path / "root").rglob("*")]:
        (path / "index.html").write_text("here")
    return tmp_path / "root"


async def test_relative_redirects_c9(root: Path, start: Start) -> None:
    """Each leads to the folder, with the prefix of a proxy too, and none to another host."""
    async with start("--relative-redirects", root=root) as server:
        for target, location in REDIRECTS.items():
            response = await send_request(server.address, get(target, "Connection: close"))
            assert (response.status, response["Location"]) == (301, location), target
            base = target if target.startswith("http:") else "http://h/prefix" + target
            there = urljoin(base, location)
            assert there.startswith(base[: len("http://h/prefix/")] if "/prefix" in base else "http://evil.com/")
            response = await send_request(server.address, get(there.replace("/prefix", ""), "Connection: close"))
            assert (response.status, response.content) == (200, b"here"), there

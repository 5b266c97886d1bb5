"""--dotfiles: names that begin with a dot are served like others, and a warning at the start reports it (hazard C7)."""

from pathlib import Path

import pytest

from .peer import send_request
from .server import Start
from .tree import CANARY
from .wire import get

SERVED = (
    ".env",
    ".git/HEAD",
    ".well-known/.x",
    "sub/.hidden/x.txt",
    "...",
    "..data/x",
    ".folder/index.html",
    # metadata of a Zarr store of version 2, beside its chunks
    *(".zgroup", ".zattrs", ".zmetadata", "temperature/.zarray", "temperature/.zattrs", "temperature/0.0"),
)
LINE = "names that begin with a dot are served: --dotfiles"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in SERVED:
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).write_text(name)
    (tmp_path / ".outside").write_bytes(CANARY)
    (tmp_path / "root/.link-out").symlink_to("../.outside")
    return tmp_path / "root"


async def test_dot_files_on_request_c7(root: Path, start: Start) -> None:
    async with start("--dotfiles", root=root, allowed_errors=LINE) as server:
        assert [line.partition(": ")[2] for line in server.error_output().splitlines()] == [LINE]
        for name in SERVED:
            response = await send_request(server.address, get("/" + name))
            assert (response.status, response.content) == (200, name.encode()), name
        assert (await send_request(server.address, get("/.folder")))["Location"] == "/.folder/"
        assert (await send_request(server.address, get("/.folder/"))).content == b".folder/index.html"
        for target, status in {
            "/.git": 301,
            "/.git/": 404,
            "/.missing": 404,
            "/.link-out": 404,
            "/.git%2FHEAD": 404,
            "/../.outside": 400,
            "/.git/../../.outside": 400,
        }.items():
            response = await send_request(server.address, get(target))
            assert response.status == status, target
            assert CANARY not in response.content


async def test_dot_files_are_hidden_by_default_c7(root: Path, start: Start) -> None:
    async with start(root=root) as server:
        for name in SERVED:
            status = 200 if name == "temperature/0.0" else 404
            assert (await send_request(server.address, get("/" + name))).status == status, name

"""The configuration file that a server has read is neither served nor listed, wherever it is beneath a root (C7)."""

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from .peer import send_request
from .server import Start
from .wire import get

CONFIG = b"# not for clients\nmax-age = 60\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("conf", "sub"):
        (tmp_path / "root" / name).mkdir(parents=True)
    for name in ("pwb.toml", "conf/pwb.toml", "sub/pwb.toml"):
        (tmp_path / "root" / name).write_bytes(CONFIG)
        (tmp_path / "root" / f"{name}.gz").write_bytes(gzip.compress(CONFIG))
    (tmp_path / "root/a.txt").write_bytes(b"a")
    return tmp_path / "root"


async def statuses(address: tuple[str, int], *targets: str) -> list[int]:
    return [(await send_request(address, get(target))).status for target in targets]


async def test_it_is_hidden_with_its_neighbours_c7(root: Path, start: Start) -> None:
    options = ("--mount", "/again/=.", "--precompressed", "--browse", "--zip-downloads")
    async with start(*options, root=root, folder=root) as server:
        hidden = (
            "/pwb.toml",
            "/%70wb.toml",
            "/PWB.TOML",
            "//pwb.toml",
            "/pwb.toml/",
            "/pwb.toml.gz",
            "/again/pwb.toml",
        )
        assert 200 not in await statuses(server.address, *hidden)
        assert await statuses(server.address, "/pwb.toml", "/pwb.toml.gz", "/again/pwb.toml") == [404] * 3
        assert await statuses(server.address, "/sub/pwb.toml", "/again/a.txt") == [200, 200]
        response = await send_request(server.address, get("/pwb.toml", "Accept-Encoding: gzip"))
        assert response.status == 404
        assert (await send_request(server.address, get("/a.txt")))["Cache-Control"] == "max-age=60"
        for folder in ("/", "/again/"):
            listing = await send_request(server.address, get(folder))
            assert b"a.txt" in listing.content
            assert b"pwb.toml" not in listing.content
            archive = await send_request(server.address, get(folder + "?download=zip"))
            names = zipfile.ZipFile(io.BytesIO(archive.content)).namelist()
            assert {name.partition("/")[2] for name in names if not name.endswith("/")} == {
                *("a.txt", "conf/pwb.toml", "conf/pwb.toml.gz", "sub/pwb.toml", "sub/pwb.toml.gz")
            }


async def test_one_that_is_named_is_hidden_c7(root: Path, start: Start) -> None:
    async with start("--config", "root/conf/pwb.toml", root=root, folder=root.parent) as server:
        assert await statuses(server.address, "/conf/pwb.toml", "/conf/pwb.toml.gz", "/pwb.toml") == [404, 404, 200]

"""apt with a package archive of our own: update, many downloads at once, the rest of half a package.

Its whole state is in a folder of the test (Dir and APT_CONFIG), so that it neither reads nor changes the system's.
"""

import os
import random
import shutil
from pathlib import Path

import pytest

from tests.conformance.server import Server, Start

from .programs import Completed, needs, run

pytestmark = [needs("apt-get"), needs("apt-ftparchive"), needs("dpkg-deb")]
PACKAGES = [f"letter-{letter}" for letter in "abcdefghijkl"]
INDEX = "dists/stable/main/binary-amd64"
MTIME = 1_600_000_000
"""The modification time of every package."""


async def build(archive: Path, name: str, seed: int) -> Path:
    """A package of some 100 KB whose content depends on the seed."""
    tree = archive.parent / name
    (tree / "DEBIAN").mkdir(parents=True)
    control = f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: M <m@example.org>\nDescription: none\n"
    (tree / "DEBIAN/control").write_text(control)
    (tree / "content").write_bytes(random.Random(seed).randbytes(100_000))
    package = archive / "pool" / f"{name}_1_all.deb"
    done = await run("dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(package))
    assert done.status == 0, done.errors
    os.utime(package, (MTIME, MTIME))
    shutil.rmtree(tree)
    return package


async def index(archive: Path) -> None:
    """Writes the lists of the archive, each also under its hash."""
    done = await run("apt-ftparchive", "packages", "pool", folder=archive)
    (archive / INDEX / "Packages").write_bytes(done.output)
    (archive / "dists/stable/Release").unlink(missing_ok=True)
    fields = {"Suite": "stable", "Architectures": "amd64", "Components": "main", "Acquire-By-Hash": "yes"}
    options = [f"-oAPT::FTPArchive::Release::{name}={value}" for name, value in fields.items()]
    done = await run("apt-ftparchive", *options, "release", str(archive / "dists/stable"))
    assert done.status == 0, done.errors
    (archive / "dists/stable/Release").write_bytes(done.output)
    digest = done.output.rpartition(b"SHA512:\n ")[2].split()[0].decode()
    by_hash = archive / INDEX / "by-hash/SHA512"
    by_hash.mkdir(parents=True, exist_ok=True)
    shutil.copy(archive / INDEX / "Packages", by_hash / digest)


@pytest.fixture(scope="session")
async def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("apt") / "archive"
    for folder in ("pool", INDEX):
        (root / folder).mkdir(parents=True)
    for seed, name in enumerate(PACKAGES):
        await build(root, name, seed)
    await index(root)
    return root


class Apt:
    """An apt without any state, with one archive in its list."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder = folder
        self.archives = folder / "var/cache/apt/archives"
        for part in ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "var/lib/apt/lists/partial", "downloads"):
            (folder / part).mkdir(parents=True)
        (self.archives / "partial").mkdir(parents=True)
        (folder / "status").touch()
        (folder / "etc/apt/sources.list").write_text(f"deb [trusted=yes] {server.url}/ stable main\n")
        (folder / "config").write_text(
            f'Dir "{folder}/"; Dir::State::status "{folder}/status";\n'
            'APT::Architecture "amd64"; APT::Architectures { "amd64"; }; APT::Sandbox::User "root";\n'
            'Acquire::Languages "none"; Acquire::http::Proxy "DIRECT";\n'
        )

    async def get(self, *arguments: str) -> Completed:
        done = await run(
            "apt-get", *arguments, folder=self.folder / "downloads", APT_CONFIG=str(self.folder / "config")
        )
        assert done.status == 0, done.errors
        return done


async def test_update_and_downloads(archive: Path, start: Start, tmp_path: Path) -> None:
    async with start(root=archive) as server:
        apt = Apt(tmp_path / "apt", server)
        await apt.get("update")
        assert b"\nHit:" in (await apt.get("update")).output
        await apt.get("download", *PACKAGES)
    for package in (archive / "pool").iterdir():
        assert (apt.folder / "downloads" / package.name).read_bytes() == package.read_bytes()
    log = server.log.read_text()
    assert ' "GET /dists/stable/Release HTTP/1.1" 304 ' in log
    assert f' "GET /{INDEX}/by-hash/SHA512/' in log
    assert f' "GET /{INDEX}/Packages HTTP/1.1"' not in log, "it was not found by its hash"


async def test_half_a_package_goes_on_9110_13_1_5(archive: Path, start: Start, tmp_path: Path) -> None:
    """apt requests the rest with the date of its part in If-Range."""
    package = archive / "pool/letter-a_1_all.deb"
    async with start(root=archive) as server:
        apt = Apt(tmp_path / "apt", server)
        await apt.get("update")
        half = apt.archives / "partial" / package.name
        half.write_bytes(package.read_bytes()[:50_000])
        os.utime(half, (MTIME, MTIME))
        await apt.get("install", "--download-only", "--yes", "letter-a")
    assert (apt.archives / package.name).read_bytes() == package.read_bytes()
    assert f' "GET /pool/{package.name} HTTP/1.1" 206 {package.stat().st_size - 50_000} ' in server.log.read_text()


async def test_half_of_a_package_that_was_replaced_9110_13_1_5(archive: Path, start: Start, tmp_path: Path) -> None:
    """The package has changed since, so all of it is sent."""
    copy = tmp_path / "archive"
    shutil.copytree(archive, copy)
    package = copy / "pool/letter-a_1_all.deb"
    old = package.read_bytes()
    await build(copy, "letter-a", seed=99)
    os.utime(package, (MTIME + 60, MTIME + 60))
    await index(copy)
    async with start(root=copy) as server:
        apt = Apt(tmp_path / "apt", server)
        await apt.get("update")
        half = apt.archives / "partial" / package.name
        half.write_bytes(old[:50_000])
        os.utime(half, (MTIME, MTIME))
        await apt.get("install", "--download-only", "--yes", "letter-a")
    assert (apt.archives / package.name).read_bytes() == package.read_bytes()
    assert f' "GET /pool/{package.name} HTTP/1.1" 200 {package.stat().st_size} ' in server.log.read_text()

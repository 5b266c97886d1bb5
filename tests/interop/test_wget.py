"""wget: a whole site, through the server, equals the files on the disk byte for byte; resumed downloads."""

import filecmp
import os
import random
from pathlib import Path

import pytest

from tests.conformance.designs import DESIGNS, REFERENCE, Design
from tests.conformance.server import Server, running
from tests.conformance.tree import ALPHABET, FILES

from .programs import Completed, needs, run

pytestmark = needs("wget")
DOCUMENTATION = [
    folder
    for name in ("python3", "python3.11", "python3.11-doc", "python3-doc")
    if (folder := Path("/usr/share/doc") / name / "html").is_dir()
]


def generate(root: Path, folders: int, files: int) -> None:
    """Folders of files, each with an index that links to its files and to the next folder."""
    chance = random.Random(7)
    for number in range(folders):
        folder = root / f"folder {number:03} ü"
        folder.mkdir(parents=True)
        names = [f"file-{at:03}.{chance.choice(['txt', 'bin', 'css', 'svg'])}" for at in range(files)]
        for name in names:
            (folder / name).write_bytes(chance.randbytes(chance.choice([0, 1, 100, 5000, 70_000])))
        links = [*names, f"../folder {number + 1:03} ü/"] if number + 1 < folders else names
        (folder / "index.html").write_text("".join(f'<a href="{link}">{link}</a>\n' for link in links))
    (root / "index.html").write_text('<meta charset="utf-8"><a href="folder 000 ü/">first</a>')


async def mirror(server: Server, copy: Path, allow_broken_links: bool = False) -> None:
    """Mirrors everything that links lead to: no robots.txt, no time stamps, no other encoding of names."""
    options = ("--mirror", "--no-host-directories", "--no-verbose", "--execute", "robots=off", "--local-encoding=UTF-8")
    names = ("--restrict-file-names=nocontrol", "--no-proxy", "--directory-prefix", str(copy))
    done = await run("wget", *options, *names, server.url + "/", within=120)
    assert done.status in ((0, 8) if allow_broken_links else (0,)), done.errors[-500:]  # 8: a link leads nowhere


def files_of(root: Path) -> set[str]:
    return {os.path.relpath(os.path.join(folder, name), root) for folder, _, names in os.walk(root) for name in names}


def same_files(names: set[str], root: Path, copy: Path) -> None:
    equal, different, missing = filecmp.cmpfiles(root, copy, sorted(names), shallow=False)
    assert (different, missing) == ([], [])
    assert len(equal) == len(names)


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name, scope="session")
async def test_generated_site(design: Design, tmp_path: Path) -> None:
    """Two thousand files from the reference, two hundred from each of the others."""
    root, log_dir, copy = tmp_path / "root", tmp_path / "log_dir", tmp_path / "copy"
    log_dir.mkdir()
    generate(root, 40 if design is REFERENCE else 4, 50)
    async with running(design, root, log_dir=log_dir) as server:
        await mirror(server, copy)
    names = files_of(root)
    assert files_of(copy) == names
    same_files(names, root, copy)


@pytest.mark.skipif(not DOCUMENTATION, reason="Debian's python3-doc is not installed")
async def test_python_documentation(tmp_path: Path) -> None:
    """A real site of a thousand pages: wget finds exactly the files on the disk."""
    root, log_dir, copy = DOCUMENTATION[0], tmp_path / "log_dir", tmp_path / "copy"
    log_dir.mkdir()
    async with running(REFERENCE, root, log_dir=log_dir) as server:
        await mirror(server, copy, allow_broken_links=True)
    names = {name for name in files_of(copy) if "?" not in name}
    assert len(names) > 500
    same_files(names, root, copy)


async def wget(folder: Path, *arguments: str) -> Completed:
    done = await run("wget", "--no-proxy", "--no-verbose", "--server-response", *arguments, folder=folder)
    assert done.status == 0, done.errors
    return done


async def test_resume(server: Server, tmp_path: Path) -> None:
    part = tmp_path / "30m.bin"
    part.write_bytes(FILES[b"30m.bin"][:12_345_678])
    done = await wget(tmp_path, "--continue", server.url + "/30m.bin")
    assert "206 Partial Content" in done.errors
    assert part.read_bytes() == FILES[b"30m.bin"]


async def test_resume_of_what_is_there(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(ALPHABET)
    done = await wget(tmp_path, "--continue", server.url + "/a.txt")
    assert "416 Range Not Satisfiable" in done.errors
    assert (tmp_path / "a.txt").read_bytes() == ALPHABET


async def test_only_if_newer(server: Server, tmp_path: Path) -> None:
    await wget(tmp_path, "--timestamping", server.url + "/a.txt")
    assert "304 Not Modified" in (await wget(tmp_path, "--timestamping", server.url + "/a.txt")).errors
    assert (tmp_path / "a.txt").read_bytes() == ALPHABET

"""git clone and fetch over plain HTTP, as from any folder of files (git calls it the dumb protocol)."""

import asyncio
from pathlib import Path

import pytest

from tests.conformance.server import Start

from .programs import needs, run

pytestmark = needs("git")
GIT_OPTIONS = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")


async def git(folder: Path, *arguments: str) -> str:
    done = await run(
        "git", *GIT_OPTIONS, "-C", str(folder), *arguments, GIT_TERMINAL_PROMPT="0", GIT_CONFIG_NOSYSTEM="1"
    )
    assert done.status == 0, done.errors
    return done.output.decode().strip()


async def commit(tree: Path, name: str) -> None:
    (tree / name).write_text(f"{name}\n" * 1000)
    await git(tree, "add", name)
    await git(tree, "commit", "-q", "-m", name)


@pytest.fixture(params=["loose", "packed"])
async def origin(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A tree of twenty commits, and beside it site/project.git, the copy that is served."""
    tree = tmp_path / "tree"
    tree.mkdir()
    await git(tree, "init", "-q")
    for number in range(20):
        await commit(tree, f"file {number}")
    bare = tmp_path / "site/project.git"
    await git(tmp_path, "clone", "-q", "--bare", str(tree), str(bare))
    if request.param == "packed":
        await git(bare, "repack", "-q", "-a", "-d")
    await git(bare, "update-server-info")
    return tree


@pytest.mark.parametrize("origin", ["loose"], indirect=True)
async def test_clone_of_a_working_tree(origin: Path, start: Start, tmp_path: Path) -> None:
    """All requests are for paths beneath .git."""
    await git(origin, "update-server-info")
    warning = "names that begin with a dot are served"
    async with start("--dotfiles", root=tmp_path, allowed_errors=warning) as server:
        await git(tmp_path, "clone", "-q", f"{server.url}/tree/.git", "copy")
    assert await git(tmp_path / "copy", "fsck", "--strict") == ""
    assert await git(tmp_path / "copy", "rev-parse", "HEAD") == await git(origin, "rev-parse", "HEAD")


async def test_clone_and_fetch(origin: Path, start: Start, tmp_path: Path) -> None:
    bare, copy = tmp_path / "site/project.git", tmp_path / "copy"
    async with start(root=tmp_path / "site") as server:
        await git(tmp_path, "clone", "-q", f"{server.url}/project.git", str(copy))
        assert await git(copy, "fsck", "--strict") == ""
        assert await git(copy, "rev-parse", "HEAD") == await git(origin, "rev-parse", "HEAD")
        assert {file.name for file in copy.iterdir()} == {file.name for file in origin.iterdir()}
        await commit(origin, "one more")
        await git(origin, "push", "-q", str(bare), "HEAD:main")
        await git(bare, "update-server-info")
        async with asyncio.timeout(10):
            while await git(copy, "rev-parse", "origin/main") != await git(origin, "rev-parse", "HEAD"):
                await git(copy, "fetch", "-q")
        assert await git(copy, "fsck", "--strict") == ""

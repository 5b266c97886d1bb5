"""hg clone static-http://: a repository as a folder of files, read by ranges below .hg."""

from pathlib import Path

from tests.conformance.server import Start

from .programs import needs, run

pytestmark = needs("hg")


async def hg(folder: Path, *arguments: str) -> str:
    done = await run("hg", "--cwd", str(folder), "--config", "ui.username=A", *arguments, HGRCPATH="")
    assert done.status == 0, done.errors
    return done.output.decode().strip()


async def test_clone(start: Start, tmp_path: Path) -> None:
    tree, copy = tmp_path / "site/tree", tmp_path / "copy"
    tree.mkdir(parents=True)
    await hg(tree, "init")
    for number in range(20):
        (tree / f"file {number}").write_text(f"{number}\n" * 1000)
        await hg(tree, "commit", "--quiet", "--addremove", "--message", str(number))
    warning = "names that begin with a dot are served"
    async with start("--dotfiles", root=tmp_path / "site", allowed_errors=warning) as server:
        await hg(tmp_path, "clone", "--quiet", f"static-{server.url}/tree", str(copy))
    await hg(copy, "verify", "--quiet")
    assert await hg(copy, "identify", "--id") == await hg(tree, "identify", "--id")
    assert {file.name for file in copy.iterdir()} == {file.name for file in tree.iterdir()}

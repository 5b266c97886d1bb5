"""Saves of real editors and tools, of which live reload sees the file alone."""

import shutil
from pathlib import Path

import pytest

from tests.conformance.designs import REFERENCE
from tests.conformance.server import running
from tests.live_reload.stream import event_stream

from .programs import run

OTHER = "p { color: blue }\n"
SAVES: dict[str, tuple[str, ...]] = {
    "cp": ("cp", "{other}", "{file}"),
    "mv": ("mv", "{other}", "{file}"),
    "sed": ("sed", "-i", "s/red/blue/", "{file}"),
    "tee": ("sh", "-c", "tee '{file}' < '{other}'"),
    "rsync": ("rsync", "--checksum", "{other}", "{file}"),
    "vim": ("vim", "-Nu", "NONE", "-es", "+set swapfile backup", "+%s/red/blue/", "+wq", "{file}"),
    "vim-copy": ("vim", "-Nu", "NONE", "-es", "+set backupcopy=yes", "+%s/red/blue/", "+wq", "{file}"),
    "emacs": ("emacs", "-Q", "--batch", "{file}", "--eval", '(progn (insert "p {{ margin: 0 }}\n") (save-buffer))'),
    "git": ("git", "-C", "{root}", "checkout", "-q", "-f", "other"),
}
"""Commands that save a file, or put `other` in its place."""


async def _commit(root: Path, content: str, branch: str) -> None:
    """A branch of a repository in the root, with this content of the file."""
    (root / "a.css").write_text(content)
    commands = (
        ("init", "-q", "-b", branch),
        ("checkout", "-q", "-B", branch),
        ("add", "a.css"),
        ("-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-q", "-m", branch),
    )
    for command in commands:
        assert (await run("git", "-C", str(root), *command)).status == 0


@pytest.mark.parametrize("editor", SAVES)
async def test_a_save_is_one_event(tmp_path: Path, editor: str) -> None:
    program, *arguments = SAVES[editor]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    root, other = tmp_path / "site", tmp_path / "other.css"
    root.mkdir()
    if editor == "git":
        await _commit(root, OTHER, "other")
        await _commit(root, "p { color: red }\n", "main")
    file = root / "a.css"
    file.write_text("p { color: red }\n")
    other.write_text(OTHER)
    async with (
        running(REFERENCE, root, "--live-reload", log_dir=tmp_path) as server,
        event_stream(server.address) as stream,
    ):
        done = await run(program, *(each.format(root=root, file=file, other=other) for each in arguments))
        assert done.status == 0, done.errors
        assert "red" not in file.read_text() or editor == "emacs"
        assert (await stream.next())["swap"] == ["/a.css"]
        (root / "last.html").write_text("")
        assert "swap" not in await stream.next(), "the save was one event"

"""A working directory that cannot be read, or was deleted, matters only to paths that are relative to it."""

import os
import subprocess
from pathlib import Path
from typing import Final

import pytest

from .designs import DESIGNS, REFERENCE, Design
from .peer import send_request
from .server import Start, command, environment
from .tree import ALPHABET
from .wire import get

_UNPRIVILEGED: Final = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""The mode of a file applies to root, too: it lacks the capabilities that override modes."""
_ORDINARY: Final = _UNPRIVILEGED if os.geteuid() == 0 else ()
UNREADABLE: Final = (*_ORDINARY, "sh", "-c", 'chmod 0 . && exec "$@"', "sh")
DELETED: Final = ("sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh")
PROGRAMS: Final = (REFERENCE, next(design for design in DESIGNS if design.program == "pwb-legacy"))
each_program = pytest.mark.parametrize("program", PROGRAMS, ids=lambda design: design.program)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


def failed_start(program: Design, wrapper: tuple[str, ...], *options: str, folder: Path) -> tuple[int, str]:
    """The exit status and the error message of a start that fails."""
    done = subprocess.run(
        [*wrapper, *command(program, *options)],
        cwd=folder,
        env=environment(),
        capture_output=True,
        timeout=10,
        check=False,
    )
    (line,) = done.stderr.decode().splitlines()
    return done.returncode, line


@pytest.mark.parametrize("wrapper", [UNREADABLE, DELETED], ids=["unreadable", "deleted"])
async def test_a_root_that_is_absolute_is_served(start: Start, wrapper: tuple[str, ...], folder: Path) -> None:
    async with start(wrapper=wrapper, folder=folder) as server:
        assert (await send_request(server.address, get())).content == ALPHABET


async def test_a_file_of_options_that_is_absolute_is_read(start: Start, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("max_age = 3")
    async with start("--config", str(tmp_path / "a.toml"), wrapper=UNREADABLE, folder=folder) as server:
        assert (await send_request(server.address, get()))["Cache-Control"] == "max-age=3"


@each_program
@pytest.mark.parametrize("root", [".", "static"])
def test_a_relative_root_needs_it(program: Design, root: str, folder: Path) -> None:
    begin = f"{program.program}: cannot serve {root}: "
    status, line = failed_start(program, DELETED, root, folder=folder)
    assert status == 1
    assert line.startswith(begin + "the current directory was removed")
    folder.mkdir()
    (folder / "static").mkdir()
    status, line = failed_start(program, UNREADABLE, root, folder=folder)
    assert status == 1
    assert line.startswith(begin + "Permission denied")


@each_program
@pytest.mark.parametrize("wrapper", [UNREADABLE, DELETED], ids=["unreadable", "deleted"])
def test_a_file_that_was_named_must_be_there(
    program: Design, wrapper: tuple[str, ...], folder: Path, served_root: Path
) -> None:
    status, line = failed_start(program, wrapper, str(served_root), "--config", "pwb.toml", folder=folder)
    assert status == 2
    assert line.startswith(f"{program.program}: pwb.toml: cannot be read: ")


@each_program
@pytest.mark.parametrize("name", ["pwb.toml", "pyproject.toml"])
def test_a_file_that_is_there_and_cannot_be_read_is_an_error(
    program: Design, name: str, folder: Path, served_root: Path
) -> None:
    """A configuration file that cannot be read is an error, so that no option is lost silently."""
    (folder / name).touch(0)
    status, line = failed_start(program, _ORDINARY, str(served_root), folder=folder)
    assert (status, line) == (2, f"{program.program}: {name}: cannot be read: Permission denied")

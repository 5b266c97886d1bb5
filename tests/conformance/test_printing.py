"""Each message of a server is one line, whatever names it contains, in any encoding (hazard E8)."""

import fcntl
import os
import re
import select
import signal
import subprocess
from pathlib import Path
from typing import Final

import pytest

from .designs import DESIGNS, REFERENCE, Design
from .server import command, environment

NAME: Final = "größe \udcff\n\x1b[31m\u202e"
"""Letters beyond ASCII, a byte that is not UTF-8, a line break, a terminal's code for red, a change of direction."""
ESCAPED: Final = r" \udcff\n\x1b[31m\u202e"
LETTERS: Final = {"ascii": rb"gr\xf6\xdfe", "latin-1": "größe".encode("latin-1"), "utf-8": "größe".encode()}
PROGRAMS: Final = (REFERENCE, next(design for design in DESIGNS if design.program == "pwb-legacy"))
FOREIGN: Final = re.compile(rb"[^ -~]")


def launch(design: Design, *options: str, folder: Path, encoding: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command(design, *options),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=environment() | {"PYTHONIOENCODING": encoding},
        start_new_session=True,
    )


def check_line(line: bytes, encoding: str) -> None:
    """The line contains NAME, with unprintable characters escaped."""
    assert LETTERS[encoding] + ESCAPED.encode() in line, line
    assert not FOREIGN.search(line.replace(LETTERS[encoding], b"").rstrip(b"\n")), line
    assert line.count(b"\n") == 1


def test_the_lines_of_a_start(design: Design, tmp_path: Path) -> None:
    check_start(design, "ascii", tmp_path)


@pytest.mark.parametrize("encoding", LETTERS)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda design: design.program)
def test_the_lines_of_a_start_in_any_encoding(program: Design, encoding: str, tmp_path: Path) -> None:
    check_start(program, encoding, tmp_path)


def check_start(design: Design, encoding: str, folder: Path) -> None:
    """The listening line, with the names of the root and of the socket, and a warning."""
    (folder / NAME).mkdir()
    options = ("--unix", NAME + ".socket", "--delay-disk", NAME + "*=0ms")
    with launch(design, NAME, *options, folder=folder, encoding=encoding) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            assert select.select([process.stdout], [], [], 10)[0], "it hangs"
            printed = process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            rest, warned = process.communicate(timeout=10)
        finally:
            process.kill()
    assert process.returncode == 0, warned
    assert (rest, warned.count(b"\n")) == (b"", 1), warned
    assert b"listening on" in printed
    for line in printed, warned:
        check_line(line, encoding)


REFUSED: Final = {
    "root": (NAME,),
    "log": (".", "--access-log", NAME + "/log"),
    "unix": (".", "--unix", NAME + "/socket"),
    "trace": (".", "--port", "0", "--trace", NAME + "/trace"),
    "user": (".", "--user", NAME),
    "host": (".", "--host", NAME),
    "label": (".", "--host", f"{NAME}..example"),
    "index": (".", "--index", NAME + "/"),
    "argument": (".", NAME),
    "config": (".", "--config", NAME),
    "option": (".", "--" + NAME),
}


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("options", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda design: design.program)
def test_the_line_of_a_start_that_fails(
    program: Design, encoding: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    with launch(program, *options, folder=tmp_path, encoding=encoding) as process:
        try:
            printed, warned = process.communicate(timeout=10)
        finally:
            process.kill()
    assert process.returncode in (1, 2)
    assert printed == b""
    assert warned.startswith(program.program.encode() + b": ")
    check_line(warned, encoding)


@pytest.mark.parametrize("option", ["--help", "--version"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda design: design.program)
def test_what_is_asked_for(program: Design, option: str, tmp_path: Path) -> None:
    with launch(program, option, folder=tmp_path, encoding="ascii") as process:
        printed, warned = process.communicate(timeout=10)
    assert (process.returncode, warned) == (0, b"")
    assert printed.isascii()


def unwritable(how: str) -> int:
    """A descriptor to which no byte can be written. "full pipe": its reader stays open and reads nothing."""
    if how == "full disk":
        return os.open("/dev/full", os.O_WRONLY)
    reader, writer = os.pipe()
    if how == "no reader":
        os.close(reader)
    else:
        os.write(writer, b"." * fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ))
    return writer


CLOSED: Final = ("sh", "-c", 'exec "$@" 2>&-', "sh")
"""Starts a command whose standard error is closed."""


@pytest.mark.parametrize("errors", ["full disk", "full pipe", "closed"])
def test_a_warning_that_is_not_taken_ends_no_start(errors: str, design: Design, tmp_path: Path) -> None:
    """The message neither delays the start nor appears on standard output, which is the access log."""
    wrapper = CLOSED if errors == "closed" else ()
    writer = None if errors == "closed" else unwritable(errors)
    with subprocess.Popen(
        [*wrapper, *command(design, ".", "--unix", "s")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=writer,
        cwd=tmp_path,
        env=environment() | {"PWB_SESSION": "1"},
    ) as process:
        try:
            assert process.stdout is not None
            assert select.select([process.stdout], [], [], 10)[0], "it hangs"
            printed = process.stdout.readline()
            process.terminate()
            rest, _ = process.communicate(timeout=10)
        finally:
            process.kill()
    assert b"listening on" in printed
    assert (rest, process.returncode) == (b"", 0)


@pytest.mark.parametrize("errors", ["full pipe", "closed"])
@pytest.mark.parametrize("options", [("--port", "x"), ("missing",), ("--user", "nobody-of-that-name"), ()], ids=str)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda design: design.program)
def test_an_error_that_is_not_taken_keeps_its_status(
    program: Design, options: tuple[str, ...], errors: str, tmp_path: Path
) -> None:
    arguments = [*command(program, *options or ("--mode", "x")), "--access-log", "off"]
    if not program.keeps_alive and options:
        arguments += ["--port", "0"]
    with subprocess.Popen(
        [*(CLOSED if errors == "closed" else ()), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=None if errors == "closed" else unwritable(errors),
        cwd=tmp_path,
        env=environment(),
    ) as process:
        try:
            printed, _ = process.communicate(timeout=10)
        finally:
            process.kill()
    assert printed == b""
    assert process.returncode in (1, 2)


@pytest.mark.parametrize("output", ["full disk", "no reader"])
@pytest.mark.parametrize("option", ["--help", "--version"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda design: design.program)
def test_what_is_asked_for_and_not_taken(program: Design, option: str, output: str, tmp_path: Path) -> None:
    writer = unwritable(output)
    done = subprocess.run(
        command(program, option), stdout=writer, stderr=subprocess.PIPE, cwd=tmp_path, env=environment(), timeout=10
    )
    os.close(writer)
    line = b"%b: cannot write to standard output: No space left on device\n" % program.program.encode()
    assert done.stderr == {"full disk": line, "no reader": b""}[output]
    assert done.returncode == 1

"""Pipes, in which nothing waits for the process at the other end (hazard E8)."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from select import PIPE_BUF

import pytest

from pwb_async.output.pipes import has_reader, is_ready, open_to_append, read_file, reopen_nonblocking
from tests.conformance.server import environment


@pytest.fixture(autouse=True)
def time_limit() -> Iterator[None]:
    """Each test fails after five seconds."""

    def fail(*_: object) -> None:
        raise AssertionError("it has blocked")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, 5)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def fill(writer: int) -> int:
    """Fills the pipe and returns the number of bytes."""
    written = 0
    try:
        while True:
            written += os.write(writer, b"." * PIPE_BUF)
    except BlockingIOError:
        return written


def test_a_pipe_may_have_several_readers_one_after_another(pipe: Path) -> None:
    """What was written for one reader is kept for the next."""
    writer = open_to_append(str(pipe))
    for _ in range(2):
        assert not has_reader(writer)
        assert is_ready(writer), "so that write() can report it"
        with pytest.raises(BrokenPipeError):
            os.write(writer, b"lost")
        reader = os.open(pipe, os.O_RDONLY)
        assert has_reader(writer)
        written = fill(writer)
        assert not is_ready(writer)
        os.close(reader)
        assert is_ready(writer)
        with pytest.raises(BrokenPipeError):
            os.write(writer, b"lost")
        reader = os.open(pipe, os.O_RDONLY)
        assert os.read(reader, 2 * written) == b"." * written
        os.close(reader)
    os.close(writer)


def test_a_pipe_without_a_reader_that_we_may_not_read_cannot_be_opened(pipe: Path) -> None:
    script = "import sys; from pwb_async.output.pipes import open_to_append as o\ntry: o(sys.argv[1])\nexcept OSError as e: print(e)"
    pipe.chmod(0o222)
    # Root may read everything, unless it has no capabilities.
    wrapper = ("setpriv", "--bounding-set=-all") if os.geteuid() == 0 else ()
    words = [*wrapper, sys.executable, "-c", script, str(pipe)]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, check=True, timeout=4)
    assert done.stdout == f"[Errno {errno.ENXIO}] it is a pipe that no process reads\n"


def test_a_file_that_replaces_the_pipe_is_created_with_the_mode_of_a_log(pipe: Path) -> None:
    """The pipe is replaced between the first open(), which finds no reader, and the last one."""
    script = (
        "import os, sys; from pwb_async.output.pipes import open_to_append; left = [3]\n"
        "def hook(event, arguments):\n"
        "    if event == 'open' and arguments[0] == sys.argv[1]:\n"
        "        left[0] -= 1\n"
        "        left[0] or os.unlink(sys.argv[1])\n"
        "os.umask(0); sys.addaudithook(hook); open_to_append(sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", script, str(pipe)], env=environment(), check=True, timeout=4)
    assert pipe.is_file()
    assert pipe.stat().st_mode & 0o777 == 0o644


def test_a_file_is_created_and_appended_to(tmp_path: Path) -> None:
    for text in (b"one", b"two"):
        fd = open_to_append(str(tmp_path / "file"))
        os.write(fd, text)
        os.close(fd)
    assert (tmp_path / "file").read_bytes() == b"onetwo"
    assert read_file(str(tmp_path / "file"), 6) == b"onetwo"


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/urandom"])
def test_no_more_is_read_than_the_limit(path: str) -> None:
    with pytest.raises(OSError, match=r"it is larger than 2 MiB$"):
        read_file(path, 2 << 20)


@pytest.mark.parametrize("open_path", [open_to_append, partial(read_file, limit=1)])
def test_a_path_that_cannot_be_opened(open_path: object, tmp_path: Path) -> None:
    assert callable(open_path)
    with pytest.raises(FileNotFoundError):
        open_path(str(tmp_path / "nowhere" / "file"))
    with pytest.raises(IsADirectoryError):
        open_path(str(tmp_path))


def test_a_pipe_without_a_writer(pipe: Path) -> None:
    with pytest.raises(OSError, match="it is a pipe that no process writes to"):
        read_file(str(pipe), 1)


def test_a_pipe_is_read_until_its_writer_closes_it() -> None:
    """Some of the content arrives later, as from --config <(...) in bash."""
    script = "import sys, time; sys.stdout.write('a' * 100); sys.stdout.flush(); time.sleep(0.2); sys.stdout.write('b')"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert read_file(f"/dev/fd/{process.stdout.fileno()}", 101) == b"a" * 100 + b"b"


def test_a_reopened_pipe_does_not_block() -> None:
    """The given descriptor stays blocking, since other processes use it."""
    reader, given = os.pipe()
    ours = reopen_nonblocking(given)
    assert ours != given
    assert os.get_blocking(given)
    written = fill(ours)
    begin = time.monotonic()
    assert not is_ready(ours, 0.2)
    assert 0.1 < time.monotonic() - begin < 3
    assert os.read(reader, 2 * written) == b"." * written
    for fd in (reader, given, ours):
        os.close(fd)


def test_a_file_that_is_not_a_pipe_is_not_reopened(tmp_path: Path) -> None:
    with open(tmp_path / "file", "wb") as file:
        assert reopen_nonblocking(file.fileno()) == file.fileno()
    assert reopen_nonblocking(-1) == -1

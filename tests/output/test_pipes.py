"""Pipes by themselves: whatever the other side does, nothing here waits for it (hazard E8)."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from select import PIPE_BUF

import pytest

from pwb_async.output.pipes import has_reader, is_ready, open_to_append, read_file, reopen_nonblocking
from tests.conformance.server import environment


@pytest.fixture(autouse=True)
def at_once() -> Iterator[None]:
    """What waits for more than five seconds fails."""

    def fail(*_: object) -> None:
        raise AssertionError("it waits")

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
    """As many bytes as it takes."""
    written = 0
    try:
        while True:
            written += os.write(writer, b"." * PIPE_BUF)
    except BlockingIOError:
        return written


def test_readers_come_and_go(pipe: Path) -> None:
    """What was written while there was one is kept for the next."""
    writer = open_to_append(str(pipe))
    for _ in range(2):
        assert not has_reader(writer)
        assert is_ready(writer), "to say that"
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


def test_pipe_that_we_may_write_and_not_read(pipe: Path) -> None:
    """Where nobody reads it, it cannot be opened, and that is said."""
    script = "import sys; from pwb_async.output.pipes import open_to_append as o\ntry: o(sys.argv[1])\nexcept OSError as e: print(e)"
    pipe.chmod(0o222)
    # Root may read everything, unless it is root as others are.
    wrapper = ("setpriv", "--bounding-set=-all") if os.geteuid() == 0 else ()
    words = [*wrapper, sys.executable, "-c", script, str(pipe)]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, check=True, timeout=4)
    assert done.stdout == f"[Errno {errno.ENXIO}] it is a pipe that no process reads\n"


def test_file_that_takes_the_place_of_a_pipe_has_the_mode_of_a_log(pipe: Path) -> None:
    """Between the first open(), which finds a pipe without a reader, and the last one."""
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


def test_files_are_made_and_appended_to(tmp_path: Path) -> None:
    for text in (b"one", b"two"):
        number = open_to_append(str(tmp_path / "file"))
        os.write(number, text)
        os.close(number)
    assert (tmp_path / "file").read_bytes() == b"onetwo"
    assert read_file(str(tmp_path / "file")) == b"onetwo"


@pytest.mark.parametrize("opens", [open_to_append, read_file])
def test_what_cannot_be_opened(opens: object, tmp_path: Path) -> None:
    assert callable(opens)
    with pytest.raises(FileNotFoundError):
        opens(str(tmp_path / "nowhere" / "file"))
    with pytest.raises(IsADirectoryError):
        opens(str(tmp_path))


def test_pipe_that_nobody_writes_to(pipe: Path) -> None:
    with pytest.raises(OSError, match="it is a pipe that no process writes to"):
        read_file(str(pipe))


def test_pipe_is_read_to_its_end() -> None:
    """As bash has it for --config <(...): some of it comes later."""
    script = "import sys, time; sys.stdout.write('a' * 100); sys.stdout.flush(); time.sleep(0.2); sys.stdout.write('b')"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert read_file(f"/dev/fd/{process.stdout.fileno()}") == b"a" * 100 + b"b"


def test_writes_to_a_pipe_that_others_have_filled_do_not_wait() -> None:
    """And for them nothing has changed."""
    reader, given = os.pipe()
    ours = reopen_nonblocking(given)
    assert ours != given
    assert os.get_blocking(given)
    written = fill(ours)
    begin = time.monotonic()
    assert not is_ready(ours, 0.2)
    assert 0.1 < time.monotonic() - begin < 3
    assert os.read(reader, 2 * written) == b"." * written
    for number in (reader, given, ours):
        os.close(number)


def test_other_files_stay_as_they_are(tmp_path: Path) -> None:
    with open(tmp_path / "file", "wb") as file:
        assert reopen_nonblocking(file.fileno()) == file.fileno()
    assert reopen_nonblocking(-1) == -1

"""The last line of a terminal stays below what is written, and appears nowhere else."""

import os
import subprocess
import sys

from tests.conformance.server import environment

from .pseudo_terminal import LAUNCH

BEGIN = """
import os
from pwb_async.output.pipes import write_ready
from pwb_async.output.writer import set_write, write
from pwb_async.terminal.last_line import LastLine
line = LastLine(1)
set_write(line.write)
"""


def shown(code: str) -> bytes:
    """What a terminal gets from a program in its foreground, with "\\n" for the ends of lines."""
    ours, theirs = os.openpty()
    command = [sys.executable, "-c", LAUNCH, sys.executable, "-c", BEGIN + code]
    subprocess.run(
        command, stdin=theirs, stdout=theirs, start_new_session=True, timeout=30, check=True, env=environment()
    )
    output = os.read(ours, 1 << 16)
    os.close(ours)
    os.close(theirs)
    return output.replace(b"\r\n", b"\n")


def test_lines_above_the_last_one() -> None:
    code = """
assert write(1, b"before\\n") == 7
line.show("status")
line.show("status")
assert write(1, b"a\\nb\\n") == 4
assert write_ready(1, b"error\\n")
line.show("other")
line.show("")
assert write(1, b"after\\n") == 6
"""
    expected = b"before\nstatus\r\x1b[Ka\nb\nstatus\r\x1b[Kerror\nstatus\r\x1b[Kother\r\x1b[Kafter\n"
    assert shown(code) == expected


def test_what_is_written_renews_the_last_line() -> None:
    code = """
written = 0
def count():
    return f"status {written}"
line.make = count
line.show(count())
written = 1
assert write(1, b"a\\n") == 2
line.make = None
line.show("")
"""
    assert shown(code) == b"status 0\r\x1b[Ka\nstatus 1\r\x1b[K"


def test_a_line_in_pieces_is_not_broken() -> None:
    code = """
line.show("status")
assert line.write(1, b"one ") == 4
line.show("other")
assert line.write(1, b"line\\n") == 5
"""
    assert shown(code) == b"status\r\x1b[Kone line\nother"


def test_a_program_in_the_background_has_none() -> None:
    code = """
import signal
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
line.show("status")
own, child = os.getpgrp(), os.fork()
if child == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(1, os.getpgrp())
    os._exit(0)
os.waitpid(child, 0)
line.show("other")
assert write(1, b"line\\n") == 5
os.tcsetpgrp(1, own)
line.show("again")
"""
    assert shown(code) == b"statusline\nagain"


def test_what_is_no_terminal_is_written_as_it_is() -> None:
    code = """
line.show("status")
reader, writer = os.pipe()
assert write(writer, b"a\\n") == 2
assert os.read(reader, 10) == b"a\\n"
"""
    assert shown(code) == b"status"


def test_a_terminal_that_has_become_narrower_shows_it_in_several_rows() -> None:
    code = """
import fcntl, struct, termios
fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
line.show("s" * 79)
fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
assert write(1, b"line\\n") == 5
line.show("short")
assert write(1, b"more\\n") == 5
"""
    expected = b"s" * 79 + b"\x1b[1A\r\x1b[Jline\n" + b"s" * 79 + b"\x1b[1A\r\x1b[Jshort\r\x1b[Kmore\nshort"
    assert shown(code) == expected

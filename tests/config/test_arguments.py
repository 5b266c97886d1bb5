"""A command line that is read without click is read as click reads it."""

from collections.abc import Sequence

import pytest

from pwb_async.config import arguments, command_line
from pwb_async.config.option_types import SWITCH
from pwb_async.config.options import DECLARATIONS

from .test_loader import COMMAND_LINE, SOURCES

LINES: list[Sequence[str]] = [
    (),
    ("site",),
    ("site", "--port", "1", "--port=2"),
    ("--no-compress", "site", "--compress", "--config", "a.toml", "--config=b.toml"),
    ("--host=a=b", "--index", "a", "--index=b=c"),
    *(row[5] for row in SOURCES),
    *([option.flag, f"--no-{option.flag[2:]}"] for option in DECLARATIONS.values() if option.type is SWITCH),
]
LEFT_TO_CLICK: list[Sequence[str]] = [
    ("--help",),
    ("--version",),
    ("-h",),
    ("--",),
    ("--", "site"),
    ("-",),
    ("--access-log", "-"),
    ("a", "b"),
    ("--no-port", "1"),
    ("--no-no-compress",),
    *(line for line, _ in COMMAND_LINE if not line[0].startswith(("--unix", "--config"))),
]


@pytest.mark.parametrize("argv", LINES, ids=repr)
def test_a_plain_line(argv: Sequence[str]) -> None:
    assert arguments.read("pwb", argv) == list(command_line.read("pwb", argv))


@pytest.mark.parametrize("argv", LEFT_TO_CLICK, ids=repr)
def test_a_line_that_is_not_plainly_right(argv: Sequence[str]) -> None:
    assert arguments.read("pwb", argv) is None


def test_an_option_of_the_other_program() -> None:
    assert arguments.read("pwb", ["--mode", "thread"]) is None
    assert arguments.read("pwb-legacy", ["--mode", "thread"]) == [("mode", "--mode", "thread")]
    assert arguments.read("pwb-legacy", ["--open"]) is None

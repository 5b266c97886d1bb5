"""What is attacked: the book's seven programs, and the designs of PWB beside them."""

import sys
from dataclasses import dataclass
from typing import Final

from pwb_async.config.modes import MODES, Family


@dataclass(frozen=True, slots=True)
class Program:
    """A program as a command."""

    name: str
    """the number in the book, or what --mode calls a design"""
    waits: Family
    module: str
    """what `python -m` starts"""
    arguments: tuple[str, ...]
    """{folder}: where the site is; {patched}: see below"""

    @property
    def is_exhibit(self) -> bool:
        """Whether it is one of the book's."""
        return self.name.isdecimal()

    def command(self, folder: str, code: str) -> list[str]:
        """The words that start it. Exhibit 5 answers nothing, so all defects but that one are shown with gevent's
        patches, which the book left out."""
        patched = "-patched" if self.name == "5" and code != "L12" else ""
        values = {"folder": folder, "patched": patched}
        return [sys.executable, "-m", self.module, *(argument.format(**values) for argument in self.arguments)]


def _exhibit(number: str, waits: Family) -> Program:
    return Program(number, waits, "pwb_legacy.book.exhibits", (f"{number}{{patched}}", "{folder}"))


def _design(name: str, waits: Family) -> Program:
    mode = ("--mode", name) if name != "async" else ()
    module = "pwb_legacy" if mode else "pwb_async"
    return Program(name, waits, module, (*mode, "{folder}/static", *PWB_OPTIONS))


PWB_OPTIONS: Final = (
    "--port", "0", "--access-log", "-", "--index", "page.html",
    "--header-timeout", "2s", "--idle-timeout", "2s", "--send-timeout", "2s", "--grace-period", "2s",
)  # fmt: skip
"""The same limits as always, but for their length: a reader of the page does not want to wait a minute."""
EXHIBITS: Final = (
    _exhibit("1", "one"),
    _exhibit("2", "one"),
    _exhibit("3", "each"),
    _exhibit("4", "each"),
    _exhibit("5", "each"),
    _exhibit("6", "loop"),
    _exhibit("7", "loop"),
)
DESIGNS: Final = (
    *(_design(name, mode.family) for name, mode in MODES.items()),
    _design("async", "loop"),
)
PROGRAMS: Final = (*EXHIBITS, *DESIGNS)

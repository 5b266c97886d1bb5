"""Finds the examples of the pages: indented or fenced commands and TOML files."""

import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("tests/**/*.md"))
)
_BLOCK: Final = re.compile(r"(?:^(?: {4}| {7,}).*\n|^\n(?= {4}))+", re.MULTILINE)
_FENCE: Final = re.compile(r"^ *```\w*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_COMMAND: Final = re.compile(
    r"(?:SHIV_\w+=\S+ )?(?:python3?|pip|pipx|uvx|pwb(?:-legacy)?|~/pwb\.pyz|\.venv/bin/[\w-]+|\.ci/run)(?= |$)"
)
_TOML: Final = re.compile(r"\s*# (\w+\.toml)$", re.MULTILINE)


class Example(NamedTuple):
    """A command or a file that a page shows."""

    page: str
    text: str
    """The command line, or the content of the file."""
    file: str = ""
    """The name of the file; empty for a command."""

    def __str__(self) -> str:
        return f"{self.page}: {self.file or shlex.join(self.words)}"

    @property
    def words(self) -> list[str]:
        """The words of a command as the shell splits them, without its comment."""
        return shlex.split(self.text, comments=True)


def examples(page: str) -> Iterator[Example]:
    """The examples of a page. `a && b` is two commands."""
    text = (ROOT / page).read_text()
    for block in map(textwrap.dedent, (*_BLOCK.findall(text), *_FENCE.findall(text))):
        if file := _TOML.match(block):
            yield Example(page, block, file[1])
            continue
        for line in map(str.strip, block.splitlines()):
            if _COMMAND.match(line):
                yield from (Example(page, command.strip()) for command in line.split(" && "))


def named_block(page: str, name: str) -> str:
    """The one indented block of a page that a comment on its first line names, without that line."""
    blocks = map(textwrap.dedent, _BLOCK.findall((ROOT / page).read_text()))
    (found,) = [block for block in blocks if block.lstrip("\n").startswith(f"# {name}\n")]
    return found.lstrip("\n").partition("\n")[2]


EXAMPLES: Final = [example for page in PAGES for example in examples(page)]
COMMANDS: Final = [example for example in EXAMPLES if not example.file]
FILES: Final = [example for example in EXAMPLES if example.file]

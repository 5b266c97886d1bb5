"""docs/hazards.md explains every hazard code that the repository uses, and no other.

A reference to a code is one of these, in a file of FOLDERS or in a page at the top of the repository:

  - in the text of a Python, Markdown, TOML or text file, the code as a word: (hazards A9, E4), id="C9-query".
    "A1 to A7" refers to all of them. A part of a longer word is none (h11, 0xB2), nor is what stands behind
    a percent sign or a hash (%C3, #A10).
  - in such a file, a piece of a test's name: test_slow_reader_gets_every_byte_l5
  - a part of a file's name: 400-B11-eleven-empty-lines.http
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from pwb_async.config.options import DECLARATIONS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "hazards.md"
FOLDERS = ("pwb_async", "pwb_legacy", "tests", "docs")
TEXTS = {".py", ".md", ".toml", ".txt"}
NO_CODES = {("tests/compare/test_page.py", "A4"): "the size of paper"}
"""Words that look like codes: the file and the word, and its meaning."""

CODE = re.compile(r"(?<![\w%#])([A-GL])([1-9]\d?)(?: to \1([1-9]\d?))?(?!\w)", re.ASCII)
TEST_NAME = re.compile(r"\btest_\w+", re.ASCII)
PIECE = re.compile(r"(?<=_)[a-gl][1-9]\d?(?=_|$)")
ENTRY = re.compile(r"^### ([A-GL][1-9]\d?)\. [^\n]+\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
TESTS = re.compile(r"^(?:Tests|Documented in): (.+)", re.MULTILINE | re.DOTALL)
ATTACK = re.compile(r"^\| .+ \| .+ \| .+ \| (`[^|]+`) \|$", re.MULTILINE)
"""A row of the table of attacks on HTTP/2: its tests."""
DEFAULT = re.compile(r"`--([a-z-]+)`\s\((\d+)(?:\s(?:s|bytes))?\)")


def codes(text: str) -> Iterator[str]:
    """The codes that a text uses."""
    for letter, first, last in CODE.findall(text):
        yield from (f"{letter}{number}" for number in range(int(first), int(last or first) + 1))
    for name in TEST_NAME.findall(text):
        yield from map(str.upper, PIECE.findall(name))


@cache
def references(path: Path) -> frozenset[str]:
    """The codes that a file uses, in its name and in its text."""
    place = path.relative_to(ROOT).as_posix()
    text = path.read_text() if path.suffix in TEXTS else ""
    return frozenset(code for code in codes(f"{path.name}\n{text}") if (place, code) not in NO_CODES)


def files() -> Iterator[Path]:
    yield from ROOT.glob("*.md")
    for folder in FOLDERS:
        yield from (path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)


ENTRIES = dict(ENTRY.findall(PAGE.read_text()))
"""The entry of each code."""


def test_every_reference_has_an_entry() -> None:
    unknown = {path.relative_to(ROOT).as_posix(): references(path) - ENTRIES.keys() for path in files()}
    assert {place: found for place, found in unknown.items() if found} == {}


def test_every_entry_is_referred_to() -> None:
    used = frozenset().union(*(references(path) for path in files() if path != PAGE))
    assert ENTRIES.keys() - used == set()


def test_entries_are_in_order_and_none_stands_twice() -> None:
    found = [code for code, _ in ENTRY.findall(PAGE.read_text())]
    assert found == sorted(set(found), key=lambda code: (code[0], int(code[1:])))


@pytest.mark.parametrize(("place", "word"), NO_CODES)
def test_a_word_that_is_no_code_is_still_there(place: str, word: str) -> None:
    assert word in codes((ROOT / place).read_text())


@pytest.mark.parametrize("code", ENTRIES)
def test_an_entry_says_what_goes_wrong_what_pwb_does_and_where_it_is_shown(code: str) -> None:
    """A file that is named uses the code; a pattern names files."""
    hazard, pwb, places = ENTRIES[code].strip().partition("\n\n**PWB**")
    shown = TESTS.search(places)
    assert hazard
    assert pwb
    assert shown, "no tests are named"
    for pattern in re.findall(r"`([^`]+)`", shown[1]):
        found = list(ROOT.glob(pattern))
        assert found, f"{pattern} is not there"
        assert "*" in pattern or code in references(found[0]), f"{pattern} does not mention {code}"


def test_each_attack_on_http_2_has_tests() -> None:
    table = PAGE.read_text().partition("## Attacks on HTTP/2\n")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][2:]
    assert rows
    assert len(ATTACK.findall(table)) == len(rows)
    for places in ATTACK.findall(table):
        for place in re.findall(r"`([^`]+)`", places):
            assert (ROOT / place).is_file(), place


def test_defaults_on_the_page_are_right() -> None:
    text = PAGE.read_text()
    assert {name.replace("-", "_") for name in re.findall(r"`--(?:no-)?([a-z-]+)", text)} <= DECLARATIONS.keys()
    defaults = DEFAULT.findall(text)
    assert defaults
    for name, default in defaults:
        assert float(default) == DECLARATIONS[name.replace("-", "_")].default, name

"""docs/book.md and docs/book.zh-CN.md: each command shows what the pages say, and each place is there."""

import re
from pathlib import Path

import pytest

from pwb_async.config.language import LANGUAGES
from pwb_legacy.book.attacks.catalogue import ATTACKS
from pwb_legacy.book.attacks.outcome import Mark
from pwb_legacy.book.matrix import Cell
from pwb_legacy.book.places import CURES, resolve

from .book_page import PAGES, SHOWN, page, run
from .book_words import BOOK

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found() -> list[Cell]:
    return run()


def without_numbers(text: str) -> str:
    """How many bytes and clients it takes differs from run to run."""
    return re.sub(r"\d[\d,]*", "0", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_command_shows_what_the_page_says(language: str, found: list[Cell]) -> None:
    """If not: python -m tests.docs.book_page"""
    assert without_numbers(PAGES[language].read_text()) == without_numbers(page(found, language))


def test_each_command_shows_a_defect(found: list[Cell]) -> None:
    assert {cell.outcome.mark for cell in found} == {Mark.DEFECT}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_defect_has_a_command_in_the_order_of_the_book(language: str) -> None:
    commands = re.findall(r"^ {4}\.venv/bin/pwb-legacy book (\d) (L\d+)", PAGES[language].read_text(), re.MULTILINE)
    assert commands == [(number, code) for number, codes in SHOWN.items() for code in codes]
    assert {code for _, code in commands} == ATTACKS.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_cure_is_named_where_its_symbol_is(language: str) -> None:
    text = " ".join(PAGES[language].read_text().split())
    for code in CURES:
        for symbol in CURES[code]:
            assert BOOK[language].place.format(resolve(symbol)) in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_sections_and_files_of_the_book_can_be_searched_for(language: str) -> None:
    text = PAGES[language].read_text()
    for number, told in BOOK[language].programs.items():
        assert f"## {told.section} {told.title} (net09_web_PWB{number}.py)" in text
        assert f"pwb_legacy/book/exhibits/pwb{number}.py" in text

"""Causes and cures are lines that are there, and the sentences are the same in each language."""

import re
import string
from pathlib import Path

import pytest

from pwb_async.config.language import LANGUAGES
from pwb_legacy.book.attacks import events, requests, surroundings, waiting
from pwb_legacy.book.attacks.catalogue import ATTACKS
from pwb_legacy.book.places import CURES, cause, cures, resolve
from pwb_legacy.book.programs import EXHIBITS, PROGRAMS
from pwb_legacy.book.site import HUGE, LARGE
from pwb_legacy.book.words.catalogue import Words, load

from .test_matrix import expected

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("code", ATTACKS)
def test_a_cure_is_a_symbol_that_is_there(code: str) -> None:
    for place in cures(code):
        line = (ROOT / place.file).read_text().splitlines()[place.line - 1]
        assert place.text.split(".")[-1] in line


def test_each_defect_has_a_cure() -> None:
    assert CURES.keys() == ATTACKS.keys()


@pytest.mark.parametrize("symbol", ["pwb_legacy.epoll:EpollServer.lost", "pwb_legacy.epoll:Lost"])
def test_a_symbol_that_is_gone_is_an_error(symbol: str) -> None:
    with pytest.raises(LookupError):
        resolve(symbol)


@pytest.mark.parametrize("program", EXHIBITS, ids=lambda program: program.name)
def test_a_defect_that_shows_has_a_cause(program: object) -> None:
    from pwb_legacy.book.programs import Program

    assert isinstance(program, Program)
    for code, mark in expected(program).items():
        place = cause(program.name, code)
        if mark == "x":
            assert place is not None, code
            assert place.text in (ROOT / place.file).read_text().splitlines()[place.line - 1]


def placeholders(template: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_all_sentences(language: str) -> None:
    words, english = load(language), load("en")
    assert words.defects.keys() == ATTACKS.keys()
    assert words.programs.keys() == {program.name for program in PROGRAMS}
    for ours, theirs in ((words.results, english.results), (words.text, english.text), (words.marks, english.marks)):
        assert ours.keys() == theirs.keys()
        assert all(placeholders(ours[name]) == placeholders(theirs[name]) for name in theirs)


def test_every_result_has_a_sentence_and_every_sentence_a_result() -> None:
    sources = "".join(
        path.read_text() for path in (ROOT / "pwb_legacy/book").rglob("*.py") if "words" not in path.parts
    )
    used = set(re.findall(r'(?:defect|held|other|result)\(\s*"([a-z-]+)"', sources))
    used |= {name for pair in re.findall(r'"([a-z-]+)" if [\w.!= "]+ else "([a-z-]+)"', sources) for name in pair}
    assert load("en").results.keys() <= used


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("L5", LARGE >> 20),
        ("L6", HUGE >> 20),
        ("L8", len(requests.CONTENT) >> 10),
        ("L9", waiting.CROWD),
        ("L9", waiting.CROWD // 2),
        ("L13", events.TOGETHER),
        ("L15", events.VANISHED),
        ("L17", events.REQUESTS),
        ("L18", events.THREADS),
        ("L19", surroundings.ARRIVALS),
    ],
)
def test_an_attack_has_the_numbers_that_its_sentence_has(language: str, code: str, number: int) -> None:
    numbers = re.findall(r"\d[\d,]*", load(language).defects[code].attack)
    assert f"{number:,}" in numbers


def test_chinese_uses_the_terms_of_the_field() -> None:
    words: Words = load("zh")
    told = " ".join([*words.results.values(), *words.text.values(), *map(str, words.defects.values())])
    assert not re.search("回答|客户(?!端)|处理器时间", told)

"""docs/laboratory.md and docs/laboratory.zh-CN.md: the same parts, commands and measured figures in both languages."""

import re
from collections import Counter
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
ENGLISH, CHINESE = ((DOCS / name).read_text("utf-8") for name in ("laboratory.md", "laboratory.zh-CN.md"))
FIGURE = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)*")


def sections(page: str) -> list[str]:
    """The parts of a page, without their titles."""
    return [part.partition("\n")[2] for part in page.split("\n## ")]


def names(page: str) -> Counter[str]:
    """What is written as code and is a name, such as a field, an option or a file."""
    return Counter(re.findall(r"`([\w.@/-]+)`", page))


@pytest.mark.parametrize("mark", ["\n## ", "\n|", "<picture>"])
def test_both_languages_have_the_same_parts(mark: str) -> None:
    assert ENGLISH.count(mark) == CHINESE.count(mark)


@pytest.mark.parametrize("place", range(ENGLISH.count("\n## ") + 1))
def test_a_part_has_the_same_figures_and_names_in_both_languages(place: int) -> None:
    """A measurement that was made again is in both."""
    english, chinese = sections(ENGLISH)[place], sections(CHINESE)[place]
    assert set(FIGURE.findall(english)) - {"100"} == set(FIGURE.findall(chinese)) - {"100"}, "90 of 100 is 90 %"
    assert set(names(english)) ^ set(names(chinese)) <= {"zh", "LC_ALL"}

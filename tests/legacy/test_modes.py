"""The registry of the designs: each list that MODES cannot give names all of them, so a test names what a new one lacks."""

from collections.abc import Collection
from pathlib import Path
from typing import Final

import pytest

from pwb_async.config.modes import MODES
from pwb_legacy import __doc__ as package_docstring
from pwb_legacy.book.words import en as book_english
from pwb_legacy.book.words import zh as book_chinese
from pwb_legacy.compare.live import words
from pwb_legacy.compare.measure.servers import CONTESTANTS
from pwb_legacy.compare.report import timeline_sources
from pwb_legacy.compare.report.texts import zh as report_chinese
from pwb_legacy.compare.report.timeline_words import en, zh
from tests.conformance.designs import CONCURRENT
from tests.process.test_trace import LANES

PACKAGE: Final = Path(__file__).parents[2] / "pwb_legacy"
MEASURED: Final = set(MODES) - {"fixed"}
"""The laboratory leaves `fixed` out: it has one page for every request, so there is nothing to compare."""


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_has_its_file_and_its_class(mode: str) -> None:
    module, _, name = MODES[mode].class_path.partition(":")
    assert f"class {name}(" in (PACKAGE / f"{module}.py").read_text()


@pytest.mark.parametrize("mode", MODES)
def test_the_docstring_of_the_package_names_every_design(mode: str) -> None:
    assert MODES[mode].module in (package_docstring or "").replace(",", " ").replace(":", " ").split()


@pytest.mark.parametrize(
    ("place", "names"),
    [
        ("book/words/en.py", book_english.PROGRAMS),
        ("book/words/zh.py", book_chinese.PROGRAMS),
        ("compare/report/timeline_sources.py", timeline_sources.IDEAS),
        ("compare/report/timeline_words/en.py", en.DESIGNS),
        ("compare/report/timeline_words/zh.py", zh.DESIGNS),
    ],
)
def test_a_list_names_every_design(place: str, names: Collection[str]) -> None:
    assert set(names) >= set(MODES), place


@pytest.mark.parametrize(
    ("place", "names"),
    [
        ("compare/measure/servers.py", [each.name for each in CONTESTANTS]),
        ("compare/live/words.py, English", words.EN["designs"]),
        ("compare/live/words.py, Chinese", words.ZH["designs"]),
        ("compare/report/texts/zh.py", report_chinese.DESIGNS),
    ],
)
def test_a_list_of_the_laboratory_names_every_design_that_it_measures(place: str, names: Collection[str]) -> None:
    assert set(names) >= MEASURED, place


def test_every_design_that_serves_many_clients_has_its_lanes() -> None:
    assert set(LANES) == {design.name for design in CONCURRENT}, "tests/process/test_trace.py"

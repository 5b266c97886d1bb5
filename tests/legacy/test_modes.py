"""The registry of the designs: every other list of them agrees with it, so that a test names what a new design lacks."""

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

import pytest

from pwb_async.config.modes import MODES
from pwb_legacy.book import programs
from pwb_legacy.book.words import en as book_english
from pwb_legacy.book.words import zh as book_chinese
from pwb_legacy.compare.live import story, words
from pwb_legacy.compare.measure.servers import CONTESTANTS
from pwb_legacy.compare.report import page, timeline_sources
from pwb_legacy.compare.report.timeline_words import en, zh
from tests.conformance import designs

PACKAGE: Final = Path(__file__).parents[2] / "pwb_legacy"
MEASURED: Final = set(MODES) - {"fixed"}
"""The laboratory leaves `fixed` out: it has one page for every request, so there is nothing to compare."""
_GROUPS = re.search(r"const GROUPS = \{(.*?)\}", (PACKAGE / "compare/live/page/live.js").read_text())
assert _GROUPS is not None
GROUPS: Final[Mapping[str, str]] = json.loads(
    "{" + re.sub(r'(?<=[{ ])"?([a-z-]+)"?:', r'"\1":', " " + _GROUPS[1]) + "}"
)


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_has_its_file_and_its_class(mode: str) -> None:
    module, _, name = MODES[mode].target.partition(":")
    assert f"class {name}(" in (PACKAGE / f"{module}.py").read_text()


@pytest.mark.parametrize(
    ("place", "names"),
    [
        ("tests/conformance/designs.py", [design.name for design in (*designs.DESIGNS, designs.FIXED)]),
        ("book/programs.py", [each.name for each in programs.DESIGNS]),
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
        ("compare/report/page.py", [name for names in page.FAMILIES.values() for name in names]),
        ("compare/live/words.py, English", words.EN["designs"]),
        ("compare/live/words.py, Chinese", words.ZH["designs"]),
        ("compare/live/page/live.js", GROUPS),
    ],
)
def test_a_list_of_the_laboratory_names_every_design_that_it_measures(place: str, names: Collection[str]) -> None:
    assert set(names) >= MEASURED, place


def test_every_list_has_the_families_of_the_registry() -> None:
    families = {name: mode.family for name, mode in MODES.items()}
    measured = {name: family for name, family in families.items() if name in MEASURED}
    drawn = {name: family for family, names in page.FAMILIES.items() for name in names}
    assert {name: drawn[name] for name in measured} == measured
    assert measured == GROUPS
    waits = {each.name: "loop" if each.waits == "epoll" else each.waits for each in programs.DESIGNS}
    assert {name: waits[name] for name in families} == families
    assert set(story.OWN) == {name for name, family in families.items() if family == "each"}
    assert {name for name in story.LOOPS if name in MODES} == {
        name for name, each in families.items() if each == "loop"
    }

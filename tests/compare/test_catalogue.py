"""The catalogue of texts: each is used, and whatever can be shown has one."""

import string
from pathlib import Path
from types import ModuleType

import pytest
from rich.cells import cell_len

from pwb_async.config.language import LANGUAGES, preferred
from pwb_legacy.compare import report
from pwb_legacy.compare.measure.results import Measurement
from pwb_legacy.compare.measure.scenarios import SCENARIOS
from pwb_legacy.compare.measure.servers import CONTESTANTS, HTTP2
from pwb_legacy.compare.report import claims, page
from pwb_legacy.compare.report.texts import en, zh
from pwb_legacy.compare.report.words import Words

from .sample_results import whole

FOLDER = Path(next(iter(report.__path__)))
SOURCES = [
    *FOLDER.glob("*.py"),
    *FOLDER.glob("*.html"),
    *FOLDER.glob("*.js"),
    *FOLDER.parent.glob("*session.py"),
    FOLDER.parent / "commands.py",
]
TEXT = "\n".join(path.read_text() for path in SOURCES)
BY_KIND = (
    "missing.",
    "remark.",
    "about.load.",
    "about.site.",
    "about.cpu_time.",
    "most.",
    "least.",
    "rounds",
    "runs",
    "design.",
    "curve.",
    "curves.point.",
    "growth.",
    "page.more",
    "page.less",
    "design.",
)
"""Beginnings of names whose ends are data."""


CATALOGUES = pytest.mark.parametrize("catalogue", [en, zh], ids=LANGUAGES)


@pytest.mark.parametrize("name", en.TEXTS)
def test_every_text_is_used(name: str) -> None:
    assert name == "and" or name.startswith(BY_KIND) or f'"{name}"' in TEXT or f"'{name}'" in TEXT


def fields(text: str) -> set[str]:
    """The names in a template, with their formats. Raises ValueError if it is none."""
    return {f"{name}:{shape}" for _, name, shape, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("name", en.TEXTS)
def test_a_text_has_the_same_values_in_each_language(name: str) -> None:
    assert fields(en.TEXTS[name]) == fields(zh.TEXTS[name])
    assert all(field.partition(":")[0].isidentifier() for field in fields(en.TEXTS[name]))


def test_the_languages_have_the_same_texts() -> None:
    assert list(en.TEXTS) == list(zh.TEXTS)
    for name, texts in en.SCENARIOS.items():
        assert fields(texts[1]) == fields(zh.SCENARIOS[name][1])


@CATALOGUES
def test_every_scenario_and_measure_has_its_texts(catalogue: ModuleType) -> None:
    assert {one.name for one in SCENARIOS} | {"replay"} == set(catalogue.SCENARIOS) == set(claims.MEASURES)
    assert set(page.MEASURES) == set(catalogue.MEASURES)
    assert set(page.FAMILIES) == set(catalogue.FAMILIES)
    assert set(catalogue.MEASURES) <= set(Measurement.__dataclass_fields__)


def test_the_designs_have_titles_in_chinese() -> None:
    assert set(zh.DESIGNS) == {one.name for one in (*CONTESTANTS, HTTP2)}


@CATALOGUES
def test_heads_of_columns_are_narrow(catalogue: ModuleType) -> None:
    """Ten of them, with figures of five columns, and the names of the designs fit 80 columns. The scenarios that only
    some designs play have a table of their own."""
    assert max(cell_len(one[3]) for one in catalogue.MEASURES.values() if len(one[3]) < 9) <= 5
    words = Words(whole(), "zh" if catalogue is zh else "en")
    widths = [max(5, *map(len, words.head(one.name).split("\n"))) for one in SCENARIOS if not one.modes]
    names = max(len(f"{one.name}@2") for one in CONTESTANTS)
    assert names + sum(1 + width for width in widths) <= 80


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "zh_TW"}, "zh"),
        ({"LANG": "zh_CN", "LC_MESSAGES": "de_DE", "LC_ALL": ""}, "en"),
    ],
)
def test_the_language_is_that_of_the_terminal(environment: dict[str, str], language: str) -> None:
    assert preferred(environment) == language

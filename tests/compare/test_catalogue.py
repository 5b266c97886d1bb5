"""The catalogue of texts: each is used, and whatever can be shown has one."""

import string
from pathlib import Path

import pytest

from pwb_legacy.compare import report
from pwb_legacy.compare.measure.results import Measurement
from pwb_legacy.compare.measure.scenarios import SCENARIOS
from pwb_legacy.compare.report import claims, english, page

FOLDER = Path(next(iter(report.__path__)))
SOURCES = [
    path
    for path in (*FOLDER.glob("*.py"), *FOLDER.glob("*.html"), FOLDER.parent / "session.py")
    if path.name != "english.py"
]
TEXT = "\n".join(path.read_text() for path in SOURCES)
BY_KIND = (
    "missing.",
    "remark.",
    "about.load.",
    "about.cpu_time.",
    "most.",
    "least.",
    "rounds",
    "runs",
    "page.more",
    "page.less",
    "design.",
)
"""Beginnings of names whose ends are data."""


@pytest.mark.parametrize("name", english.TEXTS)
def test_every_text_is_used(name: str) -> None:
    assert name == "and" or name.startswith(BY_KIND) or f'"{name}"' in TEXT or f"'{name}'" in TEXT


@pytest.mark.parametrize("text", [*english.TEXTS.values(), *(one[2] for one in english.SCENARIOS.values())])
def test_every_text_is_a_template_with_names(text: str) -> None:
    assert all(name is None or name.isidentifier() for _, name, _, _ in string.Formatter().parse(text))


def test_every_scenario_and_measure_has_its_texts() -> None:
    assert {one.name for one in SCENARIOS} | {"replay"} == set(english.SCENARIOS) == set(claims.MEASURES)
    assert set(page.MEASURES) == set(english.MEASURES)
    assert set(page.FAMILIES) == set(english.FAMILIES)
    assert set(english.MEASURES) <= set(Measurement.__dataclass_fields__)


def test_heads_of_columns_are_narrow() -> None:
    """Five letters at most: ten of them and the names of the designs fit 80 columns."""
    heads = [one[1] for one in english.SCENARIOS.values()] + [one[3] for one in english.MEASURES.values()]
    assert max(len(line) for head in heads[:10] for line in head.split("\n")) <= 5

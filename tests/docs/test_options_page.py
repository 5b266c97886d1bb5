"""docs/options.md is what the declarations say."""

import re
from pathlib import Path

import pytest

from pwb_async.config.loader import FIELDS, REPEATABLE, read_options

from .options_page import GROUPS, PAGE, default, page


def test_the_page_is_current() -> None:
    """If it is not: python -m tests.docs.options_page"""
    assert PAGE.read_text() == page()


def test_every_option_stands_under_one_heading() -> None:
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_a_default_as_the_page_spells_it_is_the_default(name: str, tmp_path: Path) -> None:
    option = FIELDS[name]
    text = default(option)
    values = re.findall(r"`([^`]+)`", text)
    if isinstance(option.default, bool):
        assert text == ("on" if option.default else "off")
    elif not values:
        assert option.default in (None, ())
    else:
        options = read_options("pwb", [], {f"PWB_{name.upper()}": " ".join(values)}, str(tmp_path))
        assert getattr(options, name) == option.default
        assert len(values) == 1 or name in REPEATABLE

"""docs/options.md agrees with the declarations of the options."""

import re
from pathlib import Path

import pytest

from pwb_async.config.declarations import Topic
from pwb_async.config.loader import read_options
from pwb_async.config.options import DECLARATIONS

from .options_page import PAGE, default, page


def test_the_page_is_current() -> None:
    """If it is not: python -m tests.docs.options_page"""
    assert PAGE.read_text() == page()


def test_the_page_has_every_option_once() -> None:
    names = re.findall(r"^\| [^|]+ \| `PWB_([A-Z0-9_]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert sorted(names) == sorted(name.upper() for name in DECLARATIONS)


def test_options_are_declared_topic_by_topic() -> None:
    """The order of --help is that of the declarations."""
    topics = [option.topic for option in DECLARATIONS.values()]
    assert topics == sorted(topics, key=list(Topic).index)


@pytest.mark.parametrize("name", DECLARATIONS)
def test_a_default_on_the_page_is_accepted_and_is_the_default(name: str, tmp_path: Path) -> None:
    option = DECLARATIONS[name]
    text = default(option)
    values = re.findall(r"`([^`]+)`", text)
    if isinstance(option.default, bool):
        assert text == ("on" if option.default else "off")
    elif not values:
        assert option.default in (None, ())
    else:
        options = read_options("pwb", [], {f"PWB_{name.upper()}": " ".join(values)}, str(tmp_path))
        assert getattr(options, name) == option.default
        assert len(values) == 1 or option.repeatable

"""docs/typed.md and docs/typed.zh-CN.md agree with the programs in pwb_legacy/typed."""

import pytest

from .typed_page import LANGUAGES, STEPS, Step, difference, page, path


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_current(language: str) -> None:
    """If it is not: python -m tests.docs.typed_page"""
    assert path(language).read_text() == page(language)


@pytest.mark.parametrize("step", STEPS[1:], ids=[step.file for step in STEPS[1:]])
def test_a_step_is_small(step: Step) -> None:
    """Few lines are typed anew for the next program: most of all for epoll, which waits in another way."""
    added = [line for line in difference(step).splitlines() if line.startswith("+")]
    assert len(added) <= (65 if step.file == "epoll.py" else 12)

"""A browser for the tests of a module."""

from collections.abc import Iterator
from typing import Any

import pytest

from .browser import chromium


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    pytest.importorskip("selenium", reason="selenium is not installed")
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver

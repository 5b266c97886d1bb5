"""The plugin for pytest: the fixture pwb_site. pytest loads it in every run, so it imports next to nothing."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .served_site import SiteFactory


@pytest.fixture
def pwb_site(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[SiteFactory]":
    """The factory of sites for a test of a client: pwb_site(root) or pwb_site({"a.txt": "text"}).

    It takes the options of PWB. The site has a url, records its requests, and injects faults: docs/python.md.
    """
    from .served_site import SiteFactory  # only tests that ask for the fixture need a server

    factory = SiteFactory(lambda: tmp_path_factory.mktemp("pwb-site"))
    try:
        yield factory
    finally:
        factory.close()

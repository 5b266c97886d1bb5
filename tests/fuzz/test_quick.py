"""The short form of `python -m tests.fuzz`: some thousand mutated requests, the same in every run."""

import pytest

from .__main__ import plain, seeds_of
from .targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed(name: str) -> None:
    for data in seeds_of(name):
        TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
def test_mutated_requests(name: str) -> None:
    done, data = plain(name, 3_000, seed=2)
    assert data is None, f"number {done}: {data!r}"

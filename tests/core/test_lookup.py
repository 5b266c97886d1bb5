"""Findings as values."""

from dataclasses import replace

import pytest

from pwb_async.core.lookup import MISSING, Finding, OpenFile, same_version

FOUND = OpenFile(b"a", 3, 1, 2, None, b"abc", (1, 2, 3))


@pytest.mark.parametrize(
    ("again", "same"),
    [
        (FOUND, True),
        (replace(FOUND, seen_ns=9, content=None), True),
        (replace(FOUND, size=4), False),
        (replace(FOUND, mtime_ns=2), False),
        (replace(FOUND, identity=(1, 2, 4)), False),
        (MISSING, False),
    ],
)
def test_d3_one_version_is_told_from_another(again: Finding, same: bool) -> None:
    assert same_version(FOUND, again) is same

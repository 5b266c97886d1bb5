"""Findings as values."""

from dataclasses import replace

import pytest

from pwb_async.core.lookup import MISSING, Finding, OpenFile, same_version

FOUND = OpenFile(b"a", 3, 1, 2, None, b"abc", (1, 2, 3, 4, 3))


@pytest.mark.parametrize(
    ("again", "same"),
    [
        (FOUND, True),
        (replace(FOUND, seen_ns=9, content=None), True),
        *((replace(FOUND, version=(*FOUND.version[:at], 9, *FOUND.version[at + 1 :])), False) for at in range(5)),
        (MISSING, False),
    ],
)
def test_d3_one_version_is_told_from_another(again: Finding, same: bool) -> None:
    assert same_version(FOUND, again) is same

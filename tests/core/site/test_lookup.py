"""Lookups; findings, and whether two of them are of the same version of a file."""

from dataclasses import fields

import pytest

from pwb_async.core.site.findings import NOT_FOUND, Finding, OpenFile, Refused, same_version
from pwb_async.core.site.lookup import NO_REQUEST, Lookup

FOUND = OpenFile(b"a", 3, 1, 2, None, b"abc", (1, 2, 3, 4, 3))


@pytest.mark.parametrize(
    ("again", "same"),
    [
        (FOUND, True),
        (FOUND._replace(seen_ns=9, content=None), True),
        *((FOUND._replace(version=(*FOUND.version[:at], 9, *FOUND.version[at + 1 :])), False) for at in range(5)),
        (NOT_FOUND, False),
    ],
)
def test_d3_same_version(again: Finding, same: bool) -> None:
    assert same_version(FOUND, again) is same


def test_d7_a_version_that_is_not_settled_is_never_the_same() -> None:
    """A second change within one tick of the file system's clock does not change the times."""
    assert not same_version(FOUND._replace(settled=False), FOUND)
    assert same_version(FOUND, FOUND._replace(settled=False))


def test_d7_generated_content_is_never_the_same_version() -> None:
    """It has no version that could be compared, and may differ each time it is read."""
    generated = FOUND._replace(version=(), generated=True)
    assert not same_version(generated, generated)
    assert not same_version(FOUND, generated)
    assert not same_version(generated, FOUND)


def test_a_lookup_for_another_request_has_all_other_attributes() -> None:
    values = {each.name: object() for each in fields(Lookup)}
    again = Lookup(**values).cached_for(NO_REQUEST)  # type: ignore[arg-type]
    expected = values | {"request": NO_REQUEST, "cached": True}
    assert {each.name: getattr(again, each.name) for each in fields(Lookup)} == expected


def test_the_status_of_what_is_refused_is_its_own() -> None:
    assert Lookup(NO_REQUEST, b"", ()).error_status(Refused(401)) == 401

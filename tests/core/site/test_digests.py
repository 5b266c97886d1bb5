"""Repr-Digest (RFC 9530)."""

import pytest

from pwb_async.core.semantics.fields import Fields
from pwb_async.core.semantics.messages import HTTP_1_1, Request
from pwb_async.core.semantics.target import parse_target
from pwb_async.core.site.digests import LONGEST, repr_digest
from pwb_async.core.site.findings import OpenFile
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.site import Site
from tests.core.driver import FakeFile

CONTENT = b'{"hello": "world"}\n'
SHA_256 = b"sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
SHA_512 = b"sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:"


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        (b"sha-256=10", SHA_256),
        (b"sha-512=1", SHA_512),
        (b"sha-256=3,\tsha-512=4 ", SHA_512),
        (b"sha-512=3, sha-256=3", SHA_256),
        (b"sha-256=0, sha-512=1", SHA_512),
        (b"sha-256=1, sha-256=0", None),
        (b"md5=10, unixsum=3, sha-256=1", SHA_256),
        (b"md5=10", None),
        (b"sha-256=0", None),
        (b"sha-256=-1", None),
        (b"sha-256=11", None),
        (b"sha-256=11, sha-512=1", SHA_512),
        (b"sha-256", None),
        (b"sha-256=x, sha-512=1", None),
        (b"sha-256=1.5", None),
        (b"SHA-256=1", None),
        (b"", None),
        (b",", None),
        (b"sha-256=" + b"9" * 8000, None),
    ],
)
def test_the_algorithm_that_is_preferred(wanted: bytes, value: bytes | None) -> None:
    """The content and both digests are those of RFC 9530 A and B.1."""
    assert repr_digest(wanted, CONTENT) == (() if value is None else ((b"Repr-Digest", value),))


def test_long_content_has_none() -> None:
    """To digest it would take the event loop longer than anything else that it does at once."""
    assert repr_digest(b"sha-256=1", bytes(LONGEST))
    assert repr_digest(b"sha-256=1", bytes(LONGEST + 1)) == ()


def test_only_content_in_memory_has_a_digest() -> None:
    target = parse_target(b"GET", b"/a.json")
    assert not isinstance(target, str)
    request = Request(b"GET", target, Fields({b"want-repr-digest": [b"sha-256=1"]}, 0), HTTP_1_1)
    site = Site()
    lookup = site.locate(request)
    assert isinstance(lookup, Lookup)
    held = OpenFile(b"a.json", len(CONTENT), 0, 1, None, CONTENT)
    assert (b"Repr-Digest", SHA_256) in site.reply(lookup, held).fields
    assert b"Repr-Digest" not in dict(site.reply(lookup, held._replace(content=None, file=FakeFile(CONTENT))).fields)

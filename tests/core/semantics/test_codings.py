"""The choice of a content coding (RFC 9110 12.5.3), with the values that other servers get wrong."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwb_async.core.semantics.codings import CODINGS, NO_CODING, acceptable
from pwb_async.core.semantics.fields import Fields

SIZES = {b"br": 40, b"zstd": 46, b"gzip": 81}
IDENTITY = 5600


def accept(*lines: bytes) -> Fields:
    return Fields({b"accept-encoding": list(lines)} if lines else {}, 0)


@pytest.mark.parametrize(
    ("value", "coding"),
    [
        (b"", b""),
        (b"identity", b""),
        (b"gzip", b"gzip"),
        (b"br", b"br"),
        (b"zstd", b"zstd"),
        (b"gzip, deflate, br, zstd", b"br"),
        (b"gzip;q=0", b""),
        (b"br;q=0, *", b"zstd"),
        (b"*", b"br"),
        (b"*;q=0", b""),
        (b"identity;q=0", b""),
        (b"identity;q=0, gzip", b"gzip"),
        (b"gzip;q=0.5, br;q=0.1", b"gzip"),
        (b"GZIP", b"gzip"),
        (b"x-gzip", b"gzip"),
        (b"gzip;q=0.000", b""),
        (b"gzip;Q=0", b""),
        (b"gzip ; q=0", b""),
        (b"br;q=0.0, gzip;q=1.0", b"gzip"),
        (b"deflate", b""),
        (b"deflate;q=1, gzip;q=0", b""),
        (b"identity;q=1, gzip;q=0.5", b""),
        (b"*;q=0, gzip", b"gzip"),
        (b"*;q=0.5, gzip;q=0, br;q=0", b"zstd"),
        (b"gzip;q=2", b""),
        (b"gzip;q=1e9", b""),
        (b"gzip;q=abc", b""),
        (b"gzip;q=0.0001, br", b"br"),
        (b"notgzip", b""),
        (b"dcb, dcz", b""),
        (b"compress", b""),
        (b",, gzip ,", b"gzip"),
        (b"gzip;q=0, x-gzip", b"gzip"),
    ],
)
def test_the_coding_of_a_value(value: bytes, coding: bytes) -> None:
    assert acceptable(accept(value)).best(SIZES, IDENTITY) == coding


def test_field_lines_are_one_list() -> None:
    assert acceptable(accept(b"gzip;q=0.5", b"br;q=0.4")).best(SIZES, IDENTITY) == b"gzip"


def test_nothing_is_accepted_by_a_request_without_the_field() -> None:
    assert acceptable(accept()) is NO_CODING
    assert NO_CODING.key == b""


def test_what_is_not_smaller_is_sent_only_if_the_content_as_it_is_is_excluded() -> None:
    assert acceptable(accept(b"gzip")).best({b"gzip": 10}, 10) == b""
    assert acceptable(accept(b"gzip, identity;q=0")).best({b"gzip": 11}, 10) == b"gzip"
    assert acceptable(accept(b"gzip, br;q=0.5")).best({b"gzip": 11, b"br": 9}, 10) == b"br"


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (b"gzip, deflate, br, zstd", b"br,zstd,gzip"),
        (b"zstd,br,gzip", b"br,zstd,gzip"),
        (b"gzip, br;q=0.5", b"gzip;br"),
        (b"*;q=0, gzip", b"gzip!"),
        (b"*;q=0", b""),
        (b"en-gb", b""),
    ],
)
def test_equal_meanings_have_equal_keys(value: bytes, key: bytes) -> None:
    assert acceptable(accept(value)).key == key


weights = st.sampled_from(["", ";q=0", ";q=0.5", ";q=1", ";q=x"])
names = st.sampled_from(["gzip", "x-gzip", "br", "zstd", "identity", "*", "deflate"])


@given(st.lists(st.tuples(names, weights), max_size=8), st.dictionaries(st.sampled_from(CODINGS), st.integers(0, 20)))
def test_what_is_excluded_by_name_is_never_sent(members: list[tuple[str, str]], sizes: dict[bytes, int]) -> None:
    value = ", ".join(name + weight for name, weight in members).encode()
    chosen = acceptable(accept(value)).best(sizes, 10)
    assert chosen in (b"", *sizes)
    mentioned = {name.removeprefix("x-").encode(): set[str]() for name, _ in members}
    for name, weight in members:
        mentioned[name.removeprefix("x-").encode()].add(weight)
    assert chosen == b"" or chosen in mentioned or b"*" in mentioned
    assert mentioned.get(chosen) not in ({";q=0"}, {";q=0", ";q=x"})


def test_a_thousand_codings_take_linear_time() -> None:
    """8 KiB of members, and members that a careless pattern would try again and again."""
    start = time.process_time()
    for value in (b",".join(b"c%d;q=0.%d" % (i, i % 9) for i in range(1000)), b"a" * 8192, b";" * 8192, b" \t" * 4096):
        assert acceptable(accept(value)) is NO_CODING
    assert time.process_time() - start < 0.5

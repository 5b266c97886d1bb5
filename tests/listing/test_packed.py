"""Many strings in few ones: they come back as they were, in order."""

import os
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwb_async.listing.packed import CHUNK, PackedStrings, chunks, pack, unpack

ODD = ["", "a", "\0", "\n/", "中", "\U0001f600", os.fsdecode(b"\xff\xed\xa0\x80"), "\ud7ff", "\ue000", "\udcff"]


@given(st.lists(st.binary(max_size=20).map(os.fsdecode)))
def test_what_is_packed_comes_back(names: list[str]) -> None:
    assert list(unpack(pack(names))) == names


def test_odd_strings_come_back() -> None:
    assert list(unpack(pack(ODD))) == ODD


@pytest.mark.parametrize("count", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_a_list_of_packed_strings(count: int) -> None:
    strings = PackedStrings()
    names = [f"{number}" for number in range(count)]
    for name in names:
        strings.append(name)
    assert len(strings) == count
    assert list(strings) == names == list(strings)
    assert bool(strings) == bool(count)
    assert list(islice(strings, 2)) == names[:2]
    assert [len(chunk) for chunk in chunks(strings)] == [CHUNK] * (count // CHUNK) + [count % CHUNK] * (
        count % CHUNK > 0
    )

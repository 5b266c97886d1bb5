"""Byte ranges and multipart/byteranges, RFC 9110 14 and hazard B12."""

import re
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwb_async.core.semantics.ranges import ByteRange, multipart, parse_ranges
from pwb_async.core.site.findings import Finding, OpenFile
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.site import Site
from tests.core.driver import ALPHABET, Answer, Driver, FakeFile, ask, get, open_file, quick

HUGE = b"9" * 5000


@pytest.mark.parametrize(
    ("value", "content"),
    [
        pytest.param(b"bytes=0-0", b"a", id="9110-14.1.2-first-byte"),
        pytest.param(b"bytes=-1", b"z", id="9110-14.1.2-last-byte"),
        pytest.param(b"bytes=0-3", b"abcd", id="9110-14.1.2-first-four"),
        pytest.param(b"bytes=25-", b"z", id="9110-14.1.2-from-the-last"),
        pytest.param(b"bytes=0-", ALPHABET, id="9110-14.1.2-from-the-first"),
        pytest.param(b"bytes=0-25", ALPHABET, id="9110-14.1.2-all"),
        pytest.param(b"bytes=0-26", ALPHABET, id="9110-14.1.2-last-pos-beyond"),
        pytest.param(b"bytes=20-99999", b"uvwxyz", id="9110-14.1.2-last-pos-far-beyond"),
        pytest.param(b"bytes=20-" + HUGE, b"uvwxyz", id="B12-last-pos-of-5000-digits"),
        pytest.param(b"bytes=-26", ALPHABET, id="9110-14.1.2-suffix-all"),
        pytest.param(b"bytes=-99999", ALPHABET, id="9110-14.1.2-suffix-longer-than-all"),
        pytest.param(b"bytes=-" + HUGE, ALPHABET, id="B12-suffix-of-5000-digits"),
        pytest.param(b"bytes=0000000000000000000000001-0000000000000000000000002", b"bc", id="B12-leading-zeros"),
        pytest.param(b"BYTES=1-2", b"bc", id="9110-14.1-unit-in-any-case"),
        pytest.param(b"bytes= 1-2", b"bc", id="9110-5.6.1-space-before-the-member"),
        pytest.param(b"bytes=,, 1-2 ,\t", b"bc", id="9110-5.6.1-empty-members"),
        pytest.param(b"bytes=1-2,99-", b"bc", id="9110-14.2-one-of-two-is-satisfiable"),
        pytest.param(b"bytes=99-,-0,1-2", b"bc", id="9110-14.2-one-of-three-is-satisfiable"),
    ],
)
def test_one_range(value: bytes, content: bytes) -> None:
    answer = ask(get(b"/a.txt", b"Range: " + value))
    start = ALPHABET.index(content)
    assert answer.status == 206
    assert answer.content == content
    assert answer.field(b"content-range") == b"bytes %d-%d/26" % (start, start + len(content) - 1)
    assert answer.field(b"content-length") == b"%d" % len(content)
    assert answer.field(b"content-type") == b"text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"bytes=26-", id="9110-15.5.17-from-the-end"),
        pytest.param(b"bytes=26-26", id="9110-15.5.17-one-behind"),
        pytest.param(b"bytes=99-100", id="9110-15.5.17-beyond"),
        pytest.param(b"bytes=-0", id="9110-14.1.2-suffix-zero"),
        pytest.param(b"bytes=-000", id="9110-14.1.2-suffix-zeros"),
        pytest.param(b"bytes=" + HUGE + b"-", id="B12-first-pos-of-5000-digits"),
        pytest.param(b"bytes=26-,99-,-0", id="9110-15.5.17-none-of-three"),
    ],
)
def test_not_satisfiable(value: bytes) -> None:
    answer = ask(get(b"/a.txt", b"Range: " + value))
    assert answer.status == 416
    assert answer.field(b"content-range") == b"bytes */26"
    assert answer.field(b"content-length") == b"%d" % len(answer.content)
    assert answer.field(b"etag") is None


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"bytes=3-2", id="9110-14.1.2-inverted"),
        pytest.param(b"bytes=99-98", id="9110-14.1.2-inverted-beyond"),
        pytest.param(b"bytes=0-0,3-2", id="9110-14.1.2-one-of-two-is-inverted"),
        pytest.param(b"bytes=abc-xyz", id="9110-14.2-letters"),
        pytest.param(b"bytes=-", id="9110-14.1.1-hyphen-alone"),
        pytest.param(b"bytes=", id="9110-14.1.1-empty-set"),
        pytest.param(b"bytes=,,", id="9110-14.1.1-empty-members-alone"),
        pytest.param(b"bytes", id="9110-14.1.1-unit-alone"),
        pytest.param(b"", id="9110-14.2-empty"),
        pytest.param(b"0-3", id="9110-14.1.1-no-unit"),
        pytest.param(b"=0-3", id="9110-14.1.1-empty-unit"),
        pytest.param(b"bytes:0-3", id="9110-14.1.1-colon"),
        pytest.param(b"bytes =0-3", id="9110-14.1.1-space-before-equals"),
        pytest.param(b"items=0-3", id="9110-14.2-unknown-unit"),
        pytest.param(b"bytes=0 - 3", id="9110-14.1.1-inner-space"),
        pytest.param(b"bytes=0--3", id="9110-14.1.1-two-hyphens"),
        pytest.param(b"bytes=+0-3", id="B3-plus-sign"),
        pytest.param(b"bytes=0-+3", id="B3-plus-sign-last"),
        pytest.param(b"bytes=-+3", id="B3-plus-sign-suffix"),
        pytest.param(b"bytes=--3", id="B3-minus-sign-suffix"),
        pytest.param(b"bytes=0_0-3", id="B3-underscore"),
        pytest.param(b"bytes=0x0-3", id="B3-hexadecimal"),
        pytest.param(b"bytes=0.0-3", id="B3-fraction"),
        pytest.param("bytes=\u0660-\u0663".encode(), id="B3-other-digits"),
        pytest.param(b"bytes=0-3;1", id="9110-14.1.1-semicolon"),
        pytest.param(b"bytes=0-0, bytes=1-1", id="9110-14.2-two-fields-joined"),
        pytest.param(b"bytes=0-0,1-1,x", id="9110-14.1.1-one-of-three-is-junk"),
        pytest.param(b"bytes=0-,0-", id="B12-twice-the-whole"),
        pytest.param(b"bytes=0-25,0-0", id="B12-one-byte-more-than-the-whole"),
        pytest.param(b"bytes=" + b"0-0," * 26 + b"1-1", id="B12-27-times-a-byte-of-26"),
        pytest.param(b"bytes=" + b",".join([b"0-"] * 1300), id="B12-1300-ranges"),
        pytest.param(b"bytes=" + b"," * 1025 + b"0-0", id="B12-1025-commas"),
        pytest.param(b"bytes=" + b"," * 8000, id="B12-8000-commas"),
        pytest.param(b"bytes=" + b" " * 8000 + b"x", id="B12-8000-spaces"),
        pytest.param(b"bytes=" + b"0" * 8000, id="B12-8000-digits"),
    ],
)
def test_ignored(value: bytes) -> None:
    answer = ask(get(b"/a.txt", b"Range: " + value))
    assert answer.status == 200
    assert answer.content == ALPHABET
    assert answer.field(b"content-range") is None


def test_9110_14_2_two_range_fields_are_ignored() -> None:
    assert ask(get(b"/a.txt", b"Range: bytes=0-0", b"Range: bytes=1-1")).status == 200


@pytest.mark.parametrize("value", [b"bytes=0-", b"bytes=0-0", b"bytes=-1", b"bytes=-0", b"bytes=5-", b"bytes=0-,1-"])
def test_b12_range_is_ignored_for_an_empty_file(value: bytes) -> None:
    answer = ask(get(b"/empty.txt", b"Range: " + value))
    assert (answer.status, answer.content) == (200, b"")
    assert answer.field(b"content-length") == b"0"


@pytest.mark.parametrize("value", [b"bytes=0-0", b"bytes=99-", b"bytes=0-0,2-2"])
def test_9110_14_2_range_is_for_get_only(value: bytes) -> None:
    head = ask(get(b"/a.txt", b"Range: " + value, method=b"HEAD"))
    assert head.head == ask(get(b"/a.txt")).head


# --- multipart ---


def parts_of(answer: Answer) -> list[tuple[bytes, bytes]]:
    """Return Content-Range and content of each part, parsed as a client does."""
    media = answer.field(b"content-type")
    assert media is not None
    match = re.fullmatch(rb"multipart/byteranges; boundary=([0-9a-f]{32})", media)
    assert match is not None
    first, *parts, last = answer.content.split(b"\r\n--" + match[1])
    assert (first, last) == (b"", b"--\r\n")
    found = []
    for part in parts:
        head, _, content = part.partition(b"\r\n\r\n")
        empty, media_type, content_range = head.split(b"\r\n")
        assert (empty, media_type) == (b"", b"Content-Type: text/plain; charset=utf-8")
        found.append((content_range.removeprefix(b"Content-Range: "), content))
    return found


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        pytest.param(b"bytes=0-1,4-5", [(0, b"ab"), (4, b"ef")], id="9110-14.6-two"),
        pytest.param(b"bytes=-2,0-0", [(24, b"yz"), (0, b"a")], id="9110-15.3.7.2-in-the-client-s-order"),
        pytest.param(b"bytes=0-0,0-0", [(0, b"a"), (0, b"a")], id="9110-14.2-overlapping"),
        pytest.param(b"bytes=0-0,99-,2-2", [(0, b"a"), (2, b"c")], id="9110-15.3.7.2-unsatisfiable-left-out"),
        pytest.param(b"bytes=0-12,13-", [(0, ALPHABET[:13]), (13, ALPHABET[13:])], id="B12-exactly-the-whole"),
        pytest.param(b"bytes=" + b"0-0," * 25 + b"1-1", [(0, b"a")] * 25 + [(1, b"b")], id="B12-26-ranges"),
    ],
)
@pytest.mark.parametrize("in_page_cache", [False, True])
def test_multipart(value: bytes, parts: list[tuple[int, bytes]], in_page_cache: bool) -> None:
    file = open_file(b"a.txt", ALPHABET)
    if in_page_cache:
        file = file._replace(file=None, content=ALPHABET)

    def disk(lookup: Lookup) -> Finding:
        return file

    (answer,) = Driver(disk=disk).send(get(b"/a.txt", b"Range: " + value)).answers
    assert answer.status == 206
    assert answer.field(b"content-range") is None
    assert answer.field(b"content-length") == b"%d" % len(answer.content) == b"%d" % answer.response.length
    assert answer.field(b"etag") == ask(get(b"/a.txt")).field(b"etag")
    assert parts_of(answer) == [
        (b"bytes %d-%d/26" % (start, start + len(content) - 1), content) for start, content in parts
    ]


@pytest.mark.parametrize("mtime_ns", [-(10**18), 0, 10**25])
def test_d12_a_boundary_for_any_modification_time(mtime_ns: int) -> None:
    def disk(lookup: Lookup) -> Finding:
        return open_file(b"a.txt", ALPHABET, mtime_ns)

    (answer,) = Driver(disk=disk).send(get(b"/a.txt", b"Range: bytes=0-0,2-2")).answers
    assert [content for _, content in parts_of(answer)] == [b"a", b"c"]


@pytest.mark.parametrize("most", [0, 1, 2])
def test_b12_the_number_of_ranges_is_an_option(most: int) -> None:
    for count in range(1, 4):
        answer = ask(get(b"/a.txt", b"Range: bytes=" + b",".join([b"0-0"] * count)), site=Site(max_ranges=most))
        assert answer.status == (206 if count <= most else 200)


def test_b12_parts_are_at_most_4_kib_longer_than_the_whole() -> None:
    size = 4000
    forms = [
        multipart([ByteRange(0, 1)] * 60 + [ByteRange(0, last)], size, 0, ((b"Content-Type", b"a/b"),))
        for last in range(1, size)
    ]
    lengths = [form.length for form in forms if form is not None]
    assert lengths[-1] == size + 4096
    assert forms[len(lengths) :] == [None] * (size - 1 - len(lengths)) != []


@pytest.mark.parametrize("in_page_cache", [False, True])
@pytest.mark.parametrize(("count", "status"), [(40, 206), (50, 200)])
def test_b12_a_file_of_1_kib_in_many_parts(count: int, status: int, in_page_cache: bool) -> None:
    content = ALPHABET * 40
    file = open_file(b"a.txt", content)
    if in_page_cache:
        file = OpenFile(file.path, file.size, file.mtime_ns, file.seen_ns, None, content)

    def disk(lookup: Lookup) -> Finding:
        return file

    value = b",".join([b"%d-%d" % (at, at) for at in range(count)])
    (answer,) = Driver(disk=disk).send(get(b"/a.txt", b"Range: bytes=" + value)).answers
    assert answer.status == status
    if status == 200:
        assert answer.content == content
    else:
        assert [part for _, part in parts_of(answer)] == [content[at : at + 1] for at in range(count)]


def hostile(unit: bytes) -> Callable[[int], bytes]:
    return lambda length: b"bytes=" + (unit * length)[: length - 6]


@pytest.mark.parametrize(
    "field",
    [
        *(
            hostile(unit)
            for unit in (b"0-0,", b"0-,", b"-1,", b"1-1 ,", b"0-0, \t", b",", b" ,", b" ", b"\t", b"0", b"-")
        ),
        *(hostile(b"9" * digits + b"-") for digits in (1, 19, 20, 999)),
        *(hostile(b"0" * digits + b"1-1,") for digits in (1, 19, 20, 999)),
        lambda length: b"bytes=" + b"0" * (length - 8) + b"-0",
        lambda length: b"bytes=" + b"0" * (length - 7) + b"x",
        lambda length: b"bytes=" + b" " * (length - 7) + b"x",
        lambda length: b"b" * length,
    ],
)
def test_b12_the_work_for_a_field_is_proportional_to_its_length(field: Callable[[int], bytes]) -> None:
    """Work is counted in calls and in bytes that methods of bytes read, since time depends on the machine."""

    def work(length: int, size: int) -> int:
        total = 0

        def note(frame: object, event: str, called: object) -> None:
            nonlocal total
            if event in ("call", "c_call"):
                text = getattr(called, "__self__", None)
                total += 1 + (len(text) if isinstance(text, bytes) else 0)

        value = field(length)
        assert len(value) == length
        sys.setprofile(note)
        try:
            found = parse_ranges(value, size, 512)
            if found and len(found) > 1:
                multipart(found, size, 0, ((b"Content-Type", b"text/plain"),))
        finally:
            sys.setprofile(None)
        return total

    for size in (1, 26, 10**5, 10**12):
        assert work(8190, size) <= 10 * 8190
        assert work(8190, size) <= 2.1 * work(4095, size) + 500


def test_c12_positions_beyond_32_bits() -> None:
    size = 5 * 2**30
    assert parse_ranges(b"bytes=4294967295-4294967300", size, 16) == [ByteRange(4294967295, 6)]
    assert ByteRange(4294967295, 6).content_range(size) == b"bytes 4294967295-4294967300/5368709120"


spec = st.one_of(
    st.builds("{}-{}".format, st.integers(0, 40), st.integers(0, 40)),
    st.builds("{}-".format, st.integers(0, 40)),
    st.builds("-{}".format, st.integers(0, 40)),
    st.text("0123456789-, \t", max_size=6),
)


@given(st.lists(spec, min_size=1, max_size=20).map(",".join), st.integers(0, 40), st.integers(1, 20))
@quick
def test_ranges_lie_within_the_file_and_together_are_no_longer(specs: str, size: int, most: int) -> None:
    found = parse_ranges(b"bytes=" + specs.encode(), size, most)
    if found is not None:
        assert len(found) <= most
        assert sum(part.length for part in found) <= size
        for start, length in found:
            assert 0 <= start < start + length <= size
    if found is not None and len(found) > 1:
        form = multipart(found, size, 0, ((b"Content-Type", b"text/plain"),))
        assert form is None or form.length <= size + 4096


@given(st.binary(max_size=50) | st.binary(max_size=50).map(lambda value: b"bytes=" + value), st.integers(0, 10**12))
@quick
def test_no_bytes_can_raise(value: bytes, size: int) -> None:
    found = parse_ranges(value, size, 16)
    assert found is None or all(start + length <= size for start, length in found)


@given(st.integers(0, 2**63), st.integers(0, 2**63), st.integers(1, 2**63))
@quick
def test_one_range_agrees_with_slicing(first: int, last: int, size: int) -> None:
    found = parse_ranges(b"bytes=%d-%d" % (first, last), size, 16)
    if last < first:
        assert found is None
    elif first >= size:
        assert found == []
    else:
        assert found == [ByteRange(first, min(last + 1, size) - first)]


def test_the_file_of_every_response_is_closed() -> None:
    for value in (b"bytes=0-0", b"bytes=0-0,2-2", b"bytes=99-", b"junk"):
        file = open_file(b"a.txt", ALPHABET)

        def disk(lookup: Lookup, file: OpenFile = file) -> Finding:
            return file

        Driver(disk=disk).send(get(b"/a.txt", b"Range: " + value))
        assert isinstance(file.file, FakeFile)
        assert file.file.closed == 1

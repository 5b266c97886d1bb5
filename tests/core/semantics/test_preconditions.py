"""Entity tags, the order of preconditions, and If-Range (RFC 9110 8.8.3, 13; hazards B13, D7, D12)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwb_async.core.semantics.entity_tags import EntityTag, parse_tags
from pwb_async.core.site.findings import Finding, OpenFile
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.validators import validators_of_file
from tests.core.driver import (
    ALPHABET,
    CHANGED,
    LAST_MODIFIED,
    NOW,
    Answer,
    Driver,
    FakeFile,
    ask,
    get,
    open_file,
    quick,
    tag_of,
)

TAG = b'"%s"' % tag_of(ALPHABET)
"""The entity tag of a.txt."""
EARLIER = b"Mon, 13 Nov 2023 22:13:19 GMT"
LATER = b"Mon, 13 Nov 2023 22:13:21 GMT"
FUTURE = b"Fri, 13 Nov 2099 22:13:21 GMT"
OTHER = b'"other"'


def f(name: bytes, value: bytes) -> bytes:
    return name + b": " + value


IM, INM, IMS, IUS = b"If-Match", b"If-None-Match", b"If-Modified-Since", b"If-Unmodified-Since"


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        # 13.1.1 If-Match
        pytest.param(200, [f(IM, TAG)], id="9110-13.1.1-match"),
        pytest.param(412, [f(IM, OTHER)], id="9110-13.1.1-no-match"),
        pytest.param(200, [f(IM, b"*")], id="9110-13.1.1-any"),
        pytest.param(200, [f(IM, OTHER + b", " + TAG)], id="9110-13.1.1-list"),
        pytest.param(200, [f(IM, OTHER), f(IM, TAG)], id="9110-5.3-two-lines"),
        pytest.param(200, [f(IM, b" ,, " + OTHER + b"\t,," + TAG + b",")], id="9110-5.6.1-empty-members"),
        pytest.param(412, [f(IM, b"W/" + TAG)], id="9110-8.8.3.2-weak-is-no-strong-match"),
        pytest.param(412, [f(IM, b"")], id="9110-13.1.1-empty"),
        pytest.param(412, [f(IM, TAG[1:-1])], id="9110-8.8.3-without-quotes"),
        pytest.param(412, [f(IM, b'"x')], id="9110-8.8.3-quote-open"),
        pytest.param(412, [f(IM, b"w/" + TAG)], id="9110-8.8.3-small-w"),
        pytest.param(412, [f(IM, OTHER + b" " + TAG)], id="9110-5.6.1-no-comma"),
        # 13.1.2 If-None-Match
        pytest.param(304, [f(INM, TAG)], id="9110-13.1.2-match"),
        pytest.param(200, [f(INM, OTHER)], id="9110-13.1.2-no-match"),
        pytest.param(304, [f(INM, b"*")], id="9110-13.1.2-any"),
        pytest.param(304, [f(INM, b"W/" + TAG)], id="9110-13.1.2-weak-comparison"),
        pytest.param(304, [f(INM, OTHER + b", W/" + TAG + b', "third"')], id="9110-13.1.2-list"),
        pytest.param(304, [f(INM, OTHER + b"," + TAG)], id="9110-13.1.2-list-without-space"),
        pytest.param(304, [f(INM, OTHER), f(INM, TAG)], id="9110-13.1.2-two-lines"),
        pytest.param(304, [f(INM, b'"a,b",' + TAG)], id="9110-8.8.3-comma-in-a-tag"),
        pytest.param(304, [f(INM, b'"\xe9",' + TAG)], id="9110-8.8.3-obs-text-in-a-tag"),
        pytest.param(304, [f(INM, b'"",' + TAG)], id="9110-8.8.3-empty-tag"),
        pytest.param(200, [f(INM, b"")], id="9110-13.1.2-empty"),
        pytest.param(200, [f(INM, TAG[1:-1])], id="9110-8.8.3-none-match-without-quotes"),
        pytest.param(200, [f(INM, b'"a b", ' + TAG)], id="9110-8.8.3-space-in-a-tag-ends-the-list"),
        pytest.param(304, [f(INM, TAG + b", junk")], id="9110-5.6.1-junk-behind"),
        pytest.param(200, [f(INM, b"*, " + OTHER)], id="9110-13.1.2-any-is-no-member"),
        # 13.1.3 If-Modified-Since
        pytest.param(304, [f(IMS, LAST_MODIFIED)], id="9110-13.1.3-same"),
        pytest.param(304, [f(IMS, LATER)], id="9110-13.1.3-later"),
        pytest.param(304, [f(IMS, FUTURE)], id="9110-13.1.3-future"),
        pytest.param(200, [f(IMS, EARLIER)], id="9110-13.1.3-earlier"),
        pytest.param(304, [f(IMS, b"Monday, 13-Nov-23 22:13:20 GMT")], id="9110-5.6.7-rfc850"),
        pytest.param(304, [f(IMS, b"Mon Nov 13 22:13:20 2023")], id="9110-5.6.7-asctime"),
        pytest.param(200, [f(IMS, b"Monday, 13-Nov-94 22:13:20 GMT")], id="9110-5.6.7-two-digit-year-is-past"),
        pytest.param(200, [f(IMS, b"yesterday")], id="9110-13.1.3-invalid-is-ignored"),
        pytest.param(200, [f(IMS, b"")], id="9110-13.1.3-empty-is-ignored"),
        pytest.param(200, [f(IMS, LATER), f(IMS, LATER)], id="9110-13.1.3-two-members-are-ignored"),
        pytest.param(200, [f(IMS, b"0")], id="9110-13.1.3-zero-is-ignored"),
        # 13.1.4 If-Unmodified-Since
        pytest.param(200, [f(IUS, LAST_MODIFIED)], id="9110-13.1.4-same"),
        pytest.param(200, [f(IUS, LATER)], id="9110-13.1.4-later"),
        pytest.param(412, [f(IUS, EARLIER)], id="9110-13.1.4-earlier"),
        pytest.param(200, [f(IUS, b"yesterday")], id="9110-13.1.4-invalid-is-ignored"),
        pytest.param(200, [f(IUS, EARLIER), f(IUS, EARLIER)], id="9110-13.1.4-two-members-are-ignored"),
        # 13.2.2 the order
        pytest.param(412, [f(IM, OTHER), f(INM, TAG)], id="9110-13.2.2-1-before-3"),
        pytest.param(304, [f(IM, TAG), f(INM, TAG)], id="9110-13.2.2-1-then-3"),
        pytest.param(200, [f(IM, TAG), f(IUS, EARLIER)], id="9110-13.2.2-if-match-hides-if-unmodified-since"),
        pytest.param(412, [f(IM, OTHER), f(IUS, LATER)], id="9110-13.2.2-if-match-decides-alone"),
        pytest.param(412, [f(IUS, EARLIER), f(INM, TAG)], id="9110-13.2.2-2-before-3"),
        pytest.param(304, [f(IUS, LATER), f(INM, TAG)], id="9110-13.2.2-2-then-3"),
        pytest.param(200, [f(INM, OTHER), f(IMS, LATER)], id="9110-13.1.3-if-none-match-hides-if-modified-since"),
        pytest.param(304, [f(INM, TAG), f(IMS, EARLIER)], id="9110-13.1.2-if-none-match-decides-alone"),
        pytest.param(200, [f(INM, b"junk"), f(IMS, LATER)], id="9110-13.1.3-even-if-it-is-junk"),
        pytest.param(412, [f(IUS, EARLIER), f(IMS, LATER)], id="9110-13.2.2-2-before-4"),
        pytest.param(304, [f(IM, TAG), f(IMS, LATER)], id="9110-13.2.2-1-then-4"),
        pytest.param(304, [f(INM, TAG), b"Range: bytes=0-3"], id="9110-13.2.2-3-before-range"),
        pytest.param(412, [f(IM, OTHER), b"Range: bytes=0-3"], id="9110-13.2.2-1-before-range"),
        pytest.param(206, [f(IM, TAG), b"Range: bytes=0-3"], id="9110-13.2.2-1-then-range"),
        pytest.param(206, [f(INM, OTHER), b"Range: bytes=0-3"], id="9110-13.2.2-3-then-range"),
        pytest.param(304, [f(IMS, LATER), b"Range: bytes=99-"], id="9110-13.2.2-4-before-range"),
    ],
)
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_preconditions(status: int, fields: list[bytes], method: bytes) -> None:
    answer = ask(get(b"/a.txt", *fields, method=method))
    if status == 206 and method == b"HEAD":
        status = 200
    assert answer.status == status
    if method == b"HEAD" or status == 304:
        assert answer.content == b""
    if status == 304:
        assert dict(answer.fields).keys() == {b"server", b"date", b"etag", b"cache-control"}
    if status == 412:
        assert answer.field(b"content-length") is not None


@pytest.mark.parametrize("fields", [[f(IM, b"*")], [f(IM, TAG)], [f(INM, b"*")], [f(IUS, EARLIER)], [f(IMS, FUTURE)]])
@pytest.mark.parametrize(
    ("target", "method", "status"),
    [
        pytest.param(b"/none", b"GET", 404, id="9110-13.2.1-missing"),
        pytest.param(b"/sub", b"GET", 301, id="9110-13.2.1-redirect"),
        pytest.param(b"/.env", b"GET", 404, id="9110-13.2.1-hidden"),
        pytest.param(b"/a.txt", b"POST", 405, id="9110-13.2.1-method"),
        pytest.param(b"/a.txt", b"OPTIONS", 204, id="9110-13.2.1-options"),
    ],
)
def test_preconditions_apply_only_if_the_response_would_be_2xx(
    fields: list[bytes], target: bytes, method: bytes, status: int
) -> None:
    assert ask(get(target, *fields, method=method)).status == status


# --- If-Range --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "value"),
    [
        pytest.param(206, TAG, id="9110-13.1.5-tag"),
        pytest.param(200, OTHER, id="9110-13.1.5-other-tag"),
        pytest.param(200, b"W/" + TAG, id="9110-13.1.5-weak-tag"),
        pytest.param(200, TAG + b", " + TAG, id="9110-13.1.5-no-list"),
        pytest.param(200, b"*", id="9110-13.1.5-no-asterisk"),
        pytest.param(206, LAST_MODIFIED, id="9110-13.1.5-date"),
        pytest.param(206, b"Monday, 13-Nov-23 22:13:20 GMT", id="9110-13.1.5-date-rfc850"),
        pytest.param(200, EARLIER, id="9110-13.1.5-earlier"),
        pytest.param(200, LATER, id="9110-13.1.5-later-is-no-exact-match"),
        pytest.param(200, b"junk", id="9110-13.1.5-junk"),
        pytest.param(200, b"", id="9110-13.1.5-empty"),
    ],
)
def test_if_range(status: int, value: bytes) -> None:
    answer = ask(get(b"/a.txt", b"Range: bytes=0-3", f(b"If-Range", value)))
    assert answer.status == status
    assert answer.content == (b"abcd" if status == 206 else ALPHABET)


def test_9110_13_1_5_if_range_alone_does_nothing() -> None:
    assert ask(get(b"/a.txt", f(b"If-Range", TAG))).status == 200


def test_9110_13_2_2_if_range_comes_before_416() -> None:
    assert ask(get(b"/a.txt", b"Range: bytes=99-", f(b"If-Range", OTHER))).status == 200
    assert ask(get(b"/a.txt", b"Range: bytes=99-", f(b"If-Range", TAG))).status == 416


# --- validators ---

SECOND = 10**9
NOW_NS = NOW * SECOND


@pytest.mark.parametrize(
    ("mtime_ns", "last_modified"),
    [
        pytest.param(CHANGED * SECOND + 5, CHANGED, id="9110-8.8.2-old"),
        pytest.param(NOW_NS, NOW, id="9110-8.8.2-this-moment"),
        pytest.param(NOW_NS + 3600 * SECOND, NOW, id="D12-future-is-sent-as-now"),
        pytest.param(10**11 * SECOND, NOW, id="D12-year-5138"),
        pytest.param(10**13 * SECOND, NOW, id="D12-beyond-year-9999"),
        pytest.param(10**30, NOW, id="D12-absurd"),
        pytest.param(2 * SECOND, 2, id="D7-two-seconds-are-a-time"),
        pytest.param(499162501 * SECOND, 499162501, id="D7-a-second-after-a-placeholder"),
        pytest.param(2 * SECOND - 1, None, id="D7-one-second"),
        pytest.param(0, None, id="D7-epoch"),
        pytest.param(-1, None, id="D12-before-the-epoch"),
        pytest.param(-(10**9) * SECOND, None, id="D12-1938"),
        pytest.param(-(10**30), None, id="D12-absurdly-early"),
        pytest.param(315532800 * SECOND, None, id="D7-zip"),
        pytest.param(318211200 * SECOND, None, id="D7-gradle"),
        pytest.param(456789000 * SECOND, None, id="D7-yarn"),
        pytest.param(499162500 * SECOND + 999, None, id="D7-npm"),
        pytest.param(1153704088 * SECOND, None, id="D7-cargo"),
    ],
)
@pytest.mark.parametrize("tag", [b"x", None])
def test_validators_of_a_file(mtime_ns: int, last_modified: int | None, tag: bytes | None) -> None:
    """The entity tag is the storage's, and does not depend on the date."""
    found = open_file(b"a.txt", ALPHABET, mtime_ns)._replace(tag=tag)
    assert validators_of_file(found).last_modified == last_modified
    answer = ask_file(found)
    assert answer.status == 200
    assert answer.field(b"etag") == (tag and b'"x"')
    assert (answer.field(b"last-modified") is None) is (last_modified is None)


def ask_file(file: OpenFile, *fields: bytes) -> Answer:
    def disk(lookup: Lookup) -> Finding:
        return file

    (answer,) = Driver(disk=disk).send(get(b"/a.txt", *fields)).answers
    return answer


@pytest.mark.parametrize("seen_ns", [NOW_NS, NOW_NS + 5, NOW_NS + SECOND - 1])
def test_d12_last_modified_is_never_later_than_date(seen_ns: int) -> None:
    for mtime_ns in (seen_ns - 1, seen_ns, seen_ns + 1, seen_ns + SECOND, 10**20):
        last_modified = validators_of_file(open_file(b"x", b"", mtime_ns)._replace(seen_ns=seen_ns)).last_modified
        assert last_modified is not None
        assert last_modified <= NOW


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param([f(IM, b"*")], 200, id="9110-13.1.1-any"),
        pytest.param([f(IM, TAG)], 412, id="9110-13.1.1-no-tag-no-match"),
        pytest.param([f(INM, b"*")], 304, id="9110-13.1.2-any"),
        pytest.param([f(INM, TAG)], 200, id="9110-13.1.2-no-tag-no-match"),
        pytest.param([f(IMS, FUTURE)], 200, id="9110-13.1.3-no-date-is-ignored"),
        pytest.param([f(IUS, EARLIER)], 200, id="9110-13.1.4-no-date-is-ignored"),
        pytest.param([b"Range: bytes=0-0"], 206, id="9110-14.2-range"),
        pytest.param([b"Range: bytes=0-0", f(b"If-Range", TAG)], 200, id="9110-13.1.5-no-tag"),
        pytest.param(
            [b"Range: bytes=0-0", f(b"If-Range", b"Thu, 01 Jan 1970 00:00:00 GMT")], 200, id="9110-13.1.5-no-date"
        ),
    ],
)
def test_d7_a_file_without_validators(fields: list[bytes], status: int) -> None:
    answer = ask_file(open_file(b"a.txt", ALPHABET, 0)._replace(tag=None), *fields)
    assert answer.status == status
    assert answer.field(b"etag") is None
    assert answer.field(b"last-modified") is None


PLACEHOLDER = b"Sat, 26 Oct 1985 08:15:00 GMT"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param([f(IMS, PLACEHOLDER)], 200, id="9110-13.1.3"),
        pytest.param([f(IMS, FUTURE)], 200, id="9110-13.1.3-future"),
        pytest.param([f(IUS, PLACEHOLDER)], 200, id="9110-13.1.4"),
        pytest.param([b"Range: bytes=0-0", f(b"If-Range", PLACEHOLDER)], 200, id="9110-13.1.5"),
        pytest.param([f(INM, TAG)], 304, id="9110-13.1.2-its-tag"),
        pytest.param([b"Range: bytes=0-0", f(b"If-Range", TAG)], 206, id="9110-13.1.5-its-tag"),
    ],
)
def test_d7_placeholder_dates_are_not_compared(fields: list[bytes], status: int) -> None:
    answer = ask_file(open_file(b"a.txt", ALPHABET, 499162500 * SECOND), *fields)
    assert answer.status == status
    assert answer.field(b"last-modified") is None
    assert answer.field(b"etag") == TAG


def test_d7_a_date_is_weak_until_its_second_is_over() -> None:
    date = b"Tue, 14 Nov 2023 22:13:20 GMT"

    def ask_fresh(*fields: bytes) -> Answer:
        return ask_file(open_file(b"a.txt", ALPHABET, NOW_NS)._replace(settled=False), *fields)

    assert ask_fresh().field(b"last-modified") == date
    assert ask_fresh().field(b"etag") == TAG
    assert ask_fresh(f(IMS, date)).status == 304
    assert ask_fresh(b"Range: bytes=0-3", f(b"If-Range", date)).status == 200
    assert ask_fresh(b"Range: bytes=0-3", f(b"If-Range", TAG)).status == 206


def test_9110_15_4_5_a_304_without_an_entity_tag_has_last_modified() -> None:
    answer = ask_file(open_file(b"a.txt", ALPHABET)._replace(tag=None), f(IMS, LATER))
    assert answer.status == 304
    assert answer.field(b"etag") is None
    assert answer.field(b"last-modified") == LAST_MODIFIED


def test_the_file_of_a_304_and_a_412_is_closed() -> None:
    for fields in ([f(INM, b"*")], [f(IM, OTHER)], [b"Range: bytes=99-"], []):
        file = open_file(b"a.txt", ALPHABET)
        ask_file(file, *fields)
        assert isinstance(file.file, FakeFile)
        assert file.file.closed == 1


# --- entity tags ---


@pytest.mark.parametrize(
    ("one", "other", "strong", "weak"),
    [
        pytest.param(EntityTag(b"1", True), EntityTag(b"1", True), False, True, id="9110-8.8.3.2-row-1"),
        pytest.param(EntityTag(b"1", True), EntityTag(b"2", True), False, False, id="9110-8.8.3.2-row-2"),
        pytest.param(EntityTag(b"1", True), EntityTag(b"1", False), False, True, id="9110-8.8.3.2-row-3"),
        pytest.param(EntityTag(b"1", False), EntityTag(b"1", False), True, True, id="9110-8.8.3.2-row-4"),
    ],
)
def test_comparison(one: EntityTag, other: EntityTag, strong: bool, weak: bool) -> None:
    assert one.strongly_matches(other) is other.strongly_matches(one) is strong
    assert one.weakly_matches(other) is other.weakly_matches(one) is weak


opaque = st.binary(max_size=8).map(lambda raw: bytes(byte for byte in raw if byte == 33 or 35 <= byte != 127))


@given(st.lists(st.builds(EntityTag, opaque, st.booleans())), st.sampled_from([b",", b", ", b" ,\t", b",,", b" , , "]))
@quick
def test_a_list_of_entity_tags_is_parsed_to_the_same_tags(tags: list[EntityTag], comma: bytes) -> None:
    assert parse_tags(comma.join(map(bytes, tags))) == tags
    assert parse_tags(b" ," + comma.join(map(bytes, tags)) + b", ") == tags


@given(st.binary(max_size=60) | st.text('W/"a, *', max_size=20).map(str.encode))
@quick
def test_no_bytes_can_raise(value: bytes) -> None:
    for tag in parse_tags(value):
        assert bytes(tag) in value

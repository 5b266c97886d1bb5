"""Preconditions (RFC 9110 13) on a file that was last changed at LAST_MODIFIED."""

from pwb_legacy.compare.checks.rows import Row, expect, get, head, row
from tests.conformance.tree import ALPHABET, LAST_MODIFIED, ODD, entity_tag

_TAG = entity_tag(ALPHABET)
_EARLIER = "Sun, 13 Sep 2020 12:26:39 GMT"
_LATER = "Sun, 13 Sep 2020 12:26:41 GMT"
_NPM = "Sat, 26 Oct 1985 08:15:00 GMT"

_WHOLE = expect(200, ALPHABET)
_NOT_MODIFIED = expect(304, b"", etag=_TAG, cache_control="no-cache", content_type=None, content_range=None)
_FAILED = expect(412)


def _a(name: str, *fields: str) -> tuple[str, bytes]:
    return name, get("/a.txt", *fields)


ROWS: list[Row] = [
    row(*_a("13.1.2-if-none-match-same", f"If-None-Match: {_TAG}"), _NOT_MODIFIED),
    row(*_a("13.1.2-if-none-match-other", 'If-None-Match: "x"'), _WHOLE),
    row(*_a("13.1.2-if-none-match-star", "If-None-Match: *"), _NOT_MODIFIED),
    row(*_a("13.1.2-if-none-match-list", f'If-None-Match: "x", "y",{_TAG}'), _NOT_MODIFIED),
    row(*_a("13.1.2-if-none-match-two-lines", 'If-None-Match: "x"', f"If-None-Match: {_TAG}"), _NOT_MODIFIED),
    row(*_a("13.1.2-if-none-match-empty-members", f"If-None-Match: , ,{_TAG},"), _NOT_MODIFIED),
    row(*_a("13.1.2-if-none-match-compares-weakly", f"If-None-Match: W/{_TAG}"), _NOT_MODIFIED),
    row(*_a("13.1.2-if-none-match-comma-in-a-tag", f'If-None-Match: "a,b", {_TAG}'), _NOT_MODIFIED),
    row(*_a("13.1.2-if-none-match-unquoted", f"If-None-Match: {_TAG[1:-1]}"), _WHOLE),
    row(*_a("13.1.2-if-none-match-case", f"If-None-Match: {_TAG.upper()}"), _WHOLE),
    row(*_a("13.1.2-if-none-match-lower-case-w", f"If-None-Match: w/{_TAG}"), _WHOLE),
    row(*_a("13.1.2-if-none-match-comma-alone", "If-None-Match: ,"), _WHOLE),
    row(*_a("13.1.2-if-none-match-weak-and-no-tag", "If-None-Match: W/"), _WHOLE),
    row(*_a("13.1.2-if-none-match-tag-cut-off", f"If-None-Match: {_TAG[:-1]}"), _WHOLE),
    row("13.1.2-if-none-match-head", head("/a.txt", f"If-None-Match: {_TAG}"), _NOT_MODIFIED),
    row("13.1.2-not-for-what-is-missing", get("/missing", "If-None-Match: *"), expect(404)),
    row("13.2.1-if-match-not-for-what-is-missing", get("/missing", 'If-Match: "x"'), expect(404)),
    row("13.1.2-not-for-a-redirect", get("/sub", "If-None-Match: *"), expect(301)),
    row("13.2.1-not-for-other-methods", get("/a.txt", "If-None-Match: *", method="DELETE"), expect(405)),
    row(*_a("13.1.3-if-modified-since-same", f"If-Modified-Since: {LAST_MODIFIED}"), _NOT_MODIFIED),
    row(*_a("13.1.3-if-modified-since-later", f"If-Modified-Since: {_LATER}"), _NOT_MODIFIED),
    row(*_a("13.1.3-if-modified-since-beyond-2038", "If-Modified-Since: Tue, 19 Jan 2038 03:14:08 GMT"), _NOT_MODIFIED),
    row(*_a("13.1.3-if-modified-since-in-2174", "If-Modified-Since: Fri, 25 Feb 2174 09:42:23 GMT"), _NOT_MODIFIED),
    row(*_a("13.1.3-if-modified-since-earlier", f"If-Modified-Since: {_EARLIER}"), _WHOLE),
    row(*_a("13.1.3-if-modified-since-rfc850", "If-Modified-Since: Sunday, 13-Sep-20 12:26:40 GMT"), _NOT_MODIFIED),
    row(*_a("13.1.3-if-modified-since-asctime", "If-Modified-Since: Sun Sep 13 12:26:40 2020"), _NOT_MODIFIED),
    row(*_a("13.1.3-if-modified-since-no-date", "If-Modified-Since: 2020-09-13"), _WHOLE),
    row(*_a("13.1.3-if-modified-since-other-zone", "If-Modified-Since: Sun, 13 Sep 2020 12:26:40 +0000"), _WHOLE),
    row(*_a("13.1.3-if-modified-since-impossible", "If-Modified-Since: Sun, 31 Feb 2021 12:26:40 GMT"), _WHOLE),
    row(*_a("13.1.3-ignored-beside-if-none-match", 'If-None-Match: "x"', f"If-Modified-Since: {_LATER}"), _WHOLE),
    row(
        *_a("13.1.3-an-earlier-date-ignored-beside-a-tag", f"If-None-Match: {_TAG}", f"If-Modified-Since: {_EARLIER}"),
        _NOT_MODIFIED,
    ),
    row("13.1.3-of-a-folder-by-its-index", get("/sub/", f"If-Modified-Since: {LAST_MODIFIED}"), expect(304, b"")),
    row("13.1.3-of-a-folder-whose-index-is-newer", get("/sub/", f"If-Modified-Since: {_EARLIER}"), expect(200)),
    row(*_a("13.1.1-if-match-same", f"If-Match: {_TAG}"), _WHOLE),
    row(*_a("13.1.1-if-match-star", "If-Match: *"), _WHOLE),
    row(*_a("13.1.1-if-match-list", f'If-Match: "x", {_TAG}'), _WHOLE),
    row(*_a("13.1.1-if-match-list-with-tabs", f'If-Match: "x", "y", \t{_TAG} , "z"'), _WHOLE),
    row(*_a("13.1.1-if-match-other", 'If-Match: "x"'), _FAILED),
    row(*_a("13.1.1-if-match-compares-strongly", f"If-Match: W/{_TAG}"), _FAILED),
    row("13.1.1-if-match-head", head("/a.txt", 'If-Match: "x"'), expect(412, b"")),
    row(*_a("13.1.4-if-unmodified-since-same", f"If-Unmodified-Since: {LAST_MODIFIED}"), _WHOLE),
    row(*_a("13.1.4-if-unmodified-since-earlier", f"If-Unmodified-Since: {_EARLIER}"), _FAILED),
    row(*_a("13.1.4-if-unmodified-since-no-date", "If-Unmodified-Since: then"), _WHOLE),
    row(*_a("13.1.4-ignored-beside-if-match", f"If-Match: {_TAG}", f"If-Unmodified-Since: {_EARLIER}"), _WHOLE),
    row(*_a("13.2.2-if-match-before-if-none-match", 'If-Match: "x"', f"If-None-Match: {_TAG}"), _FAILED),
    row(*_a("13.2.2-both-hold", f"If-Match: {_TAG}", f"If-None-Match: {_TAG}"), _NOT_MODIFIED),
    row(*_a("13.2.2-condition-before-range", f"If-None-Match: {_TAG}", "Range: bytes=0-1"), _NOT_MODIFIED),
    row(
        "G3-304-has-no-content-and-the-next-answer-follows",
        (get("/a.txt", f"If-None-Match: {_TAG}"), head("/a.txt"), get("/one.txt")),
        _NOT_MODIFIED,
        expect(200, b""),
        expect(200, b"1"),
    ),
    row(
        "13.1.2-star-matches-what-has-no-date",
        get("/time-0", "If-None-Match: *"),
        expect(304, b"", etag=entity_tag(ODD)),
    ),
    row("D7-without-a-date-no-304", get("/time-0", f"If-Modified-Since: {_LATER}"), expect(200)),
    row("D7-without-a-date-no-412", get("/time-0", f"If-Unmodified-Since: {_EARLIER}"), expect(200)),
    row("D7-a-placeholder-is-no-date-304", get("/time-npm", f"If-Modified-Since: {_NPM}"), expect(200, ODD)),
    row("D7-a-placeholder-is-no-date-412", get("/time-zip", f"If-Unmodified-Since: {_EARLIER}"), expect(200, ODD)),
    row(
        "D7-a-placeholder-is-no-date-206",
        get("/time-npm", "Range: bytes=0-2", f"If-Range: {_NPM}"),
        expect(200, ODD, content_range=None),
    ),
    row(
        "13.1.5-a-tag-without-a-date-206",
        get("/time-npm", "Range: bytes=0-2", f"If-Range: {entity_tag(ODD)}"),
        expect(206, b"odd", last_modified=None, etag=entity_tag(ODD)),
    ),
    row(
        "D12-the-tag-of-a-file-from-the-future-is-strong",
        get("/time-2099", "Range: bytes=0-2", f"If-Range: {entity_tag(ODD)}"),
        expect(206, b"odd", last_modified=..., etag=entity_tag(ODD)),
    ),
]

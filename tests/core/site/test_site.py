"""The responses of the site: methods, findings and fields (RFC 9110 9, 15; sections C and G of docs/hazards.md)."""

import pytest

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.fields import Fields
from pwb_async.core.semantics.messages import REASONS, FileSlice, Request, Response
from pwb_async.core.semantics.target import Target, parse_target
from pwb_async.core.site.cache_policy import CachePolicy
from pwb_async.core.site.error_pages import status_page
from pwb_async.core.site.findings import (
    DIRECTORY,
    FORBIDDEN,
    NOT_FOUND,
    Directory,
    Finding,
    Forbidden,
    NotFound,
    OpenFile,
    StorageError,
    Unavailable,
)
from pwb_async.core.site.lookup import NO_REQUEST, Lookup, candidates_of
from pwb_async.core.site.servable import is_servable
from pwb_async.core.site.site import ALLOWED, Site
from tests.core.driver import (
    ALPHABET,
    CHANGED,
    LAST_MODIFIED,
    NOW,
    PARSER,
    SITE,
    Answer,
    Driver,
    FakeFile,
    ask,
    find,
    get,
    open_file,
    read_part,
    tag_of,
)


def ask_with(finding: Finding, wire: bytes, site: Site = SITE) -> Answer:
    def disk(lookup: Lookup) -> Finding:
        return finding

    (answer,) = Driver(site=site, disk=disk).send(wire).answers
    return answer


def lookup_of(target: bytes, site: Site = SITE, method: bytes = b"GET") -> Lookup:
    request = PARSER.parse(get(target, method=method)[:-2])
    assert isinstance(request, Request)
    lookup = site.locate(request)
    assert isinstance(lookup, Lookup)
    return lookup


# --- methods ---


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"DELETE", b"PATCH", b"TRACE"])
@pytest.mark.parametrize("target", [b"/a.txt", b"/none", b"/.env", b"/sub"])
def test_9110_15_5_6_a_405_has_allow(method: bytes, target: bytes) -> None:
    answer = ask(get(target, method=method))
    assert answer.status == 405
    assert answer.field(b"allow") == b"GET, HEAD, OPTIONS"


@pytest.mark.parametrize("method", [b"BREW", b"get", b"Get", b"PROPFIND", b"GETX", b"QUERY"])
def test_9110_15_6_2_an_unknown_method_is_not_implemented(method: bytes) -> None:
    assert ask(get(method=method)).status == 501


@pytest.mark.parametrize("target", [b"*", b"/", b"/a.txt", b"/none", b"http://h"])
def test_9110_9_3_7_options(target: bytes) -> None:
    answer = ask(get(target, method=b"OPTIONS"))
    assert answer.status == 204
    assert answer.field(b"allow") == ALLOWED
    assert answer.content == b""
    assert answer.field(b"content-length") is None
    assert answer.field(b"transfer-encoding") is None


@pytest.mark.parametrize(
    ("version", "value", "status"),
    [
        pytest.param(b"HTTP/1.1", b"nonsense", 417, id="9110-10.1.1-unknown"),
        pytest.param(b"HTTP/1.1", b"100-continue, nonsense", 417, id="9110-10.1.1-one-unknown"),
        pytest.param(b"HTTP/1.1", b"100-continue;q=1", 417, id="9110-10.1.1-parameter"),
        pytest.param(b"HTTP/1.1", b"100-CONTINUE", 200, id="9110-10.1.1-in-any-case"),
        pytest.param(b"HTTP/1.1", b"", 200, id="9110-10.1.1-empty"),
        pytest.param(b"HTTP/1.0", b"100-continue", 200, id="9110-10.1.1-ignored-in-http10"),
        pytest.param(b"HTTP/1.0", b"nonsense", 200, id="9110-10.1.1-unknown-in-http10"),
    ],
)
def test_expect(version: bytes, value: bytes, status: int) -> None:
    assert ask(get(b"/", b"Expect: " + value, version=version)).status == status


def test_a_request_of_another_version_of_http_gets_the_same_responses() -> None:
    """A Request needs no request line and nothing else of HTTP/1, so HTTP/2 and ASGI can make one."""
    for target in (b"/a.txt", b"/sub", b"/none", b"/\xc3\xbc"):
        parsed = parse_target(b"GET", target)
        assert isinstance(parsed, Target)
        request = Request(b"GET", parsed, Fields({b"accept": [b"*/*"]}, 0), (2, 0))
        assert request.persistent
        located = SITE.locate(request)
        response = SITE.reply(located, find(located)) if isinstance(located, Lookup) else located
        expected = ask(get(target))
        assert (response.status, b"".join(map(read_part, response.parts))) == (expected.status, expected.content)
        assert [(name.lower(), value) for name, value in response.fields] == expected.fields[2:]


def test_9110_10_1_1_an_unknown_expectation_counts_in_later_versions() -> None:
    request = Request(b"GET", Target(), Fields({b"expect": [b"x"]}, 0), (3, 0))
    response = SITE.locate(request)
    assert isinstance(response, Response)
    assert response.status == 417


def test_9110_15_2_no_interim_response_is_ever_sent() -> None:
    wire = get(b"/", b"Expect: 100-continue", b"Content-Length: 5")
    for answer in Driver().send(wire, b"hello").answers:
        assert answer.wire.startswith(b"HTTP/1.1 200 OK\r\n")


# --- lookups ---


@pytest.mark.parametrize(
    ("target", "path", "folder"),
    [
        (b"/", b"", True),
        (b"/a.txt", b"a.txt", False),
        (b"/sub", b"sub", False),
        (b"/sub/", b"sub", True),
        (b"//sub/./deep/../x", b"sub/x", False),
        (b"/%FF", b"\xff", False),
        (b"/.well-known", b".well-known", False),
    ],
)
def test_locate(target: bytes, path: bytes, folder: bool) -> None:
    lookup = lookup_of(target, Site(indexes=(b"i", b"j")))
    assert lookup.path == path + (b"/" if path and folder else b"")
    assert lookup.candidates == candidates_of(path, folder, (b"i", b"j"))


@pytest.mark.parametrize(
    ("segments", "hidden"),
    [
        ((), False),
        ((b"a", b"b.c"), False),
        ((b".env",), True),
        ((b"a", b".git", b"config"), True),
        ((b"...",), True),
        ((b".well-known",), False),
        ((b".well-known", b"x"), False),
        ((b".well-known", b".x"), True),
        ((b".well-known", b".well-known"), True),
        ((b"a", b".well-known", b"x"), True),
        ((b".well-knownx",), True),
        ((b"a/b",), True),
        ((b".well-known", b"a/b"), True),
    ],
)
def test_c7_hidden(segments: tuple[bytes, ...], hidden: bool) -> None:
    assert is_servable(segments) is not hidden


def test_c7_dot_files_on_request() -> None:
    site = Site(dotfiles=True)
    assert lookup_of(b"/.git/config", site).path == b".git/config"
    assert lookup_of(b"/.well-known/.x", site).path == b".well-known/.x"
    assert ask(get(b"/.git%2fconfig"), site=site).status == 404
    assert is_servable((b".git", b"..."), dotfiles=True)
    assert not is_servable((b"a/b",), dotfiles=True)


# --- findings ---


def test_the_fields_of_a_file() -> None:
    answer = ask(get(b"/a.txt"))
    assert answer.fields == [
        (b"server", b"PWB"),
        (b"date", b"Tue, 14 Nov 2023 22:13:20 GMT"),
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"26"),
        (b"last-modified", LAST_MODIFIED),
        (b"etag", b'"%s"' % tag_of(ALPHABET)),
        (b"accept-ranges", b"bytes"),
        (b"cache-control", b"no-cache"),
        (b"x-content-type-options", b"nosniff"),
    ]
    assert answer.content == ALPHABET


@pytest.mark.parametrize(
    ("finding", "folder", "status"),
    [
        pytest.param(NotFound(), False, 404, id="C6-missing"),
        pytest.param(NOT_FOUND, True, 404, id="C8-missing-folder"),
        pytest.param(Directory(), False, 301, id="C9-folder-without-slash"),
        pytest.param(DIRECTORY, True, 404, id="C9-folder-without-index"),
        pytest.param(Forbidden(), False, 403, id="C6-forbidden"),
        pytest.param(FORBIDDEN, True, 403, id="C6-forbidden-folder"),
        pytest.param(Unavailable("a secret path"), False, 503, id="E2-unavailable"),
        pytest.param(Unavailable(""), True, 503, id="E2-unavailable-folder"),
        pytest.param(StorageError("EIO: a secret path"), False, 500, id="C6-broken"),
        pytest.param(StorageError(""), True, 500, id="C6-broken-folder"),
    ],
)
def test_findings(finding: Finding, folder: bool, status: int) -> None:
    wire = get(b"/x/" if folder else b"/x", b"If-None-Match: *", b"Range: bytes=0-0")
    answer = ask_with(finding, wire)
    assert answer.status == status
    assert answer.state is not None
    assert b"secret" not in answer.wire
    assert answer.field(b"etag") is None
    assert (answer.field(b"retry-after") == b"1") is (status == 503)
    assert (answer.field(b"cache-control") == b"no-store") is (status >= 500)


@pytest.mark.parametrize("status", [500, 501, 503, 505])
def test_g4_no_cache_stores_a_server_error(status: int) -> None:
    response = SITE.error(NO_REQUEST, status)
    assert (b"Cache-Control", b"no-store") in response.fields


def test_c9_a_redirect_is_cached_no_longer_than_its_target() -> None:
    """A 301 may be cached without limit (RFC 9110 15.4.2), and a directory may become a file."""
    for site, value in ((Site(), b"no-cache"), (Site(cache_policy=CachePolicy(60)), b"max-age=60")):
        answer = ask(get(b"/sub?x=1"), site=site)
        assert answer.field(b"location") == b"/sub/?x=1"
        assert answer.field(b"cache-control") == value


@pytest.mark.parametrize(("max_age", "value"), [(None, b"no-cache"), (0, b"max-age=0"), (3600, b"max-age=3600")])
def test_9111_5_2_2_cache_control(max_age: int | None, value: bytes) -> None:
    site = Site(cache_policy=CachePolicy(max_age))
    for fields in ([], [b"Range: bytes=0-0"], [b"If-None-Match: *"], [b"Range: bytes=0-0,2-2"]):
        assert ask(get(b"/a.txt", *fields), site=site).field(b"cache-control") == value


def test_content_in_memory_is_not_copied() -> None:
    content = ALPHABET * 1000
    held = OpenFile(b"x.txt", len(content), CHANGED * 10**9, CHANGED * 10**9 * 2, None, content)
    response = SITE.reply(lookup_of(b"/x.txt"), held)
    assert response.parts[0] is content
    response.close()
    assert ask_with(held, get(b"/x.txt", b"Range: bytes=1-3")).content == b"bcd"
    empty = OpenFile(b"x.txt", 0, CHANGED * 10**9, CHANGED * 10**9 * 2, None, b"")
    assert SITE.reply(lookup_of(b"/x.txt"), empty).parts == ()


@pytest.mark.parametrize("field", [b"Range: bytes=1-3", b"If-None-Match: *", b'If-Match: "other"', b"Accept: */*"])
def test_9110_13_2_1_an_error_page_of_the_site_is_sent_whole_with_its_status(field: bytes) -> None:
    found = open_file(b"404.html", ALPHABET)._replace(status=404)
    answer = ask_with(found, get(b"/nothing.txt", field))
    assert (answer.status, answer.content) == (404, ALPHABET)
    assert answer.field(b"content-type") == b"text/html; charset=utf-8"
    assert ask_with(found, get(b"/nothing.txt", field, method=b"HEAD")).head == answer.head


@pytest.mark.parametrize("content", [b"", ALPHABET])
@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([], 200),
        ([b"Range: bytes=0-1"], 200),
        ([b"Range: bytes=99-"], 200),
        ([b"Range: bytes=0-1", b"If-Range: " + LAST_MODIFIED], 200),
        ([b"If-Modified-Since: " + LAST_MODIFIED], 200),
        ([b"If-Unmodified-Since: Thu, 01 Jan 1970 00:00:10 GMT"], 200),
        ([b'If-None-Match: "x"'], 200),
        ([b'If-None-Match: "tag"'], 304),
        ([b"If-None-Match: *"], 304),
        ([b"If-Match: *"], 200),
        ([b'If-Match: "tag"'], 200),
        ([b'If-Match: "x"'], 412),
        ([b"Range: bytes=0-1", b'If-Range: "tag"'], 200),
    ],
)
def test_c15_generated_content_has_no_date_and_no_ranges(content: bytes, fields: list[bytes], status: int) -> None:
    mtime, seen = CHANGED * 10**9, NOW * 10**9
    found = OpenFile(b"x.txt", len(content), mtime, seen, None, content, tag=b"tag", generated=True)
    answer = ask_with(found, get(b"/x.txt", *fields))
    assert answer.status == status
    for name in (b"last-modified", b"accept-ranges", b"content-range"):
        assert answer.field(name) is None
    assert answer.field(b"etag") == (None if status == 412 else b'"tag"')
    if status == 200:
        assert (answer.field(b"content-length"), answer.content) == (b"%d" % len(content), content)
    head = ask_with(found, get(b"/x.txt", *fields, method=b"HEAD"))
    assert (head.head, head.content) == (answer.head, b"")


def test_an_open_file_is_sent_as_a_slice_of_it() -> None:
    found = open_file(b"x.txt", ALPHABET)
    assert found.file is not None
    response = SITE.reply(lookup_of(b"/x.txt"), found)
    assert response.parts == (FileSlice(found.file, 0, 26),)
    assert response.length == 26
    response.close()
    assert isinstance(found.file, FakeFile)
    assert found.file.closed == 1


def test_the_media_type_depends_on_the_file_not_on_the_target() -> None:
    assert ask(get(b"/sub/")).field(b"content-type") == b"text/html; charset=utf-8"
    found = open_file(b"index.xhtml", b"x")
    assert ask_with(found, get(b"/x.txt/")).field(b"content-type") == b"application/xhtml+xml"


# --- HEAD, framing ---

TARGETS = [b"/", b"/a.txt", b"/empty.txt", b"/sub", b"/sub/", b"/none", b"/.env", b"/a.txt/", b"/bare/", b"/%FF%FE"]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "fields", [[], [b"If-None-Match: *"], [b'If-Match: "x"'], [b"Expect: x"], [b"Connection: close"]]
)
def test_g3_head_is_get_without_content(target: bytes, fields: list[bytes]) -> None:
    head, content = (ask(get(target, *fields, method=method)) for method in (b"HEAD", b"GET"))
    assert head.head == content.head
    assert head.content == b""


@pytest.mark.parametrize("finding", [FORBIDDEN, Unavailable("x"), StorageError("x"), DIRECTORY, NOT_FOUND])
def test_g3_head_without_a_file_is_get_without_content(finding: Finding) -> None:
    head, content = (ask_with(finding, get(b"/x", method=method)) for method in (b"HEAD", b"GET"))
    assert head.head == content.head
    assert head.content == b""


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"POST", b"OPTIONS", b"BREW"])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("fields", [[], [b"If-None-Match: *"], [b"Range: bytes=0-0"], [b"Range: bytes=0-0,2-2"]])
def test_9112_6_3_every_response_has_its_length(method: bytes, target: bytes, fields: list[bytes]) -> None:
    answer = ask(get(target, *fields, method=method))
    length = answer.field(b"content-length")
    if answer.status in (204, 304):
        assert length is None
        assert answer.content == b""
    else:
        assert length is not None
        assert answer.content == b"" if method == b"HEAD" else int(length) == len(answer.content)
    assert answer.field(b"transfer-encoding") is None


@pytest.mark.parametrize("status", sorted(REASONS))
def test_g2_error_pages_are_small_html_with_the_reason_phrase(status: int) -> None:
    page = status_page(status)
    assert len(page) < 600
    assert page.startswith(b"<!DOCTYPE html>")
    assert page.count(b"<main>") == 1
    assert b"404 file not found" in page if status == 404 else b"%d %s" % (status, REASONS[status]) in page


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(get(b"/<script>alert(1)</script>"), id="G2-missing"),
        pytest.param(get(b"/%3Cscript%3Ealert(1)"), id="G2-missing-escaped"),
        pytest.param(get(b"/?<script>", method=b"<script>"), id="G2-method"),
        pytest.param(get(b"/", b"Expect: <script>"), id="G2-expectation"),
        pytest.param(get(b"/", b"Host: <script>"), id="G2-host"),
        pytest.param(get(b"/", b"<script>: x"), id="G2-field"),
        pytest.param(get(b"/<script>%zz"), id="G2-target"),
        pytest.param(get(b"/<script>", version=b"HTTP/2.0"), id="G2-version"),
        pytest.param(get(b"/a.txt", b'If-Match: "<script>"'), id="G2-condition"),
        pytest.param(get(b"/a.txt", b"Range: bytes=99-", b"X: <script>"), id="G2-range"),
        pytest.param(get(b"/<script>", method=b"POST"), id="G2-post"),
    ],
)
def test_g2_nothing_that_a_client_sent_is_repeated(wire: bytes) -> None:
    answer = ask(wire)
    assert answer.status >= 400
    assert b"script" not in answer.wire
    assert answer.field(b"x-content-type-options") == b"nosniff"
    assert answer.field(b"content-type") == b"text/html; charset=utf-8"


def test_g2_a_redirect_repeats_the_target_in_location_alone() -> None:
    def disk(lookup: Lookup) -> Finding:
        return DIRECTORY

    (answer,) = Driver(disk=disk).send(get(b"/<script>")).answers
    assert answer.field(b"location") == b"/%3Cscript%3E/"
    assert b"script" not in answer.content


def test_c10_a_name_with_line_ends_cannot_split_a_response() -> None:
    def disk(lookup: Lookup) -> Finding:
        return DIRECTORY

    (answer,) = Driver(disk=disk).send(get(b"/s%0d%0aX:1ub?%0d%0aY:2")).answers
    assert answer.field(b"location") == b"/s%0D%0AX:1ub/?%0d%0aY:2"
    assert answer.field(b"x") is None


@pytest.mark.parametrize("status", [400, 408, 414, 431, 501, 503, 505])
def test_refuse(status: int) -> None:
    response = SITE.refuse(BadRequest(status, "detail", b"", b"GET"))
    assert response.status == status
    assert response.parts == (status_page(status),)
    assert SITE.refuse(BadRequest(status, "detail", b"", b"HEAD")) == Response(status, response.fields)
    assert (dict(response.fields).get(b"Retry-After") == b"1") is (status == 503)

"""Pages with the script of live reload, and what gets none."""

import re
from collections.abc import Callable
from typing import cast

import pytest

from pwb_async.core.semantics.messages import File, StreamingResponse
from pwb_async.core.site.added_fields import AddedFields
from pwb_async.core.site.cache_policy import CachePolicy
from pwb_async.core.site.coding_negotiation import CodingNegotiation
from pwb_async.core.site.findings import Finding
from pwb_async.core.site.header_rules import HeaderRule, HeaderRules
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.security_fields import SecurityFields
from pwb_async.core.site.site import Site
from pwb_async.live_reload.events import ReloadEvents
from pwb_async.live_reload.pages import LivePages
from tests.core.driver import PARSER, Answer, Driver, FakeFile, find, get, open_file

NAVIGATION = (b"Sec-Fetch-Mode: navigate", b"Sec-Fetch-Dest: document", b"Accept: text/html,*/*;q=0.8")
PAGE = b"<!doctype html><p>\xe4</body><script>'</body>'</script>"
SCRIPT = re.compile(rb'<script src="/-/live-reload\.js\?([0-9a-f]+-[0-9]+)" async></script>')
TREE = {
    b"index.html": PAGE,
    b"a.css": b"p {}",
    b"a.xhtml": PAGE,
    b"wide.html": "\ufeff<p>".encode("utf-16-le"),
    b"x.html.gz": b"\x1f\x8b",
}


class CachedFile(FakeFile):
    """A file whose beginning can be read at once."""

    def in_page_cache(self, start: int, length: int) -> bool:
        return True

    def read_into(self, buffer: bytearray, start: int) -> int:
        buffer[:] = self.content[start : start + len(buffer)]
        return len(buffer)


def in_memory(lookup: Lookup) -> Finding:
    finding = find(lookup, TREE)
    file = getattr(finding, "file", None)
    return finding._replace(file=None, content=file.content) if file else finding  # type: ignore[union-attr]


def live(site: Site | None = None, events: ReloadEvents | None = None, root: bytes = b"") -> LivePages:
    return LivePages(site or Site(), events or ReloadEvents(), root)


def ask(wire: bytes, pages: LivePages | None = None, disk: Callable[[Lookup], Finding] = in_memory) -> Answer:
    driver = Driver(site=cast(Site, pages or live()), disk=disk)
    (answer,) = driver.send(wire).answers
    return answer


def whole(page: bytes = PAGE) -> re.Pattern[bytes]:
    return re.compile(re.escape(page) + SCRIPT.pattern)


def test_a_page_has_the_script_as_its_last_bytes() -> None:
    events = ReloadEvents()
    answer = ask(get(b"/", *NAVIGATION), live(events=events))
    match = whole().fullmatch(answer.content)
    assert match
    assert match[1] == events.version.encode()
    assert answer.field(b"content-length") == b"%d" % len(answer.content)
    assert answer.field(b"content-type") == b"text/html; charset=utf-8"
    assert answer.field(b"cache-control") == b"no-store"
    for name in (b"etag", b"last-modified", b"accept-ranges"):
        assert answer.field(name) is None


def test_a_change_while_a_file_is_read_is_not_missed() -> None:
    events = ReloadEvents()
    before = events.version

    def changing(lookup: Lookup) -> Finding:
        finding = in_memory(lookup)
        events.publish()
        return finding

    match = SCRIPT.search(ask(get(b"/", *NAVIGATION), live(events=events), changing).content)
    assert match
    assert match[1].decode() == before != events.version


def test_head_has_the_same_fields() -> None:
    pages = live()
    answer, head = ask(get(b"/", *NAVIGATION), pages), ask(get(b"/", *NAVIGATION, method=b"HEAD"), pages)
    assert head.fields == answer.fields
    assert head.content == b""


@pytest.mark.parametrize(
    "field",
    [b"If-None-Match: *", b"If-Modified-Since: Fri, 31 Dec 2100 00:00:00 GMT", b"Range: bytes=0-3", b"If-Match: \"x\"",
     b"Want-Repr-Digest: sha-256=1"],
)  # fmt: skip
def test_preconditions_and_ranges_do_not_apply_to_a_page(field: bytes) -> None:
    answer = ask(get(b"/", *NAVIGATION, field))
    assert answer.status == 200
    assert whole().fullmatch(answer.content)
    assert answer.field(b"repr-digest") is None


def test_preconditions_and_ranges_apply_to_anything_else() -> None:
    tag = ask(get(b"/a.css")).field(b"etag")
    assert tag
    assert ask(get(b"/a.css", *NAVIGATION, b"If-None-Match: " + tag)).status == 304
    assert ask(get(b"/a.css", *NAVIGATION, b"Range: bytes=0-0")).content == b"p"
    assert ask(get(b"/", b"If-None-Match: " + (ask(get(b"/")).field(b"etag") or b""))).status == 304


@pytest.mark.parametrize(
    "fields",
    [
        (),
        (b"Accept: */*",),
        (b"Accept: text/html", b"Sec-Fetch-Mode: cors", b"Sec-Fetch-Dest: empty"),
        (b"Accept: text/html", b"X-Requested-With: XMLHttpRequest"),
        (b"Accept: text/html", b"HX-Request: true"),
        (b"Sec-Fetch-Mode: no-cors", b"Sec-Fetch-Dest: script", b"Accept: */*"),
    ],
)
def test_what_a_script_fetches_is_as_it_is(fields: tuple[bytes, ...]) -> None:
    answer = ask(get(b"/", *fields))
    assert answer.content == PAGE
    assert answer.field(b"etag")
    assert answer.field(b"cache-control") == b"no-cache"


@pytest.mark.parametrize("fields", [(b"Accept: text/html",), (b"Sec-Fetch-Mode: navigate", b"Sec-Fetch-Dest: iframe")])
def test_navigations_without_tls_and_in_frames_get_pages(fields: tuple[bytes, ...]) -> None:
    assert whole().fullmatch(ask(get(b"/", *fields)).content)


@pytest.mark.parametrize("target", [b"/a.css", b"/a.xhtml", b"/wide.html"])
def test_other_types_and_utf_16_get_nothing(target: bytes) -> None:
    assert ask(get(target, *NAVIGATION)).content == TREE[target[1:]]


def test_a_charset_of_two_bytes_gets_nothing() -> None:
    site = Site(added_fields=rules(b"Content-Type", b"text/html; charset=UTF-16LE"))
    assert ask(get(b"/", *NAVIGATION), live(site)).content == PAGE


@pytest.mark.parametrize("content", [PAGE, "\ufeff<p>".encode("utf-16-le")])
def test_a_large_file(content: bytes) -> None:
    def on_disk(lookup: Lookup) -> Finding:
        return open_file(b"index.html", content)._replace(file=cast(File, CachedFile(content)))

    answer = ask(get(b"/", *NAVIGATION), disk=on_disk)
    if content == PAGE:
        assert whole().fullmatch(answer.content)
    else:
        assert answer.content == content


def rules(name: bytes, value: bytes) -> AddedFields:
    return AddedFields(rules=HeaderRules([HeaderRule("here", None, ((name, (value,)),))]))


def test_a_download_is_as_it_is() -> None:
    site = Site(added_fields=rules(b"Content-Disposition", b"attachment; filename=x.html"))
    assert ask(get(b"/", *NAVIGATION), live(site)).content == PAGE


def test_compressed_files_are_not_looked_for_in_a_navigation() -> None:
    pages = live(Site(negotiation=CodingNegotiation(precompressed=True, compress=True)))
    for fields, wanted in ((NAVIGATION, False), ((), True)):
        request = PARSER.parse(get(b"/", b"Accept-Encoding: gzip", *fields)[:-2])
        lookup = pages.locate(request)  # type: ignore[arg-type]
        assert isinstance(lookup, Lookup)
        assert bool(lookup.codings.preferences) == lookup.compress == wanted


def test_what_is_compressed_all_the_same_is_as_it_is() -> None:
    """A file whose name is that of a compressed page, with --serve-encoded."""

    def coded(lookup: Lookup) -> Finding:
        return in_memory(lookup)._replace(coding=b"gzip")  # type: ignore[union-attr]

    assert ask(get(b"/", *NAVIGATION), disk=coded).content == PAGE


def test_errors_have_the_script() -> None:
    """So that a page goes on that a build has removed for a moment."""
    answer = ask(get(b"/missing.html", *NAVIGATION))
    assert answer.status == 404
    assert SCRIPT.search(answer.content[-100:])
    assert answer.field(b"content-length") == b"%d" % len(answer.content)
    assert not SCRIPT.search(ask(get(b"/missing.html")).content)
    refused = ask(get(b"/", *NAVIGATION, method=b"POST"))
    assert refused.status == 405
    assert SCRIPT.search(refused.content)


def test_redirects_have_none() -> None:
    assert not SCRIPT.search(ask(get(b"/sub", *NAVIGATION), disk=find).content)


def test_nothing_is_used_without_asking() -> None:
    site = Site(cache_policy=CachePolicy(3600), added_fields=rules(b"Cache-Control", b"max-age=60"))
    for fields in ((), (b"If-None-Match: *",), (b"Range: bytes=0-0",)):
        answer = ask(get(b"/a.css", *fields), live(site))
        assert answer.field(b"cache-control") == b"no-cache"
    assert ask(get(b"/", *NAVIGATION), live(site)).field(b"cache-control") == b"no-store"


def test_the_policy_of_a_page_admits_the_script() -> None:
    site = Site(added_fields=AddedFields(security=SecurityFields("strict")))
    for target in (b"/", b"/missing"):
        policy = ask(get(target, *NAVIGATION), live(site)).field(b"content-security-policy") or b""
        assert b"'self'" in policy
        assert b"script-src 'none'" not in policy
    events = ReloadEvents()
    site = Site(added_fields=rules(b"Content-Security-Policy", b"script-src 'strict-dynamic' 'nonce-x'"))
    answer = ask(get(b"/", *NAVIGATION), live(site, events))
    nonce = events.nonce.encode()
    assert answer.field(b"content-security-policy") == b"script-src 'strict-dynamic' 'nonce-x' 'nonce-%s'" % nonce
    assert b' nonce="%s" async></script>' % nonce in answer.content


def test_the_script() -> None:
    answer = ask(get(b"/-/live-reload.js?5f-1"))
    assert answer.status == 200
    assert answer.field(b"content-type") == b"text/javascript; charset=utf-8"
    assert answer.field(b"content-length") == b"%d" % len(answer.content)
    assert b"EventSource" in answer.content
    assert ask(get(b"/-/live-reload.js", method=b"HEAD")).content == b""
    assert ask(get(b"/-/live-reload.js", method=b"POST")).status == 405


def test_the_event_stream() -> None:
    request = PARSER.parse(get(b"/-/live-reload")[:-2])
    stream = live().locate(request)  # type: ignore[arg-type]
    assert isinstance(stream, StreamingResponse)
    assert dict(stream.fields)[b"Content-Type"] == b"text/event-stream; charset=utf-8"
    assert b"Content-Length" not in dict(stream.fields)
    head = ask(get(b"/-/live-reload", method=b"HEAD"))
    assert head.status == 200
    assert head.content == b""


def test_everything_is_beneath_the_prefix() -> None:
    pages = live(root=b"a b/docs")
    assert ask(get(b"/a%20b/docs/-/live-reload.js"), pages).status == 200
    assert ask(get(b"/-/live-reload.js"), pages).status == 404
    assert b'src="/a%20b/docs/-/live-reload.js?' in ask(get(b"/", *NAVIGATION), pages).content

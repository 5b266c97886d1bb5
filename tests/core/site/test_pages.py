"""Error pages, the fallback and clean addresses: what is looked up, and where redirects lead."""

from collections.abc import Mapping

import pytest

from pwb_async.config.redirects_file import parse_redirects
from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import REASONS
from pwb_async.core.semantics.target import Target, parse_target
from pwb_async.core.site.clean_urls import clean_candidates, clean_location
from pwb_async.core.site.error_files import LEVELS, error_files
from pwb_async.core.site.error_pages import problem_details
from pwb_async.core.site.fallback import navigation
from pwb_async.core.site.findings import (
    FORBIDDEN,
    NOT_FOUND,
    Finding,
    Forbidden,
    Moved,
    StorageError,
    Unavailable,
    same_version,
)
from pwb_async.core.site.listings import Browsing
from pwb_async.core.site.lookup import NO_REQUEST, Candidate, EntryKind, Lookup, candidates_of
from pwb_async.core.site.redirect_rules import RedirectRules
from pwb_async.core.site.servable import servable_depth
from pwb_async.core.site.site import Site
from pwb_async.core.site.variants import combine, json_variant
from tests.core.driver import SITE, Answer, Driver, FakeFile, find, get, open_file

from .rule_requests import request_of

TREE: Mapping[bytes, bytes] = {
    b"index.html": b"front",
    b"404.html": b"root 404",
    b"sub/404.html": b"sub 404",
    b"sub/403.html": b"sub 403",
    b"50x.html": b"root 50x",
    b"sub/503.html": b"sub 503",
    b"about.html": b"about",
    b".git/404.html": b"CANARY",
}


def ask(wire: bytes, site: Site = SITE) -> Answer:
    (answer,) = Driver(site=site, disk=lambda lookup: find(lookup, TREE)).send(wire).answers
    return answer


ROOT = Lookup(NO_REQUEST, b"", ())


def failing(finding: Finding) -> Driver:
    """A driver whose disk finds nothing but this, and error pages."""

    def disk(lookup: Lookup) -> Finding:
        found = next((path for path in lookup.error_files(finding) if path in TREE), None)
        return finding if found is None else lookup.with_page(finding, open_file(found, TREE[found]))

    return Driver(site=SITE, disk=disk)


# --- error pages ---


@pytest.mark.parametrize(
    ("directory", "status", "paths"),
    [
        ((), 404, [b"404.html"]),
        ((b"a", b"b"), 404, [b"a/b/404.html", b"a/404.html", b"404.html"]),
        ((b"a",), 503, [b"a/503.html", b"a/50x.html", b"503.html", b"50x.html"]),
        ((), 500, [b"500.html", b"50x.html"]),
        ((), 403, [b"403.html"]),
    ],
)
def test_where_a_page_may_be(directory: tuple[bytes, ...], status: int, paths: list[bytes]) -> None:
    assert list(error_files(directory, status)) == paths


def test_a_deep_path_costs_a_bounded_number_of_lookups() -> None:
    paths = list(error_files((b"a",) * 4000, 503))
    assert len(paths) == 2 * (LEVELS + 1)
    assert paths[0] == b"a/" * LEVELS + b"503.html"


@pytest.mark.parametrize(
    ("finding", "status", "content"),
    [
        (NOT_FOUND, 404, b"sub 404"),
        (FORBIDDEN, 403, b"sub 403"),
        (Forbidden(), 403, b"sub 403"),
        (Unavailable("x"), 503, b"sub 503"),
        (StorageError("EIO"), 500, b"root 50x"),
    ],
)
def test_each_error_has_its_page(finding: Finding, status: int, content: bytes) -> None:
    for fields in ((), (b"If-None-Match: *",), (b"Range: bytes=0-0",), (b'If-Match: "x"',)):
        (answer,) = failing(finding).send(get(b"/sub/x", *fields)).answers
        assert (answer.status, answer.content) == (status, content)
        assert answer.field(b"cache-control") == (b"no-store" if status >= 500 else b"no-cache")
        assert (answer.field(b"retry-after") == b"1") is (status == 503)
        assert answer.field(b"etag") is answer.field(b"last-modified") is answer.field(b"accept-ranges") is None
    (answer,) = failing(finding).send(get(b"/sub/x", b"Accept: application/json")).answers
    assert (answer.status, answer.content) == (status, problem_details(status))


def test_a_failure_stays_a_failure_for_the_log_and_the_cache() -> None:
    page = open_file(b"50x.html", b"x")
    found = ROOT.with_page(Unavailable("EMFILE"), page)
    assert isinstance(found, Unavailable)
    assert found.detail == "EMFILE"
    assert found.page == page._replace(status=503, shared=True)
    assert ROOT.with_page(NOT_FOUND, page) == page._replace(status=404)


def test_the_file_of_a_page_is_closed_once() -> None:
    file = FakeFile(b"x")
    page = open_file(b"404.html", b"x")._replace(file=file)
    for finding in (ROOT.with_page(NOT_FOUND, page), ROOT.with_page(Unavailable(""), page)):
        response = SITE.reply(Lookup(NO_REQUEST, b"", ()), finding)
        response.close()
    assert file.closed == 1, "the second one is shared, so that it closes with its last reference"


@pytest.mark.parametrize(
    ("target", "directory"),
    [
        (b"/x", ()),
        (b"/sub/x", (b"sub",)),
        (b"/sub/", (b"sub",)),
        (b"/.git/x", ()),
        (b"/sub/.git/x", (b"sub",)),
        (b"/.well-known/x", (b".well-known",)),
        (b"/a%2Fb/x", ()),
        (b"/sub/a%2Fb", (b"sub",)),
    ],
)
def test_c7_a_page_is_not_looked_for_in_a_hidden_directory(target: bytes, directory: tuple[bytes, ...]) -> None:
    lookup = SITE.locate(request_of(target.decode()))
    assert isinstance(lookup, Lookup)
    assert lookup.error_directory == directory
    assert lookup.cacheable is (b"%2F" not in target)
    assert ask(get(target)).content == (b"sub 404" if directory[:1] == (b"sub",) else b"root 404")


def test_servable_depth() -> None:
    assert servable_depth((b"a", b"b")) == 2
    assert servable_depth((b"a", b".b", b"c")) == 1
    assert servable_depth((b"a", b".b", b"c"), dotfiles=True) == 3
    assert servable_depth((b".well-known", b"a", b".well-known")) == 2
    assert servable_depth((b"a", b"b/c"), dotfiles=True) == 1


def test_nothing_is_looked_up_for_nothing() -> None:
    """A hidden name has no file, and a client that prefers JSON has no use for a page of the site."""
    assert not isinstance(SITE.locate(request_of("/.env", b"Accept: application/json")), Lookup)
    assert not isinstance(Site(error_pages=False).locate(request_of("/.env")), Lookup)
    assert isinstance(SITE.locate(request_of("/.env")), Lookup)


@pytest.mark.parametrize("status", sorted(REASONS))
def test_9457_problem_details(status: int) -> None:
    assert problem_details(status) == b'{"type": "about:blank", "title": "%s", "status": %d}\n' % (
        REASONS[status],
        status,
    )


def test_9457_a_bad_request_that_has_fields() -> None:
    fields = request_of("/", b"Accept: application/json").fields
    for bad, media in (
        (BadRequest(431, "x"), b"text/html; charset=utf-8"),
        (BadRequest(400, "x", fields=fields), b"application/problem+json"),
    ):
        assert dict(SITE.refuse(bad).fields)[b"Content-Type"] == media


def test_the_variant_tells_json_apart() -> None:
    html, json = (request_of("/", *fields).fields for fields in ((), (b"Accept: application/json",)))
    assert SITE.variant is json_variant
    assert [json_variant(fields) for fields in (html, json)] == [b"", b"j"]
    both = combine(json_variant, navigation)
    assert both is not None
    assert [both(fields) for fields in (html, json)] == [b"", b"j"]


def test_an_error_page_is_not_the_same_version_as_the_file_itself() -> None:
    page = open_file(b"404.html", b"x")
    assert same_version(page, page)
    assert not same_version(page._replace(status=404), page)
    assert not same_version(page, page._replace(path=b"sub/404.html"))
    assert not same_version(page, Moved(b"x"))


def test_a_lookup_of_an_entry_in_the_cache_needs_no_request() -> None:
    """The cache keeps no request, but it has to tell a directory without a slash from one without an index."""
    for path, status in ((b"a", 0), (b"a/", 404), (b"", 404)):
        lookup = Lookup(NO_REQUEST, path, ())
        assert lookup.error_status(find(Lookup(NO_REQUEST, path, candidates_of(b"", False, ())))) == status


# --- --spa ---


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ((), b""),
        ((b"Accept: */*",), b""),
        ((b"Accept: text/html",), b"n"),
        ((b"Accept: text/html;q=0",), b""),
        ((b"Sec-Fetch-Mode: navigate",), b"n"),
        ((b"Sec-Fetch-Mode: navigate", b"Sec-Fetch-Dest: document"), b"d"),
        ((b"Sec-Fetch-Mode: navigate", b"Sec-Fetch-Dest: iframe"), b"n"),
        ((b"Sec-Fetch-Mode: cors", b"Accept: text/html"), b""),
        ((b"Accept: text/html", b"Sec-Fetch-Dest: document"), b"d"),
    ],
)
def test_navigation(fields: tuple[bytes, ...], kind: bytes) -> None:
    assert navigation(request_of("/", *fields).fields) == kind


def test_the_fallback_is_the_first_index_that_exists() -> None:
    site = Site(indexes=(b"app.html", b"index.html"), spa=True, error_pages=False)
    lookup = site.locate(request_of("/route", b"Accept: text/html"))
    assert isinstance(lookup, Lookup)
    assert lookup.fallback == (b"app.html", b"index.html")
    answer = ask(get(b"/route", b"Accept: text/html"), site)
    assert (answer.status, answer.content, answer.field(b"vary")) == (200, b"front", b"Accept, Sec-Fetch-Mode")
    assert ask(get(b"/route"), site).field(b"vary") == b"Accept, Sec-Fetch-Mode"


# --- --clean-urls ---


def target_of(raw: bytes) -> Target:
    target = parse_target(b"GET", raw)
    assert isinstance(target, Target)
    return target


INDEXES = (b"index.html", b"home.html")


@pytest.mark.parametrize(
    ("raw", "paths"),
    [
        (b"/", [b"index.html", b"home.html", b""]),
        (b"/about", [b"about", b"about.html", b"about"]),
        (b"/about/", [b"about/index.html", b"about/home.html", b"about.html:301", b"about"]),
        (b"/about.html", [b"about.html:301", b"about.html"]),
        (b"/index", [b"index", b"index.html:301", b"index"]),
        (b"/home", [b"home", b"home.html", b"home"]),
        (b"/.well-known", [b".well-known"]),
        (b"/.well-known/a", [b".well-known/a", b".well-known/a.html", b".well-known/a"]),
        (b"/_headers", [b"_headers", b"_headers.html", b"_headers"]),
    ],
)
def test_clean_candidates(raw: bytes, paths: list[bytes]) -> None:
    target = target_of(raw)
    own = candidates_of(b"/".join(target.segments), target.trailing_slash, INDEXES)
    found = clean_candidates(target, own, INDEXES, False)
    assert [each.path + (b":301" if each.status == 301 else b"") for each in found] == paths


@pytest.mark.parametrize(("raw", "moved"), [(b"/..html", False), (b"/...html", False), (b"/.a.html", True)])
def test_c9_a_clean_address_never_ends_in_dots(raw: bytes, moved: bool) -> None:
    (first, *_) = clean_candidates(target_of(raw), candidates_of(raw[1:], False, INDEXES), INDEXES, True)
    assert (first.status == 301) is moved


@pytest.mark.parametrize(
    ("raw", "absolute", "relative"),
    [
        (b"/about.html", b"/about", b"./about"),
        (b"/a/about.html?x=1", b"/a/about?x=1", b"./about?x=1"),
        (b"/index.html", b"/", b"./"),
        (b"/a/index.html?x", b"/a/?x", b"./?x"),
        (b"/a/index", b"/a/", b"./"),
        (b"/home.html", b"/home", b"./home"),
        (b"/about/", b"/about", b"../about"),
        (b"/a/about/?x", b"/a/about?x", b"../about?x"),
        (b"/index/", b"/index", b"../index"),
        (b"/x.html/", b"/x.html", b"../x.html"),
        (b"//evil.html", b"/evil", b"./evil"),
        (b"/%5Cevil.html", b"/%5Cevil", b"./%5Cevil"),
        (b"/a:b.html", b"/a:b", b"./a:b"),
    ],
)
def test_clean_location(raw: bytes, absolute: bytes, relative: bytes) -> None:
    assert clean_location(target_of(raw), INDEXES, False) == absolute
    assert clean_location(target_of(raw), INDEXES, True) == relative


def test_without_an_index_name_no_page_is_one() -> None:
    assert clean_location(target_of(b"/index.html"), (), False) == b"/index"
    assert ask(get(b"/about.html"), Site(indexes=(), clean_urls=True)).field(b"location") == b"/about"


@pytest.mark.parametrize("rule", ["/route /new 302", "/route /x 404", "/route /x 410!"])
def test_a_rule_for_what_is_missing_is_not_overruled(rule: str) -> None:
    rules = RedirectRules(parse_redirects("R", rule.encode()).rules)
    lookup = Site(spa=True, redirects=rules).locate(request_of("/route", b"Accept: text/html"))
    assert isinstance(lookup, Lookup)
    assert (lookup.fallback, lookup.vary) == ((), b"")


def test_what_the_first_candidate_stands_for() -> None:
    page = open_file(b"404.html", b"x")
    by_rule = Lookup(NO_REQUEST, b"x", (Candidate(b"404.html", EntryKind.FILE, 404),))
    assert by_rule.begins_with(page._replace(status=404))
    assert not by_rule.begins_with(page)
    assert not ROOT.begins_with(page)


def test_a_directory_that_is_listed_comes_before_the_fallback() -> None:
    site = Site(spa=True, clean_urls=True, browsing=Browsing())
    lookup = site.locate(request_of("/guide/", b"Accept: text/html"))
    assert isinstance(lookup, Lookup)
    assert [each.path for each in lookup.candidates] == [b"guide/index.html", b"guide", b"guide.html", b"index.html"]

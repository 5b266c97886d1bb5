import random

import pytest

from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.messages import Request
from pwb_async.core.semantics.target import parse_target
from pwb_async.core.site.coding_negotiation import CodingNegotiation
from pwb_async.core.site.findings import OpenFile
from pwb_async.core.site.listing_query import MAX_PAGES, ListingQuery, parse_listing_query
from pwb_async.core.site.listings import Browsing, listing_key
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.natural_order import name_of, natural_key
from pwb_async.core.site.site import Site


def request(target: bytes, *fields: bytes, site: Site) -> Request:
    parser = RequestParser(Limits(), site.variant, site.target_key)
    event = parser.parse(b"\r\n".join((b"GET %s HTTP/1.1" % target, b"Host: h", *fields, b"")))
    assert isinstance(event, Request)
    return event


def listing_of(target: bytes, *fields: bytes, zip_downloads: bool = False) -> ListingQuery | None:
    site = Site(browsing=Browsing(zip_downloads))
    located = site.locate(request(target, *fields, site=site))
    assert isinstance(located, Lookup)
    assert located.cacheable is not bool(located.listing and located.listing.archive)
    return located.listing


@pytest.mark.parametrize(
    ("query", "parsed"),
    [
        (None, {}),
        (b"", {}),
        (b"sort=size&order=desc&page=3", {"sort": "size", "descending": True, "page": 3}),
        (b"sort=x&order=y&page=z&format=xml&download=tar", {}),
        (b"page=0", {"page": 1}),
        (b"page=123456789", {"page": MAX_PAGES}),
        (b"page=%d" % 10**4000, {"page": 1}),
        (b"page=\xb2", {}),
        (b"sort=bad&sort=time", {"sort": "time"}),
        (b"format=html&format=json", {"json": False}),
        (b"download=zip", {"archive": True}),
        (b"a&b=&=c&&", {}),
    ],
)
def test_a_query_has_what_fits(query: bytes | None, parsed: dict[str, object]) -> None:
    assert parse_listing_query(query) == parsed


def test_only_a_directory_is_listed_and_an_archive_takes_the_option() -> None:
    assert listing_of(b"/a") is None
    assert listing_of(b"/a/") == ListingQuery()
    assert listing_of(b"/a/", b"Accept: application/json") == ListingQuery(json=True)
    assert listing_of(b"/a/?format=html", b"Accept: application/json") == ListingQuery()
    assert listing_of(b"/a/?download=zip") == ListingQuery()
    assert listing_of(b"/a/?download=zip", zip_downloads=True) == ListingQuery(archive=True)
    site = Site()
    located = site.locate(request(b"/a/", site=site))
    assert isinstance(located, Lookup)
    assert located.listing is None


def key(target: bytes) -> bytes:
    parsed = parse_target(b"GET", target)
    assert not isinstance(parsed, str)
    return listing_key(parsed)


def test_requests_for_different_listings_have_different_keys() -> None:
    assert key(b"/a?sort=size") == key(b"/a") == b"a"
    assert key(b"/a/?x=1") == key(b"/a/") == b"a/"
    assert key(b"/a/?download=zip") != key(b"/a/")
    assert key(b"/a/%2F/?sort=size") == b""
    assert key(b"/a/?sort=size&order=asc") == key(b"/a/?order=asc&y&sort=size&sort=time")
    keys = [
        key(b"/a/?" + query) for query in (b"", b"sort=size", b"sort=time", b"order=desc", b"page=2", b"format=json")
    ]
    assert len(set(keys)) == len(keys)
    site = Site(browsing=Browsing())
    html, json = request(b"/a/", site=site), request(b"/a/", b"Accept: application/json", site=site)
    assert html.cache_key != json.cache_key


def test_a_listing_describes_itself() -> None:
    site = Site(browsing=Browsing(), max_ranges=2)
    asked = request(b"/a/", site=site)
    located = site.locate(asked)
    assert isinstance(located, Lookup)
    found = OpenFile(b"a", 2, 0, 0, None, b"{}", tag=b"x", media_type=b"application/json", fields=((b"X-A", b"1"),))
    response = site.reply(located, found)
    assert dict(response.fields) == {
        b"Content-Type": b"application/json",
        b"Content-Length": b"2",
        b"ETag": b'"x"',
        b"Accept-Ranges": b"bytes",
        b"Cache-Control": b"no-cache",
        b"Vary": b"Accept",
        b"X-Content-Type-Options": b"nosniff",
        b"X-A": b"1",
    }


def test_links_keep_how_a_listing_is_sorted() -> None:
    query = ListingQuery("size", descending=True, page=3)
    assert query.link() == "?sort=size&order=desc&page=3"
    assert query.link(sort="name", descending=False, page=1) == "./"
    assert query.link(descending=False, page=1) == "?sort=size&order=asc"
    assert query.link(sort="name", page=1) == "?sort=name&order=desc"
    assert ListingQuery().link(page=2) == "?page=2"


def test_natural_order() -> None:
    names = [
        "1",
        "2.txt",
        "02.txt",
        "10.txt",
        "a",
        "A",
        "a1",
        "a01b",
        "a2",
        "a10",
        "a10b",
        "B",
        "b1c2",
        "b1c10",
        "é",
        "中",
    ]
    expected = [
        "1",
        "02.txt",
        "2.txt",
        "10.txt",
        "A",
        "a",
        "a1",
        "a01b",
        "a2",
        "a10",
        "a10b",
        "B",
        "b1c2",
        "b1c10",
        "é",
        "中",
    ]
    random.Random(1).shuffle(names)
    assert sorted(names, key=natural_key) == expected
    assert [name_of(f"0001{natural_key(name)}") for name in names] == names
    assert natural_key("9" * 255) > natural_key("9" * 254)


def test_a_listing_may_be_compressed() -> None:
    site = Site(browsing=Browsing(), negotiation=CodingNegotiation(precompressed=True, compress=True))
    located = site.locate(request(b"/a/", b"Accept-Encoding: gzip", site=site))
    assert isinstance(located, Lookup)
    assert [candidate.compressible for candidate in located.candidates] == [True, True]

"""A site in maintenance: 503 in response to everything."""

from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.messages import Request
from pwb_async.core.site.findings import NOT_FOUND, OpenFile
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.maintenance import Maintenance
from pwb_async.core.site.site import Site

PAGE = b"<title>back soon</title>"
FOUND = OpenFile(path=b"503.html", size=len(PAGE), mtime_ns=0, seen_ns=0, file=None, content=PAGE)


def test_the_page_of_the_site_or_one_of_our_own() -> None:
    site = Maintenance(Site(error_pages=False))
    for method, target in (b"GET", b"/a"), (b"HEAD", b"/a/"), (b"POST", b"/.env"), (b"OPTIONS", b"*"):
        request = RequestParser(Limits()).parse(b"%s %s HTTP/1.1\r\nHost: h\r\n" % (method, target))
        assert isinstance(request, Request)
        lookup = site.locate(request, "192.0.2.1")
        assert isinstance(lookup, Lookup)
        assert not lookup.cacheable
        for finding, parts in (FOUND, (PAGE,)), (NOT_FOUND, None):
            response = site.reply(lookup, finding)
            fields = dict(response.fields)
            assert (response.status, fields[b"Retry-After"], fields[b"Cache-Control"]) == (503, b"60", b"no-store")
            assert method == b"HEAD" or parts is None or response.parts == parts
            assert bool(response.parts) is (method != b"HEAD")
    assert site.variant is None

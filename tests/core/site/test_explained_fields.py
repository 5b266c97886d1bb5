"""--explain-fields: what Server-Timing and Cache-Status hold for each kind of response."""

from pwb_async.config.headers_file import parse_headers
from pwb_async.config.redirects_file import parse_redirects
from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Response
from pwb_async.core.site.added_fields import AddedFields
from pwb_async.core.site.explained_fields import ExplainedFields
from pwb_async.core.site.findings import NOT_FOUND, Finding, Moved, OpenFile, Unavailable
from pwb_async.core.site.header_rules import HeaderRules
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.redirect_rules import RedirectRules
from pwb_async.core.site.site import Site

from .rule_requests import request_of

FILE = OpenFile(b"a.html", 1, 10**18, 2 * 10**18, None, b"x", tag=b"t")


def explaining(redirects: str = "", headers: str = "", *, cached: bool = True) -> ExplainedFields:
    rules = RedirectRules(parse_redirects("_redirects", redirects.encode()).rules)
    fields = HeaderRules(parse_headers("_headers", headers.encode()).rules)
    site = Site(redirects=rules, added_fields=AddedFields(rules=fields))
    return ExplainedFields(site, rules, fields, cached=cached)


def shown(response: Response) -> tuple[str, str]:
    fields = dict(response.fields)
    return fields.get(b"Server-Timing", b"").decode(), fields.get(b"Cache-Status", b"").decode()


def replied(site: ExplainedFields, target: str, finding: Finding, *, cached: bool = False) -> tuple[str, str]:
    lookup = site.locate(request_of(target))
    assert isinstance(lookup, Lookup)
    lookup.cached = cached
    return shown(site.reply(lookup, finding))


def test_a_file() -> None:
    assert replied(explaining(), "/a.html", FILE) == ('file;desc="a.html"', "PWB; fwd=miss")
    assert replied(explaining(), "/a.html", FILE, cached=True) == ('file;desc="a.html"', "PWB; hit")
    assert replied(explaining(cached=False), "/a.html", FILE) == ('file;desc="a.html"', "")
    odd = FILE._replace(path=b'"\\\xff\xc3\xa9')
    assert replied(explaining(), "/a.html", odd)[0] == 'file;desc="\\"\\\\\\\\ufffd\\\\xe9"'
    assert replied(explaining(), "/", FILE._replace(path=b""))[0] == 'file;desc="/"'


def test_a_coding() -> None:
    coded = FILE._replace(coding=b"br")
    assert replied(explaining(), "/a.html", coded)[0] == 'file;desc="a.html", coding;desc="br"'
    compressed = coded._replace(compressed=True)
    assert replied(explaining(), "/a.html", compressed)[0] == 'file;desc="a.html", coding;desc="br on the fly"'


def test_rules() -> None:
    site = explaining("/old /new 301\n/forced /new 301!\n/show /a.html 200\n/q id=1 /x 301\n/all/* / 200\n")
    assert replied(site, "/old", NOT_FOUND) == ('rule;desc="_redirects line 1"', "PWB; fwd=miss")
    assert replied(site, "/old", FILE)[0] == 'file;desc="a.html"'
    located = site.locate(request_of("/forced"))
    assert isinstance(located, Response)
    assert shown(located) == ('rule;desc="_redirects line 2"', "")
    assert replied(site, "/show", FILE)[0] == 'rule;desc="_redirects line 3", file;desc="a.html"'
    assert replied(site, "/show", FILE._replace(path=b"show"))[0] == 'file;desc="show"'
    assert replied(site, "/show", NOT_FOUND)[0] == ""
    assert replied(site, "/q?id=1", NOT_FOUND) == ('rule;desc="_redirects line 4"', "PWB; fwd=bypass")
    index = FILE._replace(path=b"index.html")
    assert replied(site, "/all/x", index)[0] == 'rule;desc="_redirects line 5", file;desc="index.html"'


def test_rules_about_fields() -> None:
    site = explaining(headers="/*\nX-A: 1\n/a*\nX-B: 1\n/b\nX-C: 1\n")
    assert replied(site, "/a.html", FILE)[0] == 'file;desc="a.html", fields;desc="_headers line 1, _headers line 3"'
    located = site.locate(request_of("/", method=b"POST"))
    assert isinstance(located, Response)
    assert shown(located) == ('fields;desc="_headers line 1"', "")


def test_what_is_no_file() -> None:
    site = explaining()
    assert replied(site, "/a", Moved(b"a.html"))[0] == 'file;desc="a.html"'
    assert replied(site, "/a", Unavailable("EMFILE"))[0] == ""
    page = FILE._replace(path=b"503.html", status=503, shared=True)
    assert replied(site, "/a", Unavailable("EMFILE", page))[0] == 'file;desc="503.html"'


def test_what_a_guard_has_refused() -> None:
    assert shown(explaining().finish(request_of("/"), Response(401, ()))) == ('guard;desc="401"', "")


def test_other_responses_are_those_of_the_site() -> None:
    site = explaining()
    assert shown(site.refuse(BadRequest(400, "why"))) == ("", "")
    assert shown(site.unavailable(request_of("/"))) == ("", "")
    assert shown(site.error(request_of("/"), 500)) == ("", "")
    assert (site.variant is None, site.target_key) == (False, None)

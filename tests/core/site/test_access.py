"""Which access rules apply to a path, and whom they admit."""

import pytest

from pwb_async.core.semantics.networks import Networks
from pwb_async.core.site import access
from pwb_async.core.site.access import AccessRule, AccessRules
from pwb_async.core.site.patterns import parse_pattern


def rule(pattern: str | None, allow: tuple[str, ...] = (), deny: tuple[str, ...] = ()) -> AccessRule:
    parsed = None if pattern is None else parse_pattern(pattern)
    return AccessRule("here", parsed, "users", Networks(allow), Networks(deny))


def segments(path: str) -> tuple[bytes, ...]:
    return tuple(name.encode() for name in path.split("/") if name)


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        (None, "/ /a /a/b", ""),
        ("/", "/ /a /a/b", ""),
        ("/*", "/ /a /a/b", ""),
        ("/private", "/private /private/a /PRIVATE/a/b /private.gz", "/ /private.txt /privat /x/private"),
        ("/private/*", "/private /private/a", "/privates"),
        ("/a/b.js", "/a/b.js /a/b.js.br /a/b.js.GZ /a/b.js.zst /a/b.js/x", "/a /a/b.js.map /a/b.jsx"),
        ("/about", "/about.html /about.HTML /about.html.br /about", "/about.htm /about.html.txt /xabout.html"),
        ("/*.pdf", "/x.pdf /a/x.pdf /x.pdf/y /x.pdf.gz", "/x.pdfx"),
        ("/:user/private", "/a/private /b/private/c", "/private /a/b/private"),
        ("/*/admin", "/admin /a/admin /a/b/admin/c", "/adminx /a"),
        ("/a%20(b)", "/a%20(b)", "/a"),
    ],
)
def test_paths(pattern: str | None, inside: str, outside: str) -> None:
    rules = AccessRules([rule(pattern)])
    assert rules.by_path is (pattern is not None)
    for path in inside.split():
        assert rules.at(segments(path.replace("%20", " "))), path
    for path in outside.split():
        assert not rules.at(segments(path)), path


def test_all_rules_that_apply_and_those_beyond() -> None:
    everywhere, deep, page = rule(None), rule("/a/b"), rule("/page.html")
    rules = AccessRules([everywhere, deep, page])
    assert rules.at(segments("/a/b/c")) == (everywhere, deep)
    assert rules.beyond(segments("/a/b/c"), b"a/b/d") == ()
    assert rules.beyond(segments("/x"), b"a/b/d") == (deep,)
    assert rules.beyond(segments("/a/b"), b"page.html") == (page,)
    assert AccessRules([everywhere]).beyond((), b"x") == ()
    assert not AccessRules()
    assert [each.realm for each in rules.rules] == ["Restricted", "/a/b", "/page.html"]


def test_few_paths_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_MAX_PATHS", 2)
    rules = AccessRules([rule("/1")])
    for number in range(10):
        assert bool(rules.at((b"%d" % number,))) is (number == 1)
        assert bool(rules.at((b"1",)))
    assert len(rules._by_path) <= 2


def test_addresses() -> None:
    assert rule(None).admits("192.0.2.1")
    allowed = rule(None, allow=("10.0.0.0/8",), deny=("10.0.0.1",))
    assert [client for client in ("10.0.0.1", "10.0.0.2", "11.0.0.1", "-") if allowed.admits(client)] == ["10.0.0.2"]
    denied = rule(None, deny=("10.0.0.0/8",))
    assert [client for client in ("10.0.0.1", "11.0.0.1") if denied.admits(client)] == ["11.0.0.1"]
